// A container's page: the head follows the container also when nothing is polled.

// The terminal learns first that its container has stopped; what it showed stays, the head says so.
document.addEventListener("rexec:container-changed", () => {
  const live = document.getElementById("container");
  if (!live) return;
  window.htmx.ajax("GET", `/containers/${live.dataset.containerId}/status`, {
    target: "#container-head",
    select: "#container-head",
    swap: "outerMorph",
  });
});
