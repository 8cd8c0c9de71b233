"""A bar that says how much is used is filled from edge to edge."""

from __future__ import annotations

import base64

COLOURS_DOWN = """async ([meter, picture]) => {
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const x = Math.round((bitmap.width * meter.value) / meter.max / 2);
  const colour = (part) => canvas.getImageData(x, Math.round(bitmap.height * part), 1, 1).data.join();
  return [0.25, 0.5, 0.75].map(colour);
}"""


def test_a_bar_is_as_high_as_what_it_stands_in(open_page, site):
    page = open_page("/billing", site.admin, device_scale_factor=4)
    meter = page.locator(".meter").first
    assert meter.evaluate("meter => meter.value") > 0
    picture = base64.b64encode(meter.screenshot()).decode()
    colours = page.evaluate(COLOURS_DOWN, [meter.element_handle(), picture])
    assert len(set(colours)) == 1, colours
