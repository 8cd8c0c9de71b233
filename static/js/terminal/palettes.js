/** The two palettes of the terminal, and the page's scheme that chooses between them. */

const DARK = {
  background: '#14171a', foreground: '#d6dbdf', cursor: '#5fd38d', cursorAccent: '#14171a',
  selectionBackground: '#2f4a5c', selectionInactiveBackground: '#2a3238',
  black: '#2b3136', red: '#f2777a', green: '#7bcf8f', yellow: '#e0b95c',
  blue: '#74aef5', magenta: '#cf97e8', cyan: '#5cc8c4', white: '#c3cad0',
  brightBlack: '#87919a', brightRed: '#ff9a9c', brightGreen: '#9be3ab', brightYellow: '#f3d283',
  brightBlue: '#9cc7ff', brightMagenta: '#e2b8f5', brightCyan: '#8be0dd', brightWhite: '#f2f5f7',
};

const LIGHT = {
  background: '#fbfcfc', foreground: '#23292e', cursor: '#11733b', cursorAccent: '#fbfcfc',
  selectionBackground: '#bcd9ee', selectionInactiveBackground: '#dde4e9',
  black: '#23292e', red: '#b3261e', green: '#1a6e37', yellow: '#7c5600',
  blue: '#1c5fb0', magenta: '#8a3aa8', cyan: '#0f6b72', white: '#5d666e',
  brightBlack: '#5d666e', brightRed: '#c9372c', brightGreen: '#227d43', brightYellow: '#8a6100',
  brightBlue: '#2a6cc4', brightMagenta: '#9a47ba', brightCyan: '#16777e', brightWhite: '#23292e',
};

const SEARCH = {
  dark: {
    matchBackground: '#4d4420', activeMatchBackground: '#7a5f10', activeMatchBorder: '#f3d283',
    matchOverviewRuler: '#e0b95c', activeMatchColorOverviewRuler: '#f3d283',
  },
  light: {
    matchBackground: '#f5e7b8', activeMatchBackground: '#ffd24d', activeMatchBorder: '#7c5600',
    matchOverviewRuler: '#7c5600', activeMatchColorOverviewRuler: '#b3261e',
  },
};

const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

/** @returns {"dark"|"light"} the scheme that the page is shown in now. */
export function scheme() {
  const declared = getComputedStyle(document.documentElement).colorScheme;
  const dark = declared.includes('dark');
  const light = declared.includes('light');
  if (dark !== light) return dark ? 'dark' : 'light';
  return prefersDark.matches ? 'dark' : 'light';
}

/** @returns {object} the colours for xterm's option `theme`. */
export function palette() {
  return scheme() === 'dark' ? DARK : LIGHT;
}

/** @returns {object} the colours for the search add-on's option `decorations`. */
export function searchColours() {
  return SEARCH[scheme()];
}

/**
 * Calls back whenever the page may have changed its scheme: by its own switch or by the system's.
 *
 * @param {() => void} callback
 * @param {AbortSignal} signal ends it.
 */
export function onSchemeChange(callback, signal) {
  document.addEventListener('rexec:theme', callback, { signal });
  prefersDark.addEventListener('change', callback, { signal });
}
