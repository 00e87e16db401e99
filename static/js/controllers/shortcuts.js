// The keyboard: `/` and Ctrl K open the palette, `?` the map, `g c` and the like go places, and every
// element with data-key="a" acts on that key (a field takes the focus, anything else is clicked).
// Single keys never act while someone types, in a dialog, or when switched off (WCAG 2.1.4).
//   <div class="v-app" data-controller="shortcuts">
import { reachable, singleKey, typing } from "../lib/keys.js";
import { open } from "./dialog.js";

const PATIENCE_MS = 1200;

function use(element) {
  if (typing(element)) element.focus();
  else element.click();
}

function actions() {
  const found = new Map([["/", () => open("palette")], ["?", () => openMap()]]);
  document.querySelectorAll("#palette [data-keys]").forEach((option) => {
    if (option.dataset.keys) found.set(option.dataset.keys, () => location.assign(option.dataset.url));
  });
  document.querySelectorAll("[data-key]").forEach((element) => {
    if (reachable(element)) found.set(element.dataset.key, () => use(element));
  });
  return found;
}

function openMap() {
  const section = document.querySelector("#keys [data-page-keys]");
  const list = section.querySelector("dl");
  list.replaceChildren();
  document.querySelectorAll("[data-key][data-command]").forEach((element) => {
    const key = document.createElement("kbd");
    key.className = "v-kbd";
    key.textContent = element.dataset.key;
    const term = document.createElement("dt");
    term.append(key);
    const words = document.createElement("dd");
    words.textContent = element.dataset.command;
    list.append(term, words);
  });
  section.hidden = list.childElementCount === 0;
  open("keys");
}

export default function shortcuts() {
  let pressed = "";
  let timer = 0;
  const onKey = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return open("palette");
    }
    if (!singleKey(event) || event.key.length > 1) return;
    clearTimeout(timer);
    const known = actions();
    const sequence = [`${pressed} ${event.key}`.trim(), event.key].find(
      (keys) => [...known.keys()].some((k) => k === keys || k.startsWith(`${keys} `)),
    );
    pressed = "";
    if (!sequence) return;
    const act = known.get(sequence);
    if (act) {
      event.preventDefault();
      return act();
    }
    pressed = sequence;
    timer = setTimeout(() => { pressed = ""; }, PATIENCE_MS);
  };
  document.addEventListener("keydown", onKey);
  const opener = document.querySelector('[data-open="keys"]');
  opener?.addEventListener("click", openMap);
  return () => document.removeEventListener("keydown", onKey);
}
