/** One terminal's WebSocket, which comes back by itself. */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const OPENING_DEADLINE_MS = 10_000;
const PONG_DEADLINE_MS = 8_000;
const SESSION_OVER = 4401;
const GONE = 4404;
const NORMAL = 1000;
const LOOK_AGAIN_MS = 3_000;
// What the container's page says, and what stands for a page that is not shown.
const AT_REST = /data-status="(?:stopped|failed)"/;
const RUNNING = /data-status="running"/;
const FAILED = /data-status="failed"/;
const SENT_AWAY = 'sent away';
const NOT_FOUND = 'not found';

/**
 * @param {number} attempt how many attempts failed since the connection last worked.
 * @returns {number} milliseconds to wait: doubling, bounded, and spread so that a restart does not meet everybody at once.
 */
export function backOff(attempt) {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return ceiling * (0.5 + Math.random() / 2);
}

/**
 * Handlers: `bytes(Uint8Array)`, `frame(object)`, `latency(milliseconds)` and `state(name, detail)`, where the name is one of
 * connecting, open, waiting (detail: the time of the next attempt by `performance.now()`), sessionOver, stopped, failed, gone,
 * closed.
 */
export class Connection {
  /**
   * @param {string} path of the WebSocket on this host.
   * @param {string} statusPath a page that tells why the WebSocket is refused: the upgrade's answer is hidden from scripts.
   * @param {object} handlers
   */
  constructor(path, statusPath, handlers) {
    this.path = path;
    this.statusPath = statusPath;
    this.handlers = handlers;
    this.socket = null;
    this.failures = 0;
    this.timer = 0;
    this.pings = new Map();
    this.pingNumber = 0;
    this.life = new AbortController();
    const { signal } = this.life;
    window.addEventListener('online', () => this.wake(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.wake(), { signal });
  }

  /** @returns {WebSocket | null} the socket while it can carry data. */
  get open() {
    return this.socket?.readyState === WebSocket.OPEN ? this.socket : null;
  }

  /** Connects now, whatever it was waiting for. */
  connect() {
    this.#drop();
    this.handlers.state('connecting');
    const address = new URL(this.path, window.location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let opened = false;
    this.timer = setTimeout(() => this.#lost(opened), OPENING_DEADLINE_MS);
    socket.onopen = () => {
      opened = true;
      clearTimeout(this.timer);
      this.handlers.state('open');
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#closed(event.code, opened);
  }

  /** Looks every few seconds whether the container runs again, and connects when it does; ends where it has failed. */
  comeBackWhenRunning() {
    this.#drop();
    const look = async () => {
      const page = document.hidden ? '' : await this.#statusPage();
      if (this.life.signal.aborted || this.timer !== timer) return;
      if (RUNNING.test(page)) this.connect();
      else if (FAILED.test(page)) this.#end('failed');
      else this.comeBackWhenRunning();
    };
    const timer = setTimeout(look, LOOK_AGAIN_MS);
    this.timer = timer;
  }

  /** Says that the connection works: the next loss starts with the shortest wait again. */
  settled() {
    this.failures = 0;
  }

  /** Connects now if it was waiting; otherwise makes sure that the other side still answers. */
  wake() {
    if (this.open) this.ping();
    else if (this.waiting) this.connect();
  }

  /** @param {object} frame a control message. */
  control(frame) {
    this.open?.send(JSON.stringify(frame));
  }

  /** Measures the way to the server and back, and finds a connection that died without a word. */
  ping() {
    if (!this.open || this.pings.size) return;
    this.pingNumber += 1;
    const number = this.pingNumber;
    const deadline = setTimeout(() => this.#lost(true), PONG_DEADLINE_MS);
    this.pings.set(number, { sent: performance.now(), deadline });
    this.control({ type: 'ping', t: number });
  }

  /** Ends the connection for good; the server keeps a further shell for a moment, as it does when a page is left. */
  close() {
    this.life.abort();
    this.#drop();
  }

  /** Ends the connection for good, and a further shell with it. */
  finish() {
    this.life.abort();
    this.#drop(NORMAL);
  }

  #receive(data) {
    if (typeof data !== 'string') {
      this.handlers.bytes(new Uint8Array(data));
      return;
    }
    const frame = JSON.parse(data);
    if (frame.state === 'pong') this.#pong(frame.t);
    else this.handlers.frame(frame);
  }

  #pong(number) {
    const ping = this.pings.get(number);
    if (!ping) return;
    clearTimeout(ping.deadline);
    this.pings.delete(number);
    this.handlers.latency(performance.now() - ping.sent);
  }

  #closed(code, opened) {
    if (code === SESSION_OVER) this.#end('sessionOver');
    else if (code === GONE) this.#end('gone');
    else if (code === NORMAL) this.#end('closed');
    else this.#lost(opened);
  }

  #end(state) {
    this.#drop();
    this.handlers.state(state);
  }

  async #lost(opened) {
    this.#drop();
    const delay = backOff(this.failures);
    this.failures += 1;
    this.waiting = true;
    this.timer = setTimeout(() => this.connect(), delay);
    this.handlers.state('waiting', performance.now() + delay);
    if (!opened) await this.#askWhy();
  }

  async #askWhy() {
    const page = await this.#statusPage();
    if (!this.waiting) return;
    if (page === SENT_AWAY) this.#end('sessionOver');
    else if (page === NOT_FOUND) this.#end('gone');
    else if (AT_REST.test(page)) this.#end('stopped');
  }

  async #statusPage() {
    try {
      const answer = await fetch(this.statusPath, { redirect: 'manual' });
      if (answer.type === 'opaqueredirect') return SENT_AWAY;
      return answer.status === 404 ? NOT_FOUND : await answer.text();
    } catch {
      // No network or no server: the page tells nothing.
      return '';
    }
  }

  #drop(code) {
    clearTimeout(this.timer);
    this.waiting = false;
    for (const { deadline } of this.pings.values()) clearTimeout(deadline);
    this.pings.clear();
    if (!this.socket) return;
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close(code);
    this.socket = null;
  }
}
