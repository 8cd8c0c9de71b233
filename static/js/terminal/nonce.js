/**
 * Makes xterm.js pass `style-src 'self' 'nonce-…'`, which allows styles set through the CSSOM and <style> elements with our nonce.
 *
 * xterm.js makes <style> elements without a nonce and writes colours with setAttribute("style"). It can be handed a document for
 * most of what it makes, but its scroll bar and its cells take the page's own. So the nonce is added where a <style> is put in,
 * which always is an element of the document handed over; and a <span>, on this page, takes its style through the CSSOM.
 */

function addingNonce(nonce) {
  return function appendChild(child) {
    if (child instanceof HTMLStyleElement) child.nonce = nonce;
    return Node.prototype.appendChild.call(this, child);
  };
}

/**
 * @param {string} nonce the nonce of this page's Content-Security-Policy.
 * @returns {Document} the page's document, for xterm's option `documentOverride`.
 */
export function documentWithNonce(nonce) {
  const appendChild = addingNonce(nonce);
  const createElement = (tag) => Object.assign(document.createElement(tag), { appendChild });
  const bound = new Map([['createElement', createElement]]);
  return new Proxy(document, {
    get(target, property) {
      if (bound.has(property)) return bound.get(property);
      const value = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      bound.set(property, value.bind(target));
      return bound.get(property);
    },
  });
}

/** @returns {string} the nonce of this page, from the stylesheet that carries it. */
export function pageNonce() {
  return document.querySelector('link[nonce]').nonce;
}

HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
