// Tells the person: announce() to readers only, toast() to everyone.
export function announce(words) {
  const region = document.getElementById("announce");
  region.textContent = "";
  setTimeout(() => { region.textContent = words; }, 50); // the same words twice are said twice
}

// `action` { label, act }: a button that does it, after which the message goes.
export function toast(words, level = "success", action = null) {
  const bad = level === "error" || level === "warning";
  const shape = document.getElementById(bad ? "toast-template-bad" : "toast-template");
  const piece = shape.content.firstElementChild.cloneNode(true);
  piece.querySelector("p").textContent = words;
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "v-btn v-btn-s";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      piece.remove();
      action.act();
    });
    piece.querySelector("p").after(button);
  }
  document.getElementById("toasts").append(piece);
  return piece;
}
