// A container's page: the head follows the container also when nothing is polled.

const AGAIN_MS = 1000;
let latest = 0;

function fetchPart(part, swap) {
  const { containerId } = document.getElementById("container").dataset;
  return window.htmx.ajax("GET", `/containers/${containerId}/status`, { target: part, select: part, swap });
}

// The terminal learns first that its container runs, has stopped or is gone; what it showed stays, the head says so. The
// row comes later: the head is asked for until it says the same, and a page whose container is deleted is led away by the
// answer. What failed has no terminal: why, and what to do about it, take its place.
async function follow(expected, turn) {
  await fetchPart("#container-head", "outerMorph");
  const { state } = document.getElementById("container-head").dataset;
  if (state === "failed") await fetchPart("#container", "outerHTML");
  else if (state !== expected) setTimeout(() => turn === latest && follow(expected, turn), AGAIN_MS);
}

document.addEventListener("rexec:container-changed", ({ detail }) => {
  latest += 1;
  follow(detail.state, latest);
});
