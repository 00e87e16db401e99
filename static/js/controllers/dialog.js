// Opens a <dialog> and gives the focus back when it closes.
//   <button data-controller="dialog" data-open="ID" aria-haspopup="dialog">; [data-close] inside closes
const FIELD =
  ".v-dialog-body :is(select, textarea, input:checked, input:not([type=hidden], [type=radio], [role=switch]))";
const ready = new WeakSet();

function prepare(dialog) {
  if (ready.has(dialog)) return;
  ready.add(dialog);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

export function open(id, opener = document.activeElement) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  prepare(dialog);
  dialog.addEventListener("close", () => opener?.focus(), { once: true });
  dialog.showModal();
  dialog.querySelector(FIELD)?.focus(); // else the focus is on the cross
  dialog.dispatchEvent(new CustomEvent("dialog:open"));
}

export default function opener(button) {
  button.addEventListener("click", () => {
    const menu = button.closest("details.v-menu");
    open(button.dataset.open, menu ? menu.querySelector("summary") : button);
  });
}
