// Canned answers in a composer: « / » at the start of a word offers those that fit, arrows choose, Enter or
// Tab inserts at the cursor, Esc leaves the slash. What a case does not say stays as ((variable)), is named
// below the text and stops the sending. Ctrl+Z gives back what was typed. Files go with the message.
//   component « composer » with answers_url; the offers are cases/_composer_answers.html
import { getJson } from "../lib/http.js";
import { announce } from "../lib/say.js";
import { forget, recall, remember } from "../lib/store.js";
import { text } from "../lib/texts.js";

const PATIENCE_MS = 120;
const SLASH = /(?:^|[\s([{¿¡"«“—])\/([^\n/]{0,60})$/;
const HOLE = /\(\(\s*([a-z][\w.]{0,79})\s*\)\)/g;

export default function answers(form) {
  const box = form.elements.text;
  const offers = form.querySelector("[data-answers]");
  const list = offers.querySelector("[role=listbox]");
  const none = offers.querySelector("[data-none]");
  const tongues = offers.querySelector("[data-languages]");
  const left = form.querySelector("[data-left]");
  const goes = form.querySelector("[data-goes]");
  const names = JSON.parse(form.dataset.variables || "{}");
  const place = `answers:${form.dataset.draft}`;
  let used = []; // what was inserted into this draft: {id, text, files, undone}
  let language = "";
  let timer = 0;
  let request = null;
  let leftAlone = -1; // where a slash stands that shall stay one

  const replying = () => form.dataset.mode === "reply";
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  // --- What is being asked for

  function slash() {
    if (!replying() || box.selectionStart !== box.selectionEnd) return null;
    const found = SLASH.exec(box.value.slice(0, box.selectionStart));
    if (!found || /^\s/.test(found[1])) return null;
    const start = box.selectionStart - found[1].length - 1;
    return start === leftAlone ? null : { start, words: found[1] };
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    offers.hidden = true;
    list.replaceChildren();
    box.removeAttribute("aria-activedescendant");
  }

  function mark(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  }

  function part(tag, className, words) {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = words;
    return element;
  }

  function piece(item, at) {
    const option = document.createElement("div");
    option.id = `composer-answer-${at}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const head = part("span", "v-answers-name", "");
    head.append(part("code", "", `/${item.code}`), part("b", "", item.name), part("span", "v-sub-12", item.where));
    if (item.note) head.append(part("span", "v-chip", item.note));
    if (item.missing.length) {
      const lacks = item.missing.map((one) => one.label).join(", ");
      head.append(part("span", "v-chip v-chip-cit", `${offers.dataset.lacks} ${lacks}`));
    }
    if (item.files.length) head.append(part("span", "v-sub-12", `+ ${item.files.join(", ")}`));
    const words = part("span", "v-answers-text", item.text);
    words.lang = item.language;
    option.append(head, words);
    option.item = item;
    return option;
  }

  function speak(languages, current) {
    tongues.replaceChildren(...languages.map((one) => {
      const button = part("button", "v-answers-tongue", one.name);
      button.type = "button";
      button.tabIndex = -1; // from the keyboard: Alt+L
      button.lang = one.code;
      button.dataset.language = one.code;
      button.setAttribute("aria-pressed", String(one.code === current));
      return button;
    }));
    language = current;
  }

  async function ask() {
    const asked = slash();
    if (!asked) return close();
    request?.abort();
    request = new AbortController();
    const url = new URL(form.dataset.answersUrl, location.href);
    url.searchParams.set("q", asked.words);
    if (language) url.searchParams.set("idioma", language);
    try {
      const found = await getJson(url, request.signal);
      if (slash()?.start !== asked.start || document.activeElement !== box) return close();
      speak(found.languages, found.language);
      list.replaceChildren(...found.items.map(piece));
      none.hidden = found.items.length > 0;
      if (!found.items.length && /\s/.test(asked.words)) return close(); // a sentence with a slash in it
      offers.hidden = false;
      mark(options()[0]);
      announce(text("results", { count: found.items.length }));
    } catch (error) {
      if (error.name !== "AbortError") close(); // without answers one writes on
    }
  }

  // --- Inserting

  // As if typed, so that Ctrl+Z takes it back; where the browser cannot, the text alone.
  function type(words, start, end) {
    box.focus();
    box.setSelectionRange(start, end);
    if (document.execCommand("insertText", false, words)) return;
    box.setRangeText(words, start, end, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function take(option) {
    const asked = slash();
    if (!asked || !option) return close();
    const { id, text: words, files } = option.item;
    close();
    type(words, asked.start, box.selectionStart);
    used = [...used.filter((one) => one.id !== id), { id, text: words, files, undone: false }];
    keep();
    const hole = [...words.matchAll(HOLE)].find((one) => known(one[1]));
    if (hole) box.setSelectionRange(asked.start + hole.index, asked.start + hole.index + hole[0].length);
  }

  function keep() {
    const now = used.filter((one) => !one.undone);
    if (used.length) remember(place, used);
    else forget(place);
    form.querySelectorAll("input[name=answer]").forEach((input) => input.remove());
    for (const one of now) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = "answer";
      input.value = one.id;
      form.append(input);
    }
    const withFiles = now.filter((one) => one.files.length);
    goes.hidden = withFiles.length === 0;
    goes.querySelector("span").replaceChildren(...withFiles.map((one) => {
      const button = part("button", "v-answers-tongue", `${one.files.join(", ")} ×`);
      button.type = "button";
      button.dataset.without = one.id;
      button.setAttribute("aria-label", `${goes.dataset.remove} ${one.files.join(", ")}`);
      return button;
    }));
  }

  // --- What is still to be filled in

  const known = (name) => name in names || name.startsWith("data.");
  const holes = () => [...box.value.matchAll(HOLE)].filter((one) => known(one[1]));

  function show() {
    const found = replying() ? holes() : [];
    left.hidden = found.length === 0;
    left.querySelector("span").replaceChildren(...found.map((one) => {
      const button = part("button", "v-answers-tongue", names[one[1]] ?? one[1]);
      button.type = "button";
      button.dataset.at = one.index;
      return button;
    }));
    return found;
  }

  function go(at) {
    const found = holes().find((one) => one.index === at) ?? holes()[0];
    if (!found) return;
    box.focus();
    box.setSelectionRange(found.index, found.index + found[0].length);
  }

  // --- The person

  function typed(event) {
    if (event.target !== box) return;
    if (/^history/.test(event.inputType ?? "")) {
      used.forEach((one) => { one.undone = !box.value.includes(one.text); });
      keep();
    }
    if (!box.value && used.length) {
      used = [];
      keep();
    }
    show();
    if (box.value[leftAlone] !== "/") leftAlone = -1;
    clearTimeout(timer);
    if (!slash()) return close();
    timer = setTimeout(ask, PATIENCE_MS);
  }

  function pressed(event) {
    if (event.target !== box) return;
    if (offers.hidden && !(event.key === "Escape" && slash())) return; // Esc, too, before they have come
    const done = () => {
      event.preventDefault();
      event.stopPropagation(); // else Esc would leave the text, too
    };
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = options();
    if (step && all.length && !event.altKey) {
      done();
      return mark(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
    }
    if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey && !event.shiftKey && chosen()) {
      done();
      return take(chosen());
    }
    if (event.key === "Escape") {
      done();
      leftAlone = slash()?.start ?? -1;
      return close();
    }
    if (event.altKey && event.code === "KeyL") {
      done();
      const every = [...tongues.children];
      const at = every.findIndex((one) => one.dataset.language === language);
      language = every[(at + 1) % every.length].dataset.language;
      ask();
    }
  }

  function pointed(event) {
    const option = event.target.closest("[role=option]");
    const tongue = event.target.closest("[data-language]");
    if (option || tongue) event.preventDefault(); // the text keeps the focus
    if (option) take(option);
    if (tongue) {
      language = tongue.dataset.language;
      ask();
    }
  }

  function clicked(event) {
    const { at, without } = event.target.closest("button")?.dataset ?? {};
    if (at) go(Number(at));
    if (without) {
      used = used.filter((one) => one.id !== without);
      keep();
      box.focus();
    }
    if (event.target.closest("[data-answers-open]")) {
      leftAlone = -1;
      const before = box.value.slice(0, box.selectionStart);
      type(/(^|\s)$/.test(before) ? "/" : " /", box.selectionStart, box.selectionEnd);
    }
    if (event.target.closest("button[data-mode]")) show();
  }

  function sending(event) {
    if (event.detail.elt !== form || !replying()) return;
    const found = show();
    if (!found.length) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // else the composer believes that it is on its way
    announce(left.textContent);
    go(found[0].index);
  }

  function sent(event) {
    if (event.detail.elt !== form || !event.detail.successful) return;
    used = [];
    keep();
    show();
  }

  for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-haspopup", "listbox"]]) {
    box.setAttribute(name, value);
  }
  used = box.value || replying() ? recall(place) ?? [] : [];
  keep();
  show();
  form.addEventListener("input", typed);
  form.addEventListener("keydown", pressed, true);
  form.addEventListener("click", clicked);
  form.addEventListener("htmx:beforeRequest", sending, true);
  form.addEventListener("htmx:afterRequest", sent);
  box.addEventListener("blur", close);
  offers.addEventListener("mousedown", pointed);
  return () => {
    close();
    form.removeEventListener("input", typed);
    form.removeEventListener("keydown", pressed, true);
    form.removeEventListener("click", clicked);
    form.removeEventListener("htmx:beforeRequest", sending, true);
    form.removeEventListener("htmx:afterRequest", sent);
    box.removeEventListener("blur", close);
    offers.removeEventListener("mousedown", pointed);
  };
}
