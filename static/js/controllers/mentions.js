// Names of colleagues and units after @ in an internal note: offered while one writes, chosen by arrow keys
// and Enter, inserted as plain words. Says at once whom it would be in vain to name, and why.
//   <div class="v-mentions" data-controller="mentions" data-url="…" data-offers-label="…"> around the textarea of a
//   form with data-mode (component « composer »); without data-mode every text may name people
import { getJson } from "../lib/http.js";
import { announce } from "../lib/say.js";
import { text } from "../lib/texts.js";

const PATIENCE_MS = 150;
const BEGUN = /(?:^|[^\p{L}\p{N}_@.])@([\p{L}\p{N}.'’+-]*(?: [\p{L}\p{N}.'’-]*){0,3})$/u;

export default function mentions(place) {
  const box = place.querySelector("textarea");
  const form = box.form;
  const list = document.createElement("div");
  list.id = `${box.id}-mentions`;
  list.className = "v-offers v-offers-up";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", place.dataset.offersLabel);
  list.hidden = true;
  place.append(list);
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  let timer = 0;
  let request = null;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  const begun = () => {
    if (form?.dataset.mode && form.dataset.mode !== "note") return null;
    return BEGUN.exec(box.value.slice(0, box.selectionStart));
  };

  function close() {
    clearTimeout(timer);
    request?.abort();
    list.replaceChildren();
    list.hidden = true;
    box.removeAttribute("aria-activedescendant");
  }

  function mark(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
  }

  function piece(offer, at) {
    const option = document.createElement("div");
    option.id = `${list.id}-${at}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const name = document.createElement("b");
    name.textContent = offer.text;
    const more = document.createElement("span");
    more.className = "v-sub";
    more.textContent = offer.refusal || offer.sub;
    option.append(name, more);
    option.offer = offer;
    return option;
  }

  async function ask(words) {
    request?.abort();
    request = new AbortController();
    const url = new URL(place.dataset.url, location.href);
    url.searchParams.set("q", words);
    try {
      const found = await getJson(url, request.signal);
      if (document.activeElement !== box || !begun()) return close();
      list.replaceChildren(...found.options.map(piece));
      list.hidden = found.options.length === 0;
      box.removeAttribute("aria-activedescendant");
      if (list.hidden) return;
      mark(options()[0]);
      announce(text("results", { count: found.options.length }));
    } catch (error) {
      if (error.name !== "AbortError") close(); // names are help: without it one writes on
    }
  }

  function take(option) {
    const end = box.selectionStart;
    const start = end - begun()[1].length;
    box.setRangeText(`${option.offer.text} `, start, end, "end");
    if (option.offer.refusal) announce(`${option.offer.text}: ${option.offer.refusal}`);
    close();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function typed() {
    const found = begun();
    if (!found) return close();
    clearTimeout(timer);
    timer = setTimeout(() => ask(found[1]), PATIENCE_MS);
  }

  function pressed(event) {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const all = options();
      return mark(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
    }
    const sends = event.ctrlKey || event.metaKey || event.shiftKey;
    if ((event.key === "Enter" || event.key === "Tab") && chosen() && !sends) {
      event.preventDefault();
      return take(chosen());
    }
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopImmediatePropagation(); // the box keeps the focus
      close();
    }
  }

  const pointed = (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault(); // the box keeps the focus
    take(option);
  };
  box.addEventListener("input", typed);
  box.addEventListener("keydown", pressed, true); // before the composer's own keys
  box.addEventListener("blur", close);
  list.addEventListener("mousedown", pointed);
  return () => {
    close();
    list.remove();
    box.removeEventListener("input", typed);
    box.removeEventListener("keydown", pressed, true);
    box.removeEventListener("blur", close);
  };
}
