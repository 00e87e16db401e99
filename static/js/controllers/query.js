// A form of filters whose address says only what was asked, so that it can be shared and read; its box
// offers what may follow while one writes, by arrow keys. Without an address to ask it is a plain box.
//   <form method="get" data-controller="query" data-offers-url="…" data-offers-label="…"> with input[name=q]
//   <input data-implies="NAME=VALUE">: whoever writes there chooses that, too
import { getJson } from "../lib/http.js";
import { announce } from "../lib/say.js";
import { text } from "../lib/texts.js";

const PATIENCE_MS = 150;

export default function query(form) {
  const onlyAsked = ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  };
  const imply = ({ target }) => {
    const [name, value] = (target.dataset.implies ?? "").split("=");
    if (name && target.value && form.elements[name]) form.elements[name].value = value;
  };
  form.addEventListener("formdata", onlyAsked);
  form.addEventListener("input", imply);
  const box = form.querySelector("input[name=q]");
  const forget = box && form.dataset.offersUrl ? combobox(form, box) : undefined;
  return () => {
    form.removeEventListener("input", imply);
    form.removeEventListener("formdata", onlyAsked);
    forget?.();
  };
}

function combobox(form, box) {
  const list = document.createElement("div");
  list.id = "query-offers";
  list.className = "v-offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.dataset.offersLabel);
  list.hidden = true;
  form.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    box.setAttribute(name, value);
  }
  let timer = 0;
  let request = null;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  // the server counts signs, the browser halves of some
  const signs = (end) => [...box.value.slice(0, end)].length;
  const units = (count) => [...box.value].slice(0, count).join("").length;

  function close() {
    clearTimeout(timer);
    request?.abort();
    list.replaceChildren();
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function mark(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  }

  function piece(offer, at) {
    const option = document.createElement("div");
    option.id = `query-offer-${at}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const words = document.createElement("code");
    words.textContent = offer.text;
    const meaning = document.createElement("span");
    meaning.className = "v-sub";
    meaning.textContent = offer.label;
    option.append(words, meaning);
    option.offer = offer;
    return option;
  }

  async function ask() {
    request?.abort();
    request = new AbortController();
    const url = new URL(form.dataset.offersUrl, location.href);
    url.searchParams.set("q", box.value);
    url.searchParams.set("at", String(signs(box.selectionStart)));
    try {
      const found = await getJson(url, request.signal);
      if (document.activeElement !== box) return;
      list.replaceChildren(...found.options.map(piece));
      list.hidden = found.options.length === 0;
      box.setAttribute("aria-expanded", String(!list.hidden));
      box.removeAttribute("aria-activedescendant");
      if (!list.hidden) announce(text("results", { count: found.options.length }));
    } catch (error) {
      if (error.name !== "AbortError") close(); // what may follow is help: without it one writes on
    }
  }

  function take(option) {
    const { start, end, text: written } = option.offer;
    const open = written.endsWith(":");
    box.setRangeText(open ? written : `${written} `, units(start), units(end), "end");
    close();
    if (open) ask();
  }

  function typed() {
    clearTimeout(timer);
    if (!box.value.trim()) return close();
    timer = setTimeout(ask, PATIENCE_MS);
  }

  function pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const all = options();
      if (!all.length) return ask();
      const at = all.indexOf(chosen());
      return mark(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length]);
    }
    if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      return take(chosen());
    }
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault(); // a search box would be emptied
      event.stopPropagation();
      return close();
    }
  }

  const pointed = (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault(); // the box keeps the focus
    take(option);
  };
  box.addEventListener("input", typed);
  box.addEventListener("keydown", pressed);
  box.addEventListener("blur", close);
  list.addEventListener("mousedown", pointed);
  return () => {
    close();
    list.remove();
    box.removeEventListener("input", typed);
    box.removeEventListener("keydown", pressed);
    box.removeEventListener("blur", close);
  };
}
