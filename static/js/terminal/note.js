/** The words at the bottom edge of a terminal: there only when something is not as usual. */

const SECOND_MS = 1000;

function control(action) {
  if (action.form) return action.form;
  const element = document.createElement(action.href ? 'a' : 'button');
  element.className = 'terminal-note-action';
  element.textContent = action.label;
  if (action.href) {
    element.href = action.href;
  } else {
    element.type = 'button';
    element.addEventListener('click', action.run);
  }
  return element;
}

export class Note {
  /** @param {HTMLElement} element empty, with role="status". */
  constructor(element) {
    this.element = element;
    this.standing = null;
    this.timers = [];
  }

  /**
   * Shows a sentence until it is replaced.
   *
   * @param {string} text
   * @param {{actions?: object[], tone?: "quiet"|"warn", until?: number}} [options] actions are `{label, run}`, `{label, href}`
   *   or `{form}`; a time `until`, by `performance.now()`, is counted down behind the text.
   */
  show(text, options = {}) {
    this.standing = [text, options];
    this.#draw(text, options);
  }

  /** Shows a sentence for some milliseconds, then what stood there before. */
  flash(text, forMs) {
    this.#draw(text, { tone: 'quiet' });
    this.timers.push(setTimeout(() => (this.standing ? this.show(...this.standing) : this.hide()), forMs));
  }

  /** Takes the note away. */
  hide() {
    this.standing = null;
    this.#clear();
    this.element.hidden = true;
  }

  #clear() {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.element.replaceChildren();
  }

  #draw(text, { actions = [], tone = 'warn', until = 0 }) {
    this.#clear();
    const words = document.createElement('span');
    words.append(text);
    if (until) this.#countDown(words, until);
    this.element.dataset.tone = tone;
    this.element.append(words, ...actions.map(control));
    this.element.hidden = false;
  }

  #countDown(words, until) {
    const left = document.createElement('span');
    // The sentence is read out once, not every second.
    left.ariaHidden = 'true';
    words.append(left);
    const tick = () => {
      const rest = until - performance.now();
      left.textContent = rest > 0 ? ` in ${Math.ceil(rest / SECOND_MS)} s` : '';
      if (rest > 0) this.timers.push(setTimeout(tick, rest % SECOND_MS || SECOND_MS));
    };
    tick();
  }
}
