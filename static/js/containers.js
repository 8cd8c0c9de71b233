// A container's page: the head follows the container also when nothing is polled.

const AGAIN_MS = 1000;
let latest = 0;

// The terminal learns first that its container has stopped; what it showed stays, the head says so. The row comes later:
// the head is asked for until it says the same, and a page whose container is deleted is led away by the answer.
async function follow(runs, turn) {
  const { containerId } = document.getElementById("container").dataset;
  await window.htmx.ajax("GET", `/containers/${containerId}/status`, {
    target: "#container-head",
    select: "#container-head",
    swap: "outerMorph",
  });
  const { state } = document.getElementById("container-head").dataset;
  if (state === "failed" || state === (runs ? "running" : "stopped")) return;
  setTimeout(() => turn === latest && follow(runs, turn), AGAIN_MS);
}

document.addEventListener("rexec:container-changed", ({ detail }) => {
  latest += 1;
  follow(detail.runs, latest);
});
