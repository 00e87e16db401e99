// Theme, density and single-key shortcuts: applied at once, then kept on the server; undone if refused.
//   <div data-controller="preferences" data-url="…"><button data-set="theme" data-value="dark">…
//   <label data-controller="preferences" data-url="…"><input type="checkbox" data-set="shortcuts"
//          data-value="on" data-value-off="off">
import { post } from "../lib/http.js";
import { announce, toast } from "../lib/say.js";
import { text } from "../lib/texts.js";

const root = document.documentElement;

function press(name) {
  document.querySelectorAll(`button[data-set="${name}"]`).forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.value === root.dataset[name]));
  });
}

export default function preferences(element) {
  const choose = async (name, value) => {
    const before = root.dataset[name];
    root.dataset[name] = value;
    press(name);
    announce(text("preference_changed"));
    if (!element.dataset.url) return;
    try {
      await post(element.dataset.url, { [name]: value });
    } catch (error) {
      root.dataset[name] = before;
      press(name);
      toast(error.message, "error");
    }
  };
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-set]");
    if (button) choose(button.dataset.set, button.dataset.value);
  });
  element.addEventListener("change", ({ target }) => {
    if (!target.dataset.set) return;
    choose(target.dataset.set, target.checked ? target.dataset.value : target.dataset.valueOff);
  });
}
