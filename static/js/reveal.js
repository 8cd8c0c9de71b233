// A password can be looked at while it is typed. The button is made here, so that it exists only where it works.
function show(input, button, shown) {
  input.type = shown ? "text" : "password";
  button.textContent = shown ? "Hide" : "Show";
  button.setAttribute("aria-pressed", String(shown));
}

function addButton(input) {
  const focused = document.activeElement === input;
  const pair = document.createElement("div");
  const button = document.createElement("button");
  pair.className = "secret";
  button.type = "button";
  button.className = "button";
  button.setAttribute("aria-controls", input.id);
  button.setAttribute("aria-label", "Show what is typed");
  input.replaceWith(pair);
  pair.append(input, button);
  show(input, button, false);
  button.addEventListener("click", () => show(input, button, input.type === "password"));
  // Sent as a password, so that browsers offer to keep it and never list it among what was typed into text fields.
  input.form.addEventListener("submit", () => show(input, button, false));
  if (focused) input.focus();
}

for (const input of document.querySelectorAll("input[type=password]")) addButton(input);
