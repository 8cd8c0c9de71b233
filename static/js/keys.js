// Keys for the page. Nothing is taken while somebody types, in the terminal, in a dialog, or with a modifier held.

function takesKeys(target) {
  return target.closest("input, textarea, select, [contenteditable], .xterm, dialog") !== null;
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => !row.hidden);
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement.closest("[data-row]"));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  const link = rows[next].querySelector(".row-link");
  link.focus();
  link.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.matches("input")) {
    target.focus();
    target.select();
  } else {
    target.click();
  }
  return true;
}

function act(key) {
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "?") document.getElementById("keys").showModal();
  else return (key === "n" || key === "/") && press(key);
  return true;
}

/** Listen for the page's keys; the dialog #keys names them all. */
export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (takesKeys(event.target)) return;
    if (act(event.key)) event.preventDefault();
  });
}
