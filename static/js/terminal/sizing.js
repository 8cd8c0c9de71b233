/**
 * The size of one terminal, and who decides it.
 *
 * The window that typed last owns the size of a shell; the others show it at that size, whatever room they have. Each window
 * tells the server the size it would like, so that the server can give it that size when somebody types there.
 */

const SETTLE_MS = 80;
// The server takes no size beyond it.
const LARGEST = 1000;

export class Sizing {
  /**
   * @param {import("@xterm/xterm").Terminal} terminal already open in an element.
   * @param {import("@xterm/addon-fit").FitAddon} fit
   * @param {object} handlers `wanted({cols, rows})` passes a size on to the server, `owner(boolean)` says who decides.
   */
  constructor(terminal, fit, handlers) {
    this.terminal = terminal;
    this.fit = fit;
    this.handlers = handlers;
    this.owner = true;
    this.timer = 0;
    this.observer = new ResizeObserver(() => this.later());
    this.observer.observe(terminal.element.parentElement);
  }

  /** Measures again when nothing has changed for a moment. */
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.measure(), SETTLE_MS);
  }

  /** Takes the room there is, if this window decides, and tells the server. */
  measure() {
    const room = this.fit.proposeDimensions();
    if (!room || Number.isNaN(room.cols) || Number.isNaN(room.rows)) return;
    const wanted = { cols: Math.min(room.cols, LARGEST), rows: Math.min(room.rows, LARGEST) };
    if (this.owner) this.terminal.resize(wanted.cols, wanted.rows);
    const same = this.told?.cols === wanted.cols && this.told?.rows === wanted.rows;
    if (same) return;
    this.told = wanted;
    this.handlers.wanted(wanted);
  }

  /** A new connection knows nothing yet: tell it. */
  connected() {
    this.told = null;
    this.measure();
  }

  /** @param {{cols: number, rows: number, owner: boolean}} size the server's word on the shell's size. */
  decided({ cols, rows, owner }) {
    this.owner = owner;
    if (owner) this.measure();
    else this.terminal.resize(cols, rows);
    this.handlers.owner(owner);
  }

  /** Stops watching. */
  close() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }
}
