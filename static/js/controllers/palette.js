// Search and actions: commands of the frame and of the page at once, the server's results while typing.
//   <dialog id="palette" data-controller="palette" data-search-url="…"> (component « palette »)
// What the page offers: any visible element with data-command="Reply" (and data-key="e").
import { getJson } from "../lib/http.js";
import { reachable } from "../lib/keys.js";
import { announce } from "../lib/say.js";
import { text } from "../lib/texts.js";

const PATIENCE_MS = 150;

function folded(words) {
  return words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

export default function palette(dialog) {
  const box = dialog.querySelector("input");
  const page = dialog.querySelector("[data-page]");
  const found = dialog.querySelector("[data-found]");
  const none = dialog.querySelector("[data-none]");
  let timer = 0;
  let request = null;

  const options = () => [...dialog.querySelectorAll("[role=option]")].filter((o) => !o.hidden);
  const chosen = () => dialog.querySelector("[role=option][aria-selected=true]");

  function mark(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  }

  function piece(id, icon, label, sub = "") {
    const option = document.createElement("div");
    option.id = id;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const shape = dialog.querySelector(`template[data-icon="${icon}"]`)
      ?? dialog.querySelector('template[data-icon="arrow-right"]');
    const words = document.createElement("span");
    words.className = "v-grow";
    words.textContent = label;
    option.append(shape.content.cloneNode(true), words);
    if (sub) {
      const small = document.createElement("small");
      small.className = "v-sub";
      small.textContent = sub;
      option.append(small);
    }
    return option;
  }

  function offerPage() {
    page.querySelectorAll("[role=option]").forEach((option) => option.remove());
    [...document.querySelectorAll("[data-command]")].filter(reachable).forEach((element, at) => {
      const option = piece(`palette-page-${at}`, "arrow-right", element.dataset.command);
      if (element.dataset.key) {
        const key = document.createElement("kbd");
        key.className = "v-kbd";
        key.textContent = element.dataset.key;
        option.append(key);
      }
      option.act = () => element.click();
      page.append(option);
    });
  }

  function sift() {
    const words = folded(box.value.trim()).split(/\s+/).filter(Boolean);
    dialog.querySelectorAll("[role=option]:not([data-found] [role=option])").forEach((option) => {
      const label = folded(option.textContent);
      option.hidden = !words.every((word) => label.includes(word));
    });
    dialog.querySelectorAll("[role=group]").forEach((group) => {
      group.hidden = !group.querySelector("[role=option]:not([hidden])");
    });
    const all = options();
    none.hidden = all.length > 0 || timer > 0;
    mark(all[0]);
    return all.length;
  }

  function show(groups) {
    found.replaceChildren(...groups.filter((group) => group.items.length).map((group, at) => {
      const section = document.createElement("div");
      section.setAttribute("role", "group");
      section.setAttribute("aria-labelledby", `palette-found-${at}`);
      const heading = document.createElement("span");
      heading.className = "v-menu-h";
      heading.id = `palette-found-${at}`;
      heading.textContent = group.label;
      section.append(heading, ...group.items.map((item, index) => {
        const option = piece(`palette-found-${at}-${index}`, item.icon, item.label, item.sub);
        option.dataset.url = item.url;
        return option;
      }));
      return section;
    }));
  }

  async function search() {
    request?.abort();
    request = new AbortController();
    try {
      const url = new URL(dialog.dataset.searchUrl, location.href);
      url.searchParams.set("q", box.value.trim());
      const { groups } = await getJson(url, request.signal);
      timer = 0;
      show(groups);
      announce(text("results", { count: sift() }));
    } catch (error) {
      if (error.name === "AbortError") return;
      timer = 0;
      show([]);
      sift();
      announce(error.message);
    }
  }

  function typed() {
    clearTimeout(timer);
    timer = 0;
    if (dialog.dataset.searchUrl && box.value.trim().length > 1) timer = setTimeout(search, PATIENCE_MS);
    else show([]);
    sift();
  }

  function run(option) {
    if (!option) return;
    dialog.close();
    if (option.act) option.act();
    else location.assign(option.dataset.url);
  }

  dialog.addEventListener("dialog:open", () => {
    box.value = "";
    offerPage();
    show([]);
    sift();
    box.focus();
  });
  box.addEventListener("input", typed);
  box.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      mark(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(chosen());
    }
  });
  dialog.addEventListener("click", (event) => run(event.target.closest("[role=option]")));
}
