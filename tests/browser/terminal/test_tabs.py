"""Further shells in tabs."""

from playwright.sync_api import expect

from tests.support.waiting import eventually


def new_shell(terminal):
    terminal.page.get_by_role("button", name="New shell").click()
    return terminal.wait_live()


def test_a_further_tab_is_a_shell_of_its_own(terminal):
    terminal.asks("MINE=main; echo $((1 + 1))-set", "2-set")
    new_shell(terminal)
    expect(terminal.tab("Shell 2")).to_have_attribute("aria-selected", "true")
    terminal.asks("echo ${MINE:-none}-here", "none-here")
    terminal.tab("Main").click()
    terminal.asks("echo ${MINE:-none}-there", "main-there")


def test_a_reload_brings_the_same_tabs_back(terminal):
    new_shell(terminal)
    new_shell(terminal)
    terminal.tab("Shell 2").click()
    terminal.reload()
    names = terminal.page.get_by_role("tab").all_inner_texts()
    assert names == ["Main", "Shell 2", "Shell 3"]
    expect(terminal.tab("Shell 2")).to_have_attribute("aria-selected", "true")


def test_closing_a_tab_ends_its_shell_in_the_container(terminal, engine, container):
    new_shell(terminal).asks("sleep 4321 & echo $((1 + 1))-sleeps", "2-sleeps")
    processes = lambda: engine.docker("exec", f"rexec-{container}", "ps")  # noqa: E731
    assert "sleep 4321" in processes()
    terminal.page.locator('[data-tab="2"] [data-close]').click()
    expect(terminal.page.get_by_role("tab")).to_have_count(1)
    eventually(lambda: "sleep 4321" not in processes(), 15, message="the shell of the closed tab is gone")
    terminal.asks("echo $((2 + 2))-main", "4-main")


def test_a_reload_finds_the_same_shell_in_a_further_tab(terminal):
    new_shell(terminal).asks("KEPT=$((40 + 2)); echo set-$KEPT", "set-42")
    terminal.reload()
    terminal.asks("echo again-$KEPT", "again-42")


def test_a_tab_opened_after_one_was_closed_is_a_new_shell(terminal):
    new_shell(terminal).asks("KEPT=$((40 + 2)); echo set-$KEPT", "set-42")
    terminal.page.locator('[data-tab="2"] [data-close]').click()
    new_shell(terminal).asks("echo now-${KEPT:-none}", "now-none")


def test_tabs_are_reached_and_closed_by_keys(terminal):
    new_shell(terminal)
    terminal.tab("Shell 2").focus()
    terminal.page.keyboard.press("ArrowLeft")
    expect(terminal.tab("Main")).to_be_focused()
    expect(terminal.tab("Main")).to_have_attribute("aria-selected", "true")
    terminal.page.keyboard.press("Delete")
    terminal.page.keyboard.press("End")
    expect(terminal.tab("Shell 2")).to_be_focused()
    terminal.page.keyboard.press("Delete")
    expect(terminal.page.get_by_role("tab")).to_have_count(1)


def test_there_are_eight_tabs_at_most(terminal):
    add = terminal.page.get_by_role("button", name="New shell")
    for _ in range(7):
        add.click()
    expect(terminal.page.get_by_role("tab")).to_have_count(8)
    expect(add).to_be_disabled()


def test_a_shell_that_ended_offers_another(terminal):
    new_shell(terminal).run("exit")
    terminal.note.get_by_role("button", name="Open again").click()
    terminal.wait_live().asks("echo $((1 + 1))-again", "2-again")


def test_each_tab_names_its_panel(terminal):
    new_shell(terminal)
    for name in ("Main", "Shell 2"):
        panel = terminal.page.locator(f"#{terminal.tab(name).get_attribute('aria-controls')}")
        expect(panel).to_have_attribute("role", "tabpanel")
        expect(panel).to_have_attribute("aria-label", name)


def test_a_bell_in_another_tab_marks_it(terminal):
    new_shell(terminal).run("sleep 1; printf '\\a'")
    terminal.tab("Main").click()
    expect(terminal.page.locator('[data-tab="2"][data-bell]')).to_have_count(1)
    terminal.tab("Bell · Shell 2").click()
    expect(terminal.page.locator("[data-bell]")).to_have_count(0)
