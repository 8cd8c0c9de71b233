/** The keys that an on-screen keyboard lacks, with Ctrl and Alt that hold until the next key. */

const ESC = '\x1b';
const PLAIN = { escape: ESC, tab: '\t', slash: '/', minus: '-', pipe: '|' };
const ARROWS = { up: 'A', down: 'B', right: 'C', left: 'D' };
const CONTROL_OF = { ' ': '\x00', '/': '\x1f', '-': '\x1f', '?': '\x7f' };

/** @param {string} character @returns {string} what Ctrl and that key send. */
export function controlOf(character) {
  if (character in CONTROL_OF) return CONTROL_OF[character];
  const code = character.toUpperCase().charCodeAt(0);
  return character.length === 1 && code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : character;
}

function arrow(letter, { control, alt }, application) {
  const modifier = 1 + (alt ? 2 : 0) + (control ? 4 : 0);
  if (modifier > 1) return `${ESC}[1;${modifier}${letter}`;
  return ESC + (application ? 'O' : '[') + letter;
}

export class KeyBar {
  /**
   * @param {HTMLElement} bar with buttons `[data-send]`.
   * @param {() => import("@xterm/xterm").Terminal} terminal the one that gets the keys.
   * @param {AbortSignal} signal ends it.
   */
  constructor(bar, terminal, signal) {
    this.terminal = terminal;
    this.held = { control: null, alt: null };
    // A button that took the focus would close the on-screen keyboard.
    bar.addEventListener('pointerdown', (event) => event.preventDefault(), { signal });
    bar.addEventListener('click', (event) => {
      const button = event.target.closest('[data-send]');
      if (button) this.#press(button);
    }, { signal });
  }

  /** @param {string} typed what the keyboard sent. @returns {string} the same with the held keys. */
  apply(typed) {
    const { control, alt } = this.held;
    if ((!control && !alt) || [...typed].length !== 1) return typed;
    const key = control ? controlOf(typed) : typed;
    this.#release();
    return alt ? ESC + key : key;
  }

  #press(button) {
    const key = button.dataset.send;
    if (key in this.held) {
      this.#hold(key, this.held[key] ? null : button);
    } else if (key in ARROWS) {
      const terminal = this.terminal();
      const sequence = arrow(ARROWS[key], this.held, terminal.modes.applicationCursorKeysMode);
      this.#release();
      terminal.input(sequence);
    } else this.terminal().input(PLAIN[key]);
    this.terminal().focus();
  }

  #hold(key, button) {
    this.held[key]?.setAttribute('aria-pressed', 'false');
    this.held[key] = button;
    button?.setAttribute('aria-pressed', 'true');
  }

  #release() {
    for (const key of Object.keys(this.held)) this.#hold(key, null);
  }
}
