// A pane whose width the person chooses, by mouse or arrow keys; this device remembers it.
//   <nav class="v-pane" data-controller="panes"> first in main: the list; last in main: the context
import { recall, remember } from "../lib/store.js";
import { text } from "../lib/texts.js";

const STEP = 16;

export default function panes(pane) {
  const main = pane.parentElement;
  const first = main.firstElementChild === pane;
  const [name, least, most] = first ? ["--list-w", 180, 420] : ["--ctx-w", 260, 560];
  const grip = document.createElement("div");
  grip.className = `v-resize v-resize-${first ? "list" : "ctx"}`;
  grip.tabIndex = 0;
  grip.setAttribute("role", "separator");
  grip.setAttribute("aria-orientation", "vertical");
  grip.setAttribute("aria-label", text("pane_width"));
  grip.setAttribute("aria-valuemin", least);
  grip.setAttribute("aria-valuemax", most);

  function set(width, keep = true) {
    const chosen = Math.round(Math.max(least, Math.min(most, width)));
    main.style.setProperty(name, `${chosen}px`);
    grip.setAttribute("aria-valuenow", chosen);
    if (keep) remember(`pane:${name}`, chosen);
  }

  function drag(event) {
    const box = main.getBoundingClientRect();
    set(first ? event.clientX - box.left : box.right - event.clientX);
  }

  grip.addEventListener("keydown", (event) => {
    const now = Number(grip.getAttribute("aria-valuenow"));
    const out = first ? 1 : -1;
    const to = {
      ArrowRight: now + STEP * out, ArrowLeft: now - STEP * out, Home: least, End: most,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set(to);
  });
  grip.addEventListener("pointerdown", (event) => {
    grip.setPointerCapture(event.pointerId);
    grip.classList.add("is-dragging");
    grip.addEventListener("pointermove", drag);
  });
  grip.addEventListener("pointerup", () => {
    grip.classList.remove("is-dragging");
    grip.removeEventListener("pointermove", drag);
  });

  const kept = recall(`pane:${name}`);
  if (kept) set(kept, false);
  else grip.setAttribute("aria-valuenow", Math.round(pane.getBoundingClientRect().width));
  main.append(grip);
  return () => grip.remove();
}

// On phones one pane shows at a time; [data-go-pane] chooses which.
document.addEventListener("click", (event) => {
  const pane = event.target.closest("[data-go-pane]")?.dataset.goPane;
  if (!pane) return;
  document.body.dataset.pane = pane;
  const shown = [...document.querySelectorAll(".v-main-panes > .v-pane")].find((each) => each.checkVisibility());
  if (!shown) return;
  shown.tabIndex = -1;
  shown.focus();
});
