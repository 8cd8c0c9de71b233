"""More output than can be shown: the end is shown, the page lives, and the shell is still there."""

import re

FEED = """async ([chunks, size]) => {
  const { Feed } = await import('/static/js/terminal/feed.js');
  const written = [];
  const skipped = [];
  const terminal = { write: (data, done) => written.push([data, done]) };
  const feed = new Feed(terminal, (bytes) => skipped.push(bytes));
  const order = [];
  for (let number = 0; number < chunks; number += 1) feed.push(new Uint8Array(size).fill(number));
  feed.then(() => order.push('drawn'));
  let most = 0;
  let last;
  while (written.length) {
    most = Math.max(most, written.reduce((sum, [data]) => sum + data.length, 0));
    const [data, done] = written.shift();
    if (data.length > 1) last = data[0];
    if (data.length === 1) order.push(data[0]);
    done();
  }
  return { most, last, order, skipped };
}"""


def test_a_flood_ends_with_its_end_on_the_screen(terminal):
    terminal.run("yes 0123456789012345678901234567890123456789 | head -n 800000; echo $((21 * 21))-end")
    terminal.wait_for("441-end", timeout=60)
    terminal.asks("echo $((22 * 22))-alive", "484-alive")


def test_what_waits_to_be_drawn_is_bounded_and_the_oldest_goes(terminal):
    seen = terminal.page.evaluate(FEED, [200, 100_000])
    assert seen["most"] <= 400_000
    assert seen["last"] == 199
    # Where something was left out, an escape sequence that was cut is ended first.
    assert set(seen["order"]) == {0x18, "drawn"}
    assert seen["order"][-1] == "drawn"
    assert 8_000_000 < sum(seen["skipped"]) < 16_000_000


def test_nothing_is_left_out_of_what_can_be_shown(terminal):
    seen = terminal.page.evaluate(FEED, [50, 100_000])
    assert seen["skipped"] == []
    assert seen["order"] == ["drawn"]


def test_what_was_left_out_is_said(terminal):
    terminal.page.evaluate("document.querySelector('rexec-terminal').shell.feed.onSkipped(3_200_000)")
    terminal.note.get_by_text(re.compile(r"3\.2 MB .* left out")).wait_for()
