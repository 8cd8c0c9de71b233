/** One shell: its screen, its connection, and what is said about both. */

import { guardAnswers } from './answers.js';
import { copy, copyOnSelect, pasteInto } from './clipboard.js';
import { Connection } from './connection.js';
import { Feed } from './feed.js';
import { Note } from './note.js';
import { latin1, Outgoing, utf8 } from './outgoing.js';
import { palette } from './palettes.js';
import { makeScreen, screenText, selectedText } from './screen.js';
import { bindShortcuts } from './shortcuts.js';
import { Sizing } from './sizing.js';
import { MAIN } from './tabs.js';

const SKIP_NOTE_MS = 10_000;
const PASTE_NOTE_MS = 5_000;
const MB = 1_000_000;
// What the end of a shell says about its container; the shell of a further tab may end alone.
const AFTER = { stopped: 'stopped', deleted: 'gone' };

export class Shell {
  /**
   * @param {number} number of the tab; 1 is the shell that lives as long as the container.
   * @param {HTMLElement} panel with `[data-stage]` and `[data-note]`.
   * @param {object} host of the terminal: `paths` (socket, status, login, list), `preferences`, `typed(text)`, `bell(shell)`,
   *   `latency(shell, ms)`, `usage(figures)`, `exitActions(shell, reason)`, `containerChanged(state)`, `search()`.
   */
  constructor(number, panel, host) {
    this.number = number;
    this.panel = panel;
    this.host = host;
    this.ended = false;
    this.wasLive = false;
    this.mute();
    this.note = new Note(panel.querySelector('[data-note]'));
    Object.assign(this, makeScreen(panel.querySelector('[data-stage]'), host.preferences.values));
    this.feed = new Feed(this.terminal, (bytes) => this.#skipped(bytes));
    this.connection = new Connection(this.#path(), host.paths.status, {
      bytes: (bytes) => this.feed.push(bytes),
      frame: (frame) => this.#frame(frame),
      latency: (milliseconds) => host.latency(this, milliseconds),
      state: (name, detail) => this.#connectionState(name, detail),
    });
    this.outgoing = new Outgoing(() => this.connection.open);
    this.sizing = new Sizing(this.terminal, this.fit, {
      wanted: (size) => this.connection.control({ type: 'resize', ...size }),
      owner: () => this.live && this.#settle(),
    });
    this.#bind();
    this.connection.connect();
  }

  /** @returns {boolean} whether what is typed reaches the shell. */
  get live() {
    return !this.muted;
  }

  /** @returns {string} everything on the screen and above it. */
  text() {
    return screenText(this.terminal);
  }

  /** Copies what is selected, or else what is in sight. */
  copy() {
    return copy(selectedText(this.terminal));
  }

  /** Pastes from the system's clipboard, where the browser lets a page read it. */
  async paste() {
    if (await pasteInto(this.terminal)) return;
    this.note.flash('The browser does not let pages read the clipboard. Ctrl+Shift+V pastes.', PASTE_NOTE_MS);
  }

  /** Lets nothing through to the shell until the replay has been drawn. */
  mute() {
    this.muted = true;
    this.panel.ariaBusy = 'true';
    this.keeping = false;
    this.kept = '';
  }

  /** Applies what the person chose and the page's colours. */
  restyle() {
    const { values } = this.host.preferences;
    const { options } = this.terminal;
    if (options.theme !== palette()) options.theme = palette();
    if (options.screenReaderMode !== values.screenReader) options.screenReaderMode = values.screenReader;
    if (options.fontSize === values.fontSize) return;
    options.fontSize = values.fontSize;
    this.sizing.later();
  }

  /** Forgets what has scrolled away, here and in the server's memory. */
  clearScrollback() {
    this.terminal.clear();
    this.connection.control({ type: 'clear' });
  }

  /** Ends any shell but the first. */
  finish() {
    this.connection.finish();
    this.close();
  }

  /** Takes the screen off the page; a page that comes back soon finds the same shell. */
  close() {
    this.connection.close();
    this.outgoing.clear();
    this.feed.clear();
    this.sizing.close();
    this.note.hide();
    this.terminal.dispose();
  }

  #path() {
    return this.number === MAIN ? this.host.paths.socket : `${this.host.paths.socket}?tab=${this.number}`;
  }

  #bind() {
    const { terminal, host } = this;
    terminal.onData((text) => this.live && this.outgoing.push(utf8(host.typed(text))));
    terminal.onBinary((text) => this.live && this.outgoing.push(latin1(text)));
    // Only keys: what the screen itself answers during the replay must not be kept.
    terminal.onKey(({ key }) => {
      if (this.keeping) this.kept += key;
    });
    terminal.onBell(() => this.live && host.bell(this));
    guardAnswers(terminal, () => this.muted || !this.sizing.owner);
    copyOnSelect(terminal, () => host.preferences.values.copyOnSelect);
    bindShortcuts(terminal, {
      copy: () => copy(terminal.getSelection()),
      search: () => host.search(),
      larger: () => host.preferences.changeFontSize(1),
      smaller: () => host.preferences.changeFontSize(-1),
    });
  }

  #connectionState(name, until) {
    if (name === 'open') {
      if (this.ended) this.host.containerChanged('running');
      this.ended = false;
      this.sizing.connected();
      return;
    }
    if (name === 'failed') {
      this.host.containerChanged('gone');
      return;
    }
    this.mute();
    // A page just opened may be typed into at once; what is typed after a loss might come as a surprise later.
    this.keeping = name === 'connecting' && !this.wasLive;
    this.feed.clear();
    this.outgoing.clear();
    this.host.latency(this, null);
    if (this.ended) return;
    const { paths } = this.host;
    const now = { label: 'Now', run: () => this.#connectNow() };
    if (name === 'connecting') this.note.show('Connecting…', { tone: 'quiet' });
    else if (name === 'waiting' && !navigator.onLine) this.note.show('No network. Reconnecting', { until, actions: [now] });
    else if (name === 'waiting') this.note.show('Reconnecting', { until, actions: [now] });
    else if (name === 'stopped') this.#exit({ reason: 'stopped', message: 'The container is stopped.' });
    else if (name === 'sessionOver') {
      this.note.show('Your session is over.', { actions: [{ label: 'Log in', href: paths.login }] });
    } else if (name === 'gone') {
      this.note.show('This container is gone.', { actions: [{ label: 'Containers', href: paths.list }] });
      this.host.containerChanged('gone');
    } else this.note.show('The server closed the connection.', { actions: [{ ...now, label: 'Connect' }] });
  }

  #connectNow() {
    this.connection.connect();
    this.terminal.focus();
  }

  #frame(frame) {
    if (frame.type === 'exit') this.#exit(frame);
    else if (frame.state === 'replay') this.#replay();
    else if (frame.state === 'live') this.feed.then(() => this.#goLive());
    else if (frame.state === 'size') this.sizing.decided(frame);
    else if (frame.state === 'usage') this.host.usage(frame);
    else if (frame.state === 'skipped') this.#skipped(frame.bytes);
    else if (frame.state === 'unreachable') {
      this.mute();
      this.note.show(`${frame.message} Trying again`, { until: performance.now() + frame.retry_in * 1000 });
    }
  }

  #replay() {
    const { kept } = this;
    this.mute();
    this.keeping = true;
    this.kept = kept;
    this.feed.then(() => this.terminal.reset());
  }

  #goLive() {
    // The connection may have been lost while the replay was being drawn.
    if (!this.connection.open) return;
    this.muted = false;
    this.wasLive = true;
    this.panel.ariaBusy = 'false';
    this.keeping = false;
    this.connection.settled();
    this.#settle();
    if (this.kept) this.outgoing.push(utf8(this.kept));
    this.kept = '';
    this.connection.ping();
  }

  #settle() {
    if (this.sizing.owner) this.note.hide();
    else this.note.show('Sized by another window. Typing here takes it over.', { tone: 'quiet' });
    this.panel.toggleAttribute('data-guest', !this.sizing.owner);
  }

  #skipped(bytes) {
    const megabytes = (bytes / MB).toFixed(1);
    this.note.flash(`${megabytes} MB came faster than they could be shown and were left out.`, SKIP_NOTE_MS);
  }

  #exit({ reason, message }) {
    this.ended = true;
    this.mute();
    this.note.show(message, { actions: this.host.exitActions(this, reason) });
    if (AFTER[reason]) this.host.containerChanged(AFTER[reason]);
    if (reason === 'stopped') this.connection.comeBackWhenRunning();
  }
}
