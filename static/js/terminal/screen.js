/** One xterm.js screen with its add-ons, in our colours. */

import { FitAddon } from '../../vendor/xterm/addon-fit.mjs';
import { SearchAddon } from '../../vendor/xterm/addon-search.mjs';
import { WebLinksAddon } from '../../vendor/xterm/addon-web-links.mjs';
import { Terminal } from '../../vendor/xterm/xterm.mjs';
import { documentWithNonce, pageNonce } from './nonce.js';
import { palette } from './palettes.js';
import { scrollByTouch } from './touch.js';

const SCROLLBACK_LINES = 10_000;
// What programs colour by hand is lifted to AA against our background.
const CONTRAST = 4.5;

function openLink(event, address) {
  if (event.ctrlKey || event.metaKey) window.open(address, '_blank', 'noopener,noreferrer');
}

function linkHints(stage) {
  return {
    hover: (_event, address) => {
      stage.title = `${address}\nCtrl+click opens it`;
    },
    leave: () => stage.removeAttribute('title'),
  };
}

function options(stage, values) {
  return {
    // The search add-on marks what it found with decorations, which xterm.js counts among its proposals.
    allowProposedApi: true,
    documentOverride: documentWithNonce(pageNonce()),
    scrollback: SCROLLBACK_LINES,
    minimumContrastRatio: CONTRAST,
    fontFamily: getComputedStyle(stage).fontFamily,
    fontSize: values.fontSize,
    screenReaderMode: values.screenReader,
    theme: palette(),
    // A long touch: there is no other way to select with a finger.
    rightClickSelectsWord: window.matchMedia('(pointer: coarse)').matches,
    macOptionIsMeta: true,
    linkHandler: { activate: openLink, ...linkHints(stage) },
  };
}

/**
 * @param {HTMLElement} stage where the screen goes; it must be in the page.
 * @param {{fontSize: number, screenReader: boolean}} values what the person chose.
 * @returns {{terminal: Terminal, fit: FitAddon, search: SearchAddon}}
 */
export function makeScreen(stage, values) {
  const terminal = new Terminal(options(stage, values));
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new WebLinksAddon(openLink, linkHints(stage)));
  terminal.open(stage);
  scrollByTouch(terminal);
  return { terminal, fit, search };
}

function textOf(terminal, from, to) {
  const buffer = terminal.buffer.active;
  const lines = [];
  for (let row = from; row < to; row += 1) {
    const line = buffer.getLine(row);
    if (line.isWrapped && lines.length) lines.push(lines.pop() + line.translateToString(true));
    else lines.push(line.translateToString(true));
  }
  return lines.join('\n').trimEnd();
}

/** @param {Terminal} terminal @returns {string} what is selected, or else what is in sight. */
export function selectedText(terminal) {
  if (terminal.hasSelection()) return terminal.getSelection();
  const { viewportY } = terminal.buffer.active;
  return textOf(terminal, viewportY, viewportY + terminal.rows);
}

/** @param {Terminal} terminal @returns {string} everything it holds, line by line, long lines joined again. */
export function screenText(terminal) {
  return textOf(terminal, 0, terminal.buffer.active.length);
}
