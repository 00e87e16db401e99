// Fields that are asked depending on what is answered: those that are not are hidden, and the server neither
// keeps nor requires them. Without script all are seen.
//   <div data-controller="when"> … <div data-when='[{"field": "tenure", "in": ["rent"]}]'>one field</div>
// A condition holds as cases/parts/conditions.py says: of a field that is hidden there is no value.
const PREFIX = "data.";

export default function when(root) {
  const form = root.closest("form");

  function valuesOf(name) {
    const controls = [...form.elements].filter((each) => each.name === PREFIX + name);
    if (!controls.length || controls.every((each) => each.closest("[data-when][hidden]"))) return [];
    return controls.flatMap((each) => {
      if (each.type === "checkbox" && each.getAttribute("role") === "switch") return [each.checked];
      if (each.type === "checkbox" || each.type === "radio") return each.checked ? [each.value] : [];
      return each.value.trim() ? [each.value.trim()] : [];
    });
  }

  function holds(one) {
    if ("settled" in one) return one.settled;
    const values = valuesOf(one.field);
    if ("filled" in one) return values.some((value) => value !== false) === one.filled;
    return values.some((value) => one.in.some((wanted) => same(value, wanted)));
  }

  function same(value, wanted) {
    if (typeof value === "boolean" || typeof wanted === "boolean") return value === wanted;
    return typeof wanted === "number" ? Number(value) === wanted : value === String(wanted);
  }

  // one may hang on another: until nothing changes any more, which a circle-free form soon reaches
  function show() {
    const parts = [...root.querySelectorAll("[data-when]")];
    for (let turn = 0; turn <= parts.length; turn += 1) {
      let changed = false;
      for (const part of parts) {
        const hidden = !JSON.parse(part.dataset.when).every(holds);
        if (part.hidden !== hidden) {
          part.hidden = hidden;
          changed = true;
        }
      }
      if (!changed) return;
    }
  }

  form.addEventListener("input", show);
  form.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(show));
  show();
  return () => {
    form.removeEventListener("input", show);
    form.removeEventListener("change", show);
  };
}
