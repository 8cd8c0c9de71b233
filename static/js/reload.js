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

// `data-needed-by` of a script names the part of the page that is dead without it; `data-unloaded` says so.
export function watchScripts() {
  document.addEventListener(
    "error",
    (event) => {
      const part = event.target.dataset?.neededBy;
      if (!part || !document.querySelector(part)) return;
      const count = reloads();
      if (count < MOST) {
        remember(count + 1);
        setTimeout(() => location.reload(), PAUSE_MS);
      } else {
        for (const notice of document.querySelectorAll("[data-unloaded]")) notice.hidden = false;
      }
    },
    true,
  );
  document.addEventListener(
    "load",
    (event) => {
      if (event.target.dataset?.neededBy && reloads()) remember(0);
    },
    true,
  );
}
