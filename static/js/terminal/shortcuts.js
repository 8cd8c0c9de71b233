/** The Ctrl+Shift combinations: the only keys that a terminal does not get. */

const PLUS = { keys: ['+', '=', '*'], codes: ['Equal', 'NumpadAdd'] };
const MINUS = { keys: ['-', '_'], codes: ['Minus', 'NumpadSubtract'] };

const matches = (event, { keys, codes }) => keys.includes(event.key) || codes.includes(event.code);

function actionOf(event) {
  const key = event.key.toUpperCase();
  if (key === 'C') return 'copy';
  if (key === 'V') return 'paste';
  if (key === 'F') return 'search';
  if (matches(event, PLUS)) return 'larger';
  if (matches(event, MINUS)) return 'smaller';
  return null;
}

/**
 * @param {import("@xterm/xterm").Terminal} terminal
 * @param {{copy: Function, search: Function, larger: Function, smaller: Function}} actions
 */
export function bindShortcuts(terminal, actions) {
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true;
    const action = actionOf(event);
    if (!action) return true;
    // The browser's own paste follows when nobody prevents it.
    if (action === 'paste') return false;
    event.preventDefault();
    if (event.type === 'keydown') actions[action]();
    return false;
  });
}
