// Conditions that the server shows anew after each change. An answer to an older state of the form is
// dropped, so that what was chosen or typed meanwhile is not undone: that change asks by itself.
//   <form data-controller="conditions"> … <div id="builder" hx-post="…" hx-trigger="change delay:200ms">
export default function conditions(form) {
  let changes = 0;
  let asked = 0;
  const count = () => {
    changes += 1;
  };
  const ask = () => {
    asked = changes;
  };
  const judge = (event) => {
    const byItself = event.detail.requestConfig?.elt?.id === "builder"; // no button was pressed
    if (byItself && asked !== changes) event.detail.shouldSwap = false;
  };
  form.addEventListener("input", count);
  form.addEventListener("htmx:beforeRequest", ask);
  form.addEventListener("htmx:beforeSwap", judge);
  return () => {
    form.removeEventListener("input", count);
    form.removeEventListener("htmx:beforeRequest", ask);
    form.removeEventListener("htmx:beforeSwap", judge);
  };
}
