/** A terminal that fills the screen, or where the browser cannot do that, its window. */

/**
 * @param {HTMLElement} element fills the screen.
 * @param {HTMLButtonElement} button switches; its `aria-pressed` tells.
 * @param {AbortSignal} signal ends it.
 * @param {() => void} changed is called after each switch.
 */
export function bindFullScreen(element, button, signal, changed) {
  const show = (full) => {
    element.classList.toggle('terminal-full', full);
    button.setAttribute('aria-pressed', String(full));
    changed();
  };
  button.addEventListener('click', async () => {
    if (!element.requestFullscreen) show(!element.classList.contains('terminal-full'));
    else if (document.fullscreenElement === element) await document.exitFullscreen();
    else {
      await element.requestFullscreen();
      // Esc belongs to the program in the terminal; held down it still leaves.
      await navigator.keyboard?.lock?.(['Escape']);
    }
  }, { signal });
  document.addEventListener('fullscreenchange', () => {
    const full = document.fullscreenElement === element;
    if (!full) navigator.keyboard?.unlock?.();
    show(full);
  }, { signal });
}
