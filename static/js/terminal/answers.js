/**
 * Which terminal queries are answered.
 *
 * A query met in the replay was answered long ago; an answer now would be typed into the shell. And of several windows on one
 * shell only one may answer, or the program reads the same answer twice.
 */

const QUERIES = [
  { final: 'c' }, // primary device attributes
  { prefix: '>', final: 'c' }, // secondary device attributes
  { final: 'n' }, // status, cursor position
  { prefix: '?', final: 'n' },
  { intermediates: '$', final: 'p' }, // is this mode set?
  { prefix: '?', intermediates: '$', final: 'p' },
];
const SETTINGS_QUERY = { intermediates: '$', final: 'q' };
const COLOUR_COMMANDS = [4, 10, 11, 12];

/**
 * @param {import("@xterm/xterm").Terminal} terminal
 * @param {() => boolean} silent whether this window has to leave queries unanswered now.
 */
export function guardAnswers(terminal, silent) {
  for (const query of QUERIES) terminal.parser.registerCsiHandler(query, silent);
  terminal.parser.registerDcsHandler(SETTINGS_QUERY, silent);
  for (const command of COLOUR_COMMANDS) {
    terminal.parser.registerOscHandler(command, (data) => silent() && data.includes('?'));
  }
}
