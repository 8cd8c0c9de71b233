/**
 * What goes from the socket to the screen, in order, without ever growing beyond a bound.
 *
 * A socket cannot be told to wait, and xterm.js throws when 50 MB are pending. So only a little is given to it at a time, and
 * when more than QUEUE_LIMIT waits, the oldest goes: what a person wants to see after a flood is its end.
 */

const IN_FLIGHT_LIMIT = 256 * 1024;
const QUEUE_LIMIT = 8 * 1024 * 1024;
const KEPT_AFTER_SKIP = 4 * 1024 * 1024;
// Ends an escape sequence that was cut in two, so that its rest is not printed.
const CANCEL = Uint8Array.of(0x18);

export class Feed {
  /**
   * @param {import("@xterm/xterm").Terminal} terminal
   * @param {(bytes: number) => void} onSkipped is told how many bytes were left out.
   */
  constructor(terminal, onSkipped) {
    this.terminal = terminal;
    this.onSkipped = onSkipped;
    this.queue = [];
    this.queued = 0;
    this.inFlight = 0;
  }

  /** @param {Uint8Array} bytes output to show. */
  push(bytes) {
    this.queue.push(bytes);
    this.queued += bytes.length;
    if (this.queued > QUEUE_LIMIT) this.#skip();
    this.#pump();
  }

  /** @param {() => void} callback runs when all that was pushed before has been parsed. */
  then(callback) {
    this.queue.push(callback);
    this.#pump();
  }

  /** Forgets what waits. */
  clear() {
    this.queue = [];
    this.queued = 0;
  }

  #pump() {
    while (this.queue.length && this.inFlight < IN_FLIGHT_LIMIT) {
      const next = this.queue.shift();
      if (typeof next === 'function') {
        this.terminal.write('', next);
        continue;
      }
      this.queued -= next.length;
      this.inFlight += next.length;
      this.terminal.write(next, () => {
        this.inFlight -= next.length;
        this.#pump();
      });
    }
  }

  #skip() {
    let skipped = 0;
    const kept = [];
    for (const item of this.queue) {
      if (typeof item === 'function' || this.queued - skipped <= KEPT_AFTER_SKIP) kept.push(item);
      else skipped += item.length;
    }
    this.queue = [CANCEL, ...kept];
    this.queued += CANCEL.length - skipped;
    this.onSkipped(skipped);
  }
}
