// The error summary takes the focus when it appears; its links put it in the field.
//   component « errors »
export default function errors(summary) {
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const part = link && document.getElementById(link.hash.slice(1));
    if (!part) return;
    event.preventDefault();
    const field = part.matches("input, select, textarea") ? part : part.querySelector("input, select, textarea");
    (field ?? part).focus();
    part.scrollIntoView({ block: "center" });
  });
}
