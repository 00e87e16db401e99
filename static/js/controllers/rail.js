// Folds and unfolds the menu; the choice is kept on the server (data-url).
//   <button data-controller="rail" data-url="…" aria-expanded="true">
import { post } from "../lib/http.js";

export default function rail(button) {
  const app = button.closest(".v-app");
  const wide = () => app.querySelector(".v-rail").offsetWidth > 120;
  const show = () => button.setAttribute("aria-expanded", String(wide()));
  const act = () => {
    app.dataset.rail = wide() ? "compact" : "full";
    show();
    if (button.dataset.url) post(button.dataset.url, { rail: app.dataset.rail }).catch(() => {});
  };
  show();
  button.addEventListener("click", act);
}
