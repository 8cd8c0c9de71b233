/** <rexec-terminal>: the shells of one container, their tabs, and the tools around them. */

import { Bell } from './bell.js';
import { bindFullScreen } from './fullscreen.js';
import { KeyBar } from './keybar.js';
import { onSchemeChange, palette } from './palettes.js';
import { Preferences } from './preferences.js';
import { SearchBar } from './search.js';
import { Shell } from './shell.js';
import { MAIN, Tabs, tabName } from './tabs.js';
import { Usage } from './usage.js';
import { followKeyboard } from './viewport.js';

const PING_EVERY_MS = 10_000;
const TYPED_INTO = 'input, textarea, select, [contenteditable]';

export class RexecTerminal extends HTMLElement {
  connectedCallback() {
    if (this.life) return;
    this.life = new AbortController();
    this.shells = new Map();
    this.preferences = new Preferences(this.life.signal);
    this.panels = this.querySelector('[data-panels]');
    this.#tools();
    this.#tabs();
    this.#follow();
    // A person who is typing somewhere else goes on typing there.
    this.quiet = document.activeElement?.matches(TYPED_INTO);
    this.tabs.restore();
    this.quiet = false;
  }

  disconnectedCallback() {
    this.life?.abort();
    this.life = null;
    clearInterval(this.pinging);
    for (const shell of this.shells.values()) shell.close();
    this.shells.clear();
    this.panels.replaceChildren();
    this.tabs.clear();
  }

  /** @returns {string} what the shown shell has on its screen and above it. */
  text() {
    return this.shell.text();
  }

  /** @returns {Shell} the one that is shown. */
  get shell() {
    return this.shells.get(this.tabs.active);
  }

  #tools() {
    const { signal } = this.life;
    const part = (name) => this.querySelector(`[data-part="${name}"]`);
    this.bell = new Bell(signal);
    this.keyBar = new KeyBar(part('keys'), () => this.shell.terminal, signal);
    this.searchBar = new SearchBar(part('search'), () => this.shell, signal);
    this.usage = new Usage(() => this.shells.get(MAIN)?.connection.control({ type: 'usage' }), signal);
    bindFullScreen(this, part('full-screen'), signal, () => this.shell?.terminal.focus());
    followKeyboard(this, signal);
    this.addEventListener('click', (event) => this.#act(event), { signal });
  }

  #tabs() {
    const strip = this.querySelector('[role="tablist"]');
    const add = this.querySelector('[data-part="add"]');
    this.tabs = new Tabs(strip, add, `rexec.tabs:${this.dataset.socket}`, {
      opened: (number) => this.#open(number),
      selected: (number) => this.#select(number),
      closed: (number) => this.#close(number),
    }, this.life.signal);
  }

  #follow() {
    const { signal } = this.life;
    const restyle = () => {
      this.style.setProperty('--terminal-background', palette().background);
      this.#showChoices();
      for (const shell of this.shells.values()) shell.restyle();
    };
    onSchemeChange(restyle, signal);
    this.preferences.addEventListener('change', restyle, { signal });
    restyle();
    this.pinging = setInterval(() => document.hidden || this.shell.connection.ping(), PING_EVERY_MS);
  }

  #open(number) {
    const panel = this.querySelector('template[data-panel]').content.firstElementChild.cloneNode(true);
    panel.id = `terminal-panel-${number}`;
    panel.ariaLabel = tabName(number);
    this.panels.append(panel);
    this.shells.set(number, new Shell(number, panel, this.#host()));
    return panel.id;
  }

  #host() {
    const { socket, status, login, list } = this.dataset;
    return {
      paths: { socket, status, login, list },
      preferences: this.preferences,
      typed: (text) => this.keyBar.apply(text),
      bell: (shell) => {
        this.bell.ring();
        this.tabs.ring(shell.number);
      },
      latency: (shell, milliseconds) => shell === this.shell && this.#latency(milliseconds),
      usage: (figures) => this.usage.show(figures),
      exitActions: (shell, reason) => this.#exitActions(shell, reason),
      containerChanged: (state) =>
        this.dispatchEvent(new CustomEvent('rexec:container-changed', { bubbles: true, detail: { state } })),
      search: () => this.searchBar.open(),
    };
  }

  #select(number) {
    this.searchBar.close();
    for (const [other, shell] of this.shells) {
      shell.panel.inert = other !== number;
      shell.panel.toggleAttribute('data-shown', other === number);
    }
    // The first shell lives as long as the container.
    this.querySelector('[data-part="close"]').disabled = number === MAIN;
    this.#latency(null);
    this.shell.connection.ping();
    if (!this.quiet) this.shell.terminal.focus();
  }

  #close(number) {
    const shell = this.shells.get(number);
    shell.finish();
    shell.panel.remove();
    this.shells.delete(number);
  }

  #latency(milliseconds) {
    const badge = document.querySelector('[data-latency]');
    if (badge) badge.textContent = milliseconds === null ? '' : `${Math.max(1, Math.round(milliseconds))} ms`;
  }

  #exitActions(shell, reason) {
    if (reason === 'deleted') return [{ label: 'Containers', href: this.dataset.list }];
    if (reason === 'stopped') {
      const form = this.querySelector('template[data-start]').content.firstElementChild;
      return [{ form: form.cloneNode(true) }];
    }
    const again = { label: 'Open again', run: () => this.#reopen(shell.number) };
    return [again, { label: 'Close', run: () => this.tabs.close(shell.number) }];
  }

  #reopen(number) {
    this.#close(number);
    this.#open(number);
    this.#select(number);
  }

  #showChoices() {
    for (const button of this.querySelectorAll('[data-choice]')) {
      button.setAttribute('aria-pressed', String(this.preferences.values[button.dataset.choice]));
    }
  }

  #act(event) {
    const button = event.target.closest('[data-action], [data-choice]');
    if (!button) return;
    const { action, choice } = button.dataset;
    if (choice) this.preferences.set(choice, !this.preferences.values[choice]);
    else if (action === 'search') this.searchBar.open();
    else if (action === 'copy') this.shell.copy();
    else if (action === 'paste') this.shell.paste();
    else if (action === 'larger') this.preferences.changeFontSize(1);
    else if (action === 'smaller') this.preferences.changeFontSize(-1);
    else if (action === 'clear') this.shell.clearScrollback();
    else if (action === 'close') this.tabs.close(this.tabs.active);
    button.closest('details')?.removeAttribute('open');
    if (action !== 'search') this.shell.terminal.focus();
  }
}
