/** Makes <rexec-terminal> work, also where it comes into the page later. */

import { RexecTerminal } from './element.js';

customElements.define('rexec-terminal', RexecTerminal);
