/** A bell that nobody was there to hear: the browser's tab says so until somebody looks. */

const PREFIX = 'Bell: ';
const ICON = new URL('bell.svg', import.meta.url).href;

export class Bell {
  /** @param {AbortSignal} signal ends it. */
  constructor(signal) {
    this.icon = document.querySelector('link[rel~="icon"]');
    document.addEventListener('visibilitychange', () => document.hidden || this.silence(), { signal });
    window.addEventListener('focus', () => this.silence(), { signal });
    signal.addEventListener('abort', () => this.silence());
  }

  /** Marks the browser's tab, unless a person is looking at it. */
  ring() {
    if (document.hasFocus() || document.title.startsWith(PREFIX)) return;
    document.title = PREFIX + document.title;
    if (!this.icon) return;
    this.before = this.icon.href;
    this.icon.href = ICON;
  }

  /** Takes the mark away. */
  silence() {
    if (!document.title.startsWith(PREFIX)) return;
    document.title = document.title.slice(PREFIX.length);
    if (this.icon) this.icon.href = this.before;
  }
}
