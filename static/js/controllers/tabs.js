// Tabs with one stop in the tab order; arrows, Home and End move; the address keeps the open one.
//   component « tabs »; panels are #panel-ID
export default function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  function pick(chosen, focus = true) {
    for (const tab of all) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (panel(tab)) panel(tab).hidden = !on;
    }
    if (focus) {
      chosen.focus();
      history.replaceState(history.state, "", `#${chosen.id}`);
    }
  }

  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) pick(tab);
  });
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    pick(all.at(to % all.length));
  });
  const asked = all.find((tab) => `#${tab.id}` === location.hash);
  if (asked) pick(asked, false);
}
