/** Room for the on-screen keyboard, which covers the page without making it smaller. */

/**
 * Keeps `--keyboard` of the element at the height that is covered, in pixels.
 *
 * @param {HTMLElement} element
 * @param {AbortSignal} signal ends it.
 */
export function followKeyboard(element, signal) {
  const { visualViewport } = window;
  const follow = () => {
    // Zooming with two fingers makes it smaller too; that covers nothing.
    const zoomed = visualViewport.scale > 1.01;
    const seen = visualViewport.offsetTop + visualViewport.height;
    const covered = zoomed ? 0 : Math.max(0, element.getBoundingClientRect().bottom - seen);
    element.style.setProperty('--keyboard', `${Math.round(covered)}px`);
  };
  visualViewport.addEventListener('resize', follow, { signal });
  visualViewport.addEventListener('scroll', follow, { signal });
  follow();
}
