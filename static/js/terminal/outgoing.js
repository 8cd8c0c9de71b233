/** What goes from the keyboard to the socket: in order, in small frames, no faster than the socket takes it. */

const FRAME_BYTES = 16 * 1024;
const BUFFERED_LIMIT = 256 * 1024;
const LOOK_AGAIN_MS = 20;

const encoder = new TextEncoder();

/** @param {string} text @returns {Uint8Array} its UTF-8. */
export const utf8 = (text) => encoder.encode(text);

/** @param {string} text one character for each byte, as mouse reports are. @returns {Uint8Array} */
export const latin1 = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

export class Outgoing {
  /** @param {() => WebSocket | null} socket the open socket, if there is one. */
  constructor(socket) {
    this.socket = socket;
    this.waiting = [];
    this.timer = 0;
  }

  /** @param {Uint8Array} bytes input for the shell. */
  push(bytes) {
    for (let start = 0; start < bytes.length; start += FRAME_BYTES) {
      this.waiting.push(bytes.subarray(start, start + FRAME_BYTES));
    }
    if (!this.timer) this.#pump();
  }

  /** Forgets what was not sent: the next connection must not be typed into by the last one. */
  clear() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.waiting = [];
  }

  #pump() {
    this.timer = 0;
    const socket = this.socket();
    if (!socket) {
      this.waiting = [];
      return;
    }
    while (this.waiting.length && socket.bufferedAmount < BUFFERED_LIMIT) socket.send(this.waiting.shift());
    // No event says that the buffer has drained.
    if (this.waiting.length) this.timer = setTimeout(() => this.#pump(), LOOK_AGAIN_MS);
  }
}
