/** What a person chose for their terminals, remembered by this browser. */

const KEY = 'rexec.terminal';
const DEFAULTS = { fontSize: 14, copyOnSelect: false, screenReader: false };
const FONT_SIZES = { smallest: 8, largest: 32 };

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    // A browser that forbids storage, or a value cut short: the defaults serve.
    return {};
  }
}

/** Fires `change` when a choice was made, here or in another window. */
export class Preferences extends EventTarget {
  /** @param {AbortSignal} signal ends the watch over other windows. */
  constructor(signal) {
    super();
    this.values = { ...DEFAULTS, ...stored() };
    window.addEventListener('storage', (event) => {
      if (event.key !== KEY) return;
      this.values = { ...DEFAULTS, ...stored() };
      this.dispatchEvent(new Event('change'));
    }, { signal });
  }

  /**
   * @param {"fontSize"|"copyOnSelect"|"screenReader"} name
   * @param {number|boolean} value
   */
  set(name, value) {
    this.values = { ...this.values, [name]: value };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.values));
    } catch {
      // Storage is full or forbidden: the choice holds for this page.
    }
    this.dispatchEvent(new Event('change'));
  }

  /** @param {number} step how many pixels larger (or, below zero, smaller) the font becomes. */
  changeFontSize(step) {
    const size = this.values.fontSize + step;
    this.set('fontSize', Math.min(FONT_SIZES.largest, Math.max(FONT_SIZES.smallest, size)));
  }
}
