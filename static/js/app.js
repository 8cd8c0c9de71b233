// What every page does once scripts run. Pages work without it: buttons submit, menus open, messages stay.
import { watchKeys } from "./keys.js";
import { watchTheme } from "./theme.js";

const MESSAGE_STAYS_MS = 8000;

function setBusy(button, busy) {
  button.disabled = busy;
  if (busy) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

// A form is sent once; its button says what it does until the answer comes.
function watchForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    if (!button?.dataset.busy) return;
    form.dataset.sent = "1";
    // Later, because a disabled button's own name and value would not be sent.
    setTimeout(() => setBusy(button, true));
  });
}

function restoreForms() {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[data-busy][aria-busy]")) setBusy(button, false);
}

function dismiss(toast) {
  toast.classList.add("leaving");
  setTimeout(() => toast.remove(), 150);
}

function watchToasts() {
  document.addEventListener("click", (event) => {
    const toast = event.target.closest("[data-dismiss]")?.closest(".toast");
    if (toast) dismiss(toast);
  });
  for (const toast of document.querySelectorAll('.toast[data-toast="ok"]')) {
    setTimeout(function leave() {
      if (toast.matches(":hover, :focus-within")) setTimeout(leave, MESSAGE_STAYS_MS);
      else dismiss(toast);
    }, MESSAGE_STAYS_MS);
  }
}

function watchMenus() {
  const close = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (!opener) return;
    close(null);
    document.getElementById(opener.dataset.opens).showModal();
  });
}

// The tab says the state of the page's container: its title and icon follow the fragment that was polled last.
function showPageState() {
  const state = document.querySelector("[data-page-title]");
  if (!state) return;
  if (document.title !== state.dataset.pageTitle) document.title = state.dataset.pageTitle;
  const link = document.querySelector("link[rel=icon]");
  if (link.getAttribute("href") !== state.dataset.pageIcon) link.setAttribute("href", state.dataset.pageIcon);
}

function watchPolling() {
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.detail.ctx.sourceEvent?.type === "every") event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", showPageState);
  document.addEventListener("htmx:finally:request", restoreForms);
}

watchForms();
watchToasts();
watchMenus();
watchPolling();
watchKeys();
watchTheme();
showPageState();
window.addEventListener("pageshow", restoreForms);
