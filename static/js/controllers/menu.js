// A <details> that behaves as a menu: closes on Esc, outside and after a choice; arrows move in it.
//   <details class="v-menu" data-controller="menu"><summary>…</summary><div class="v-menu-list">…
const OWN_ARROWS = "select, textarea, input:not([type=checkbox])"; // in these arrows choose a value

export default function menu(details) {
  const summary = details.querySelector("summary");
  const items = () => [...details.querySelectorAll(".v-menu-list :is(a, button, input, select):not([disabled], [type=hidden])")];
  const close = (focus) => {
    details.open = false;
    if (focus) summary.focus();
  };
  const outside = (event) => {
    if (details.open && !details.contains(event.target)) close(false);
  };
  details.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && details.open) {
      event.preventDefault();
      return close(true);
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.matches(OWN_ARROWS)) return;
    event.preventDefault();
    details.open = true;
    const all = items();
    const at = all.indexOf(document.activeElement);
    all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length]?.focus();
  });
  details.addEventListener("click", (event) => {
    if (event.target.closest(".v-menu-list a, .v-menu-list button[type=button]")) close(true);
  });
  document.addEventListener("click", outside);
  document.addEventListener("focusin", outside);
  return () => {
    document.removeEventListener("click", outside);
    document.removeEventListener("focusin", outside);
  };
}
