// What a citizen types survives a reload of the page: kept in this tab only, and gone with it, since
// others may use the same computer. Files and what must not be repeated (the form's protection) are not.
//   <form data-controller="draft" data-draft="name">; data-bound: it comes back from the server as sent
//   <… data-controller="draft" data-forget="name">: it was sent
const SKIPPED = new Set(["csrfmiddlewaretoken", "kept", "drop"]);

function storage() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // refused by the browser: nothing is kept, nothing breaks
  }
}

export default function draft(element) {
  const kept = storage();
  if (!kept) return undefined;
  const name = `ventanilla:draft:${element.dataset.draft ?? element.dataset.forget}`;
  if (element.dataset.forget) {
    kept.removeItem(name);
    return undefined;
  }
  const fields = () => [...element.elements].filter((field) => (
    field.name && field.type !== "file" && !SKIPPED.has(field.name)
  ));

  function save() {
    const said = fields().map((field) => (
      ["checkbox", "radio"].includes(field.type)
        ? [field.name, field.value, field.checked] : [field.name, field.value, null]
    ));
    try {
      kept.setItem(name, JSON.stringify(said));
    } catch {
      // full: what is typed stays in the form
    }
  }

  function restore() {
    let said = [];
    try {
      said = JSON.parse(kept.getItem(name)) ?? [];
    } catch {
      kept.removeItem(name);
    }
    for (const [field, value, checked] of said) {
      for (const one of fields().filter((each) => each.name === field)) {
        if (checked === null) one.value = value;
        else if (one.value === value) one.checked = checked;
      }
    }
    element.dispatchEvent(new Event("change")); // what is shown may depend on it
  }

  // loaded again, the page holds what was sent; what was typed since is in the draft
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  if (again || !("bound" in element.dataset)) restore();
  else save();
  element.addEventListener("input", save);
  element.addEventListener("change", save);
  return () => {
    element.removeEventListener("input", save);
    element.removeEventListener("change", save);
  };
}
