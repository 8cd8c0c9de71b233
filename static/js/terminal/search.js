/** The search bar over a terminal. */

import { searchColours } from './palettes.js';

export class SearchBar {
  /**
   * @param {HTMLElement} bar with `[data-search-text]`, `[data-search-count]` and buttons `[data-search]` next, previous, close.
   * @param {() => import("./shell.js").Shell} shell the one that is looked through.
   * @param {AbortSignal} signal ends it.
   */
  constructor(bar, shell, signal) {
    this.bar = bar;
    this.shell = shell;
    this.text = bar.querySelector('[data-search-text]');
    this.count = bar.querySelector('[data-search-count]');
    this.text.addEventListener('input', () => this.find('next', true), { signal });
    bar.addEventListener('keydown', (event) => this.#key(event), { signal });
    bar.addEventListener('click', (event) => {
      const action = event.target.closest('[data-search]')?.dataset.search;
      if (action === 'close') this.close();
      else if (action) this.find(action);
    }, { signal });
  }

  /** Shows the bar, ready to type. */
  open() {
    const selected = this.shell().terminal.getSelection();
    if (selected && !selected.includes('\n')) this.text.value = selected;
    this.bar.hidden = false;
    this.text.select();
    this.text.focus();
    this.#watch();
    if (this.text.value) this.find('previous');
  }

  /** Takes the bar and the marks away and gives the focus back. */
  close() {
    if (this.bar.hidden) return;
    this.watched?.dispose();
    this.bar.hidden = true;
    this.shell().search.clearDecorations();
    this.shell().terminal.focus();
  }

  /**
   * @param {"next"|"previous"} direction
   * @param {boolean} [incremental] whether the match may grow where it is, because the person is still typing.
   */
  find(direction, incremental = false) {
    const { search } = this.shell();
    const options = { incremental, decorations: searchColours() };
    if (!this.text.value) search.clearDecorations();
    else if (direction === 'next') search.findNext(this.text.value, options);
    else search.findPrevious(this.text.value, options);
    if (!this.text.value) this.count.textContent = '';
  }

  #watch() {
    this.watched?.dispose();
    this.watched = this.shell().search.onDidChangeResults(({ resultIndex, resultCount }) => {
      if (!this.text.value) this.count.textContent = '';
      else if (!resultCount) this.count.textContent = 'None';
      else this.count.textContent = resultIndex < 0 ? `${resultCount}` : `${resultIndex + 1} of ${resultCount}`;
    });
  }

  #key(event) {
    if (event.key === 'Escape') this.close();
    else if (event.key === 'Enter' && event.target === this.text) this.find(event.shiftKey ? 'previous' : 'next');
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
