// The technical back office: the theme, and the panels that unfold leaves to Alpine (which our policy of
// content does not run): what its x-on:click would switch is found by the words in it.
const theme = document.documentElement.dataset.theme;
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => {
  document.documentElement.classList.toggle("dark", theme === "dark" || (theme !== "light" && dark.matches));
};
paint();
dark.addEventListener("change", paint);

const PANELS = [
  ["sidebarMobileOpen", ":has(> * > #nav-sidebar)", "is-open"],
  ["sidebarDesktopOpen", ":has(> * > #nav-sidebar)", "is-shut"],
  ["openUserLinks = !", "[x-show=openUserLinks]", "is-open"],
  ["filterOpen", "#changelist-filter", "is-open"],
];

document.addEventListener("DOMContentLoaded", () => {
  for (const [word, place, name] of PANELS) {
    const panel = document.querySelector(place);
    for (const button of document.querySelectorAll(`[x-on\\:click*="${word}"]`)) {
      if (!panel) continue;
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.addEventListener("click", () => panel.classList.toggle(name));
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll(".is-open")) open.classList.remove("is-open");
});
