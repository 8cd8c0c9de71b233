// A script or style sheet that did not arrive, because the network changed just then, leaves its part of the page dead
// or the page without its shape. Such a page is fetched again by itself, and says so where that does not help. This module
// stands before the others and imports none, so that it sees what becomes of them.

const KEY = "rexec-reloads";
const MOST = 2;
const PAUSE_MS = 300;

function reloads() {
  try {
    return Number(sessionStorage.getItem(KEY));
  } catch {
    return MOST; // Without storage nobody could count.
  }
}

function remember(count) {
  try {
    sessionStorage.setItem(KEY, String(count));
  } catch {
    // Then the page is not fetched again by itself.
  }
}

// Of a style sheet that failed browsers keep none, or one that nobody may read.
function hasRules(link) {
  try {
    return link.sheet.cssRules.length >= 0;
  } catch {
    return false;
  }
}

// `data-needed-by` of a script selects what is dead without it, `data-without` names the notice that says so, and
// `data-brings` the global of one that runs before this module and whose loss nobody heard. A style sheet is always
// needed, and all of a page's have come or failed before a module runs.
function watchParts() {
  const missing = new Set(document.querySelectorAll("script[data-needed-by], link[rel=stylesheet]"));
  let leaving = false;

  function arrived(part) {
    // Counted until all are here: one that comes would hide that another never does.
    if (missing.delete(part) && !missing.size && reloads()) remember(0);
  }

  function lost(part) {
    if (!missing.has(part) || !document.querySelector(part.dataset.neededBy ?? "body")) return;
    if (leaving) return;
    const count = reloads();
    if (count < MOST) {
      leaving = true;
      remember(count + 1);
      setTimeout(() => location.reload(), PAUSE_MS);
    } else {
      document.getElementById(part.dataset.without ?? "not-whole").hidden = false;
    }
  }

  for (const sheet of document.querySelectorAll("link[rel=stylesheet]")) {
    (hasRules(sheet) ? arrived : lost)(sheet);
  }
  for (const script of document.querySelectorAll("script[data-brings]")) {
    (script.dataset.brings in window ? arrived : lost)(script);
  }
  document.addEventListener("error", (event) => lost(event.target), true);
  document.addEventListener("load", (event) => arrived(event.target), true);
}

watchParts();
// Without this the page says by its styles alone, after a while, that a part of it did not arrive.
document.documentElement.dataset.watched = "";
