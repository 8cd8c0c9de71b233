/** The strip of tabs: one for each shell, the first of which is always there. */

/** The number of the shell that lives as long as the container. */
export const MAIN = 1;
const LAST = 8;

function stored(key) {
  try {
    const { open, active } = JSON.parse(sessionStorage.getItem(key));
    const further = open.filter((number) => Number.isInteger(number) && number > MAIN && number <= LAST);
    return { open: [MAIN, ...new Set(further)], active };
  } catch {
    // Nothing stored yet, or storage is forbidden.
    return { open: [MAIN], active: MAIN };
  }
}

/** @param {number} number @returns {string} what the tab of that shell is called. */
export const tabName = (number) => (number === MAIN ? 'Main' : `Shell ${number}`);

export class Tabs {
  /**
   * @param {HTMLElement} strip with role="tablist" and a <template> of one tab.
   * @param {HTMLButtonElement} add opens a further shell.
   * @param {string} key under which this browser tab remembers its shells.
   * @param {{opened: Function, selected: Function, closed: Function}} handlers each is called with a tab's number; `opened`
   *   returns the id of the tab's panel.
   * @param {AbortSignal} signal ends it.
   */
  constructor(strip, add, key, handlers, signal) {
    this.strip = strip;
    this.add = add;
    this.key = key;
    this.handlers = handlers;
    this.template = strip.querySelector('template');
    this.tabs = new Map();
    this.active = MAIN;
    add.addEventListener('click', () => this.open(this.#free()), { signal });
    strip.addEventListener('click', (event) => this.#click(event), { signal });
    strip.addEventListener('keydown', (event) => this.#key(event), { signal });
  }

  /** Opens the tabs that were open before a reload. */
  restore() {
    const { open, active } = stored(this.key);
    for (const number of open) this.#make(number);
    this.select(this.tabs.has(active) ? active : MAIN);
  }

  /** @param {number} number opens that tab and goes there. */
  open(number) {
    this.#make(number);
    this.select(number);
  }

  /** @param {number} number shows that tab. */
  select(number) {
    this.active = number;
    for (const [other, item] of this.tabs) {
      const button = item.querySelector('[role="tab"]');
      button.setAttribute('aria-selected', String(other === number));
      button.tabIndex = other === number ? 0 : -1;
    }
    this.tabs.get(number).removeAttribute('data-bell');
    this.#remember();
    this.handlers.selected(number);
  }

  /** @param {number} number closes that tab; the first stays. */
  close(number) {
    if (number === MAIN || !this.tabs.has(number)) return;
    const order = [...this.tabs.keys()];
    const neighbour = order[order.indexOf(number) - 1];
    this.tabs.get(number).remove();
    this.tabs.delete(number);
    this.handlers.closed(number);
    this.select(this.active === number ? neighbour : this.active);
  }

  /** @param {number} number marks a tab that rang while another was shown. */
  ring(number) {
    if (number !== this.active) this.tabs.get(number).setAttribute('data-bell', '');
  }

  /** Takes the tabs off the page; they stay remembered. */
  clear() {
    for (const item of this.tabs.values()) item.remove();
    this.tabs.clear();
  }

  #make(number) {
    const item = this.template.content.firstElementChild.cloneNode(true);
    const button = item.querySelector('[role="tab"]');
    const close = item.querySelector('[data-close]');
    item.dataset.tab = number;
    button.querySelector('[data-name]').textContent = tabName(number);
    button.setAttribute('aria-controls', this.handlers.opened(number));
    if (number === MAIN) close.remove();
    else {
      close.title = `Close ${tabName(number)}`;
      button.setAttribute('aria-keyshortcuts', 'Delete');
    }
    this.tabs.set(number, item);
    this.strip.append(item);
  }

  #free() {
    for (let number = MAIN + 1; number < LAST; number += 1) {
      if (!this.tabs.has(number)) return number;
    }
    return LAST;
  }

  #click(event) {
    const number = Number(event.target.closest('[data-tab]')?.dataset.tab);
    if (!number) return;
    if (event.target.closest('[data-close]')) this.close(number);
    else this.select(number);
  }

  #key(event) {
    const order = [...this.tabs.keys()];
    const here = order.indexOf(this.active);
    const target = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Delete') this.close(this.active);
    else if (target !== undefined) this.select(order.at(target % order.length));
    else return;
    event.preventDefault();
    this.tabs.get(this.active).querySelector('[role="tab"]').focus();
  }

  #remember() {
    this.add.disabled = this.tabs.size >= LAST;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ open: [...this.tabs.keys()], active: this.active }));
    } catch {
      // Storage is forbidden: a reload shows the first shell alone.
    }
  }
}
