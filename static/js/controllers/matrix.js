// A table of choices edited at leisure: arrows move between cells, a changed cell says what it was,
// a search hides the other rows. What the changes mean is asked of the server by htmx.
//   <form data-controller="matrix"> … <tbody data-group><tr data-row><td data-cell data-before="no">
//   <select>…</select><span data-was hidden>; the search is [data-filter], anywhere on the page
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const LOOKS = { everywhere: "rx-si", place: "rx-uni", no: "rx-no" };

export default function matrix(form) {
  const filter = document.querySelector("[data-filter]");
  const rows = () => [...form.querySelectorAll("[data-row]")].filter((row) => !row.hidden);
  const cells = (row) => [...row.querySelectorAll("select")];

  const show = ({ target }) => {
    const cell = target.closest("[data-cell]");
    if (!cell) return;
    const changed = target.value !== cell.dataset.before;
    cell.classList.toggle("is-chg", changed);
    cell.querySelector("[data-was]").hidden = !changed;
    target.classList.remove(...Object.values(LOOKS));
    target.classList.add(LOOKS[target.value]);
  };
  const move = (event) => {
    const step = STEPS[event.key];
    const row = event.target.closest("[data-row]");
    if (!step || !row || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // Enter, space or a letter chooses
    const shown = rows();
    const line = shown[shown.indexOf(row) + step[0]] ?? row;
    const column = cells(row).indexOf(event.target) + step[1];
    const next = cells(line)[column];
    if (next && !next.disabled) next.focus();
  };
  const search = () => {
    const wanted = filter.value.trim().toLocaleLowerCase();
    form.querySelectorAll("[data-row]").forEach((row) => {
      row.hidden = !row.querySelector("th").textContent.toLocaleLowerCase().includes(wanted);
    });
    form.querySelectorAll("[data-group]").forEach((group) => {
      group.hidden = !group.querySelector("[data-row]:not([hidden])");
    });
  };
  form.addEventListener("change", show);
  form.addEventListener("keydown", move);
  filter?.addEventListener("input", search);
  return () => {
    form.removeEventListener("change", show);
    form.removeEventListener("keydown", move);
    filter?.removeEventListener("input", search);
  };
}
