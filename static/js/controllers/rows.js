// A list worked by keyboard: j and k move, x selects, Enter opens (the row's link has the focus);
// shift extends the selection; the bulk bar shows while something is selected.
//   <section data-controller="rows"> … <input data-all> … <tbody data-rows><tr> <input type="checkbox"> <a>
//   … component « bulk_bar »; a form around it carries the checkboxes
import { singleKey } from "../lib/keys.js";
import { announce } from "../lib/say.js";
import { number, text } from "../lib/texts.js";

export default function rows(section) {
  const bar = section.querySelector("[data-bulk]");
  const all = section.querySelector("[data-all]");
  let last = null; // where a shift selection starts

  const list = () => [...section.querySelectorAll("[data-rows] > *")];
  const box = (row) => row?.querySelector("input[type=checkbox]");
  const at = () => list().findIndex((row) => row.classList.contains("is-cursor"));

  function count() {
    const rowsNow = list();
    const selected = rowsNow.filter((row) => box(row)?.checked).length;
    rowsNow.forEach((row) => box(row) && row.setAttribute("aria-selected", String(box(row).checked)));
    if (all) {
      all.checked = selected > 0 && selected === rowsNow.length;
      all.indeterminate = selected > 0 && selected < rowsNow.length;
    }
    if (!bar) return;
    bar.hidden = selected === 0;
    bar.querySelector("[data-count]").textContent = text("selected", { count: number(selected) });
  }

  function select(chosen, checked) {
    chosen.forEach((row) => { if (box(row)) box(row).checked = checked; });
    count();
    announce(text("selected", { count: number(list().filter((row) => box(row)?.checked).length) }));
  }

  function move(step) {
    const rowsNow = list();
    if (!rowsNow.length) return;
    const from = at();
    const to = Math.max(0, Math.min(rowsNow.length - 1, from < 0 ? 0 : from + step));
    rowsNow[from]?.classList.remove("is-cursor");
    rowsNow[to].classList.add("is-cursor");
    rowsNow[to].querySelector("a")?.focus();
  }

  const onKey = (event) => {
    if (!singleKey(event) || !"jkx".includes(event.key)) return;
    event.preventDefault();
    if (event.key === "x") {
      const row = list()[at()];
      if (row) select([row], !box(row)?.checked);
    } else {
      move(event.key === "j" ? 1 : -1);
    }
  };
  const onClick = (event) => {
    if (event.target.closest("[data-clear]")) {
      select(list(), false);
      return all?.focus();
    }
    const row = event.target.closest("[data-rows] > *");
    if (!row || event.target !== box(row)) return;
    const rowsNow = list();
    const here = rowsNow.indexOf(row);
    if (event.shiftKey && last !== null) {
      const [from, to] = [Math.min(last, here), Math.max(last, here)];
      select(rowsNow.slice(from, to + 1), event.target.checked);
    } else {
      select([row], event.target.checked);
    }
    last = here;
  };
  const onChange = (event) => {
    if (event.target === all) select(list(), all.checked);
  };
  const onFocus = (event) => {
    const row = event.target.closest("[data-rows] > *");
    if (!row) return;
    list()[at()]?.classList.remove("is-cursor");
    row.classList.add("is-cursor");
  };

  document.addEventListener("keydown", onKey);
  section.addEventListener("click", onClick);
  section.addEventListener("change", onChange);
  section.addEventListener("focusin", onFocus);
  section.addEventListener("htmx:afterSettle", count);
  count();
  return () => document.removeEventListener("keydown", onKey);
}
