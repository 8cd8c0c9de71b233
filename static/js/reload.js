// A script that did not arrive, because the network changed just then, leaves its part of the page dead. Such a page
// is fetched again by itself, and says so where that does not help.

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

// `data-needed-by` of a script selects what is dead without it, `data-without` names the notice that says so, and
// `data-brings` the global of one that runs before this module and whose loss nobody heard.
export function watchScripts() {
  const missing = new Set(document.querySelectorAll("script[data-needed-by]"));

  function arrived(script) {
    // Counted until all are here: one that comes would hide that another never does.
    if (missing.delete(script) && !missing.size && reloads()) remember(0);
  }

  function lost(script) {
    if (!missing.has(script) || !document.querySelector(script.dataset.neededBy)) return;
    const count = reloads();
    if (count < MOST) {
      remember(count + 1);
      setTimeout(() => location.reload(), PAUSE_MS);
    } else {
      document.getElementById(script.dataset.without).hidden = false;
    }
  }

  for (const script of document.querySelectorAll("script[data-brings]")) {
    (script.dataset.brings in window ? arrived : lost)(script);
  }
  document.addEventListener("error", (event) => lost(event.target), true);
  document.addEventListener("load", (event) => arrived(event.target), true);
}
