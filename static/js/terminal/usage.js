/** How much of its limits a container uses now: asked for only while somebody looks at them. */

const EVERY_MS = 3_000;
const MB = 1024 * 1024;
const GB = 1024 * MB;

const WORDS = {
  memory: (bytes) => (bytes < GB ? `${Math.round(bytes / MB)} MB` : `${(bytes / GB).toFixed(1)} GB`),
  cpus: (count) => count.toFixed(2),
  pids: (count) => String(count),
};

export class Usage {
  /**
   * @param {() => void} ask sends the question; the answer goes to `show`.
   * @param {AbortSignal} signal ends the asking.
   */
  constructor(ask, signal) {
    this.ask = ask;
    this.below = document.getElementById('below');
    if (!this.below) return;
    const asking = setInterval(() => this.#look(), EVERY_MS);
    this.below.addEventListener('toggle', () => this.#look(), { signal });
    signal.addEventListener('abort', () => {
      clearInterval(asking);
      this.show({});
    });
  }

  /** @param {object} figures of the container; what is not among them is shown as the limit alone. */
  show(figures) {
    this.unanswered = false;
    for (const part of this.below.querySelectorAll('[data-usage]')) {
      const { usage, limit } = part.dataset;
      const figure = figures[usage] ?? null;
      const meter = part.querySelector('meter');
      meter.toggleAttribute('data-unknown', figure === null);
      meter.value = figure ?? 0;
      part.querySelector('[data-words]').textContent = figure === null ? limit : `${WORDS[usage](figure)} of ${limit}`;
    }
  }

  #look() {
    if (!this.below.open || document.hidden) return;
    // What was true a while ago is not shown as if it were so now.
    if (this.unanswered) this.show({});
    this.unanswered = true;
    this.ask();
  }
}
