// Changes the colours at once. The server reads the same cookie, so the next page is painted right from the start;
// without scripts the form asks the server to set it.

const YEAR_S = 365 * 24 * 3600;

function choose(theme) {
  const root = document.documentElement;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme === "system" ? 0 : YEAR_S;
  document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  document.dispatchEvent(new CustomEvent("rexec:theme"));
}

/** Take over the theme forms; whoever paints by hand (the terminal) listens for "rexec:theme". */
export function watchTheme() {
  for (const form of document.querySelectorAll("form[data-theme-form]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      choose(event.submitter.value);
      for (const button of form.querySelectorAll("button[name=theme]")) {
        button.setAttribute("aria-pressed", String(button === event.submitter));
      }
    });
  }
}
