// A form that loses nothing: warns before leaving with changes, is not sent twice, and keeps what was
// written when the network fails.
//   <form data-controller="form" method="post">; data-quiet on the form: no warning before leaving
import { lost } from "../lib/resend.js";

export default function form(element) {
  let dirty = false;
  let sending = false;

  const button = (event) => event.submitter ?? element.querySelector("[type=submit]");
  const busy = (pressed, on) => {
    sending = on;
    if (on) pressed?.setAttribute("aria-busy", "true");
    else element.querySelectorAll("[aria-busy]").forEach((each) => each.removeAttribute("aria-busy"));
  };
  const change = () => { dirty = true; };
  const submit = (event) => {
    if (event.defaultPrevented && !element.hasAttribute("hx-post")) return;
    if (sending) return event.preventDefault();
    if (!element.hasAttribute("hx-post") && !navigator.onLine) {
      event.preventDefault();
      return lost(element);
    }
    busy(button(event), true);
    dirty = false;
  };
  const leave = (event) => {
    if (dirty && !("quiet" in element.dataset)) event.preventDefault();
  };
  const after = (event) => {
    if (event.detail.elt !== element) return;
    busy(null, false);
    if (!event.detail.successful) dirty = true;
  };
  const back = () => busy(null, false); // returned to by the browser's back button

  element.addEventListener("input", change);
  element.addEventListener("submit", submit, true);
  element.addEventListener("htmx:afterRequest", after);
  element.addEventListener("htmx:sendError", () => lost(element));
  window.addEventListener("beforeunload", leave);
  window.addEventListener("pageshow", back);
  return () => {
    window.removeEventListener("beforeunload", leave);
    window.removeEventListener("pageshow", back);
  };
}
