// A message that passes after a while, unless it is bad news or someone is on it.
//   component « toast »; from scripts lib/say.js toast()
const STAY_MS = 7000;

export default function toast(piece) {
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    if (!piece.classList.contains("v-toast-bad")) timer = setTimeout(() => piece.remove(), STAY_MS);
  };
  piece.addEventListener("mouseenter", () => clearTimeout(timer));
  piece.addEventListener("mouseleave", wait);
  piece.addEventListener("focusin", () => clearTimeout(timer));
  piece.addEventListener("focusout", wait);
  piece.querySelector("[data-dismiss]").addEventListener("click", () => piece.remove());
  wait();
  return () => clearTimeout(timer);
}
