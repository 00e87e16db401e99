// Tells the person: announce() to readers only, toast() to everyone.
export function announce(words) {
  const region = document.getElementById("announce");
  region.textContent = "";
  setTimeout(() => { region.textContent = words; }, 50); // the same words twice are said twice
}

export function toast(words, level = "success") {
  const bad = level === "error" || level === "warning";
  const shape = document.getElementById(bad ? "toast-template-bad" : "toast-template");
  const piece = shape.content.firstElementChild.cloneNode(true);
  piece.querySelector("p").textContent = words;
  document.getElementById("toasts").append(piece);
  return piece;
}
