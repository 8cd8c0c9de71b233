/** Copying out of a terminal, and pasting by a button. Ctrl+Shift+V is the browser's own paste, which needs no permission. */

function copyByCommand(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  // The only way where the page came by plain HTTP from another machine.
  document.execCommand('copy');
  area.remove();
  focused?.focus({ preventScroll: true });
}

/** @param {string} text goes to the system's clipboard. */
export async function copy(text) {
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByCommand(text);
  }
}

/**
 * @param {import("@xterm/xterm").Terminal} terminal
 * @returns {Promise<boolean>} false where the browser does not let the page read the clipboard.
 */
export async function pasteInto(terminal) {
  try {
    terminal.paste(await navigator.clipboard.readText());
    return true;
  } catch {
    return false;
  }
}

/**
 * Copies what is selected as soon as the mouse or finger lets go of it.
 *
 * @param {import("@xterm/xterm").Terminal} terminal
 * @param {() => boolean} wanted whether the person chose so.
 */
export function copyOnSelect(terminal, wanted) {
  terminal.element.addEventListener('pointerup', () => {
    // The selection is complete only after xterm.js has handled the same event.
    setTimeout(() => wanted() && copy(terminal.getSelection()));
  });
}
