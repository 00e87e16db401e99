// A form that loses nothing: warns before leaving with changes, is not sent twice, and keeps what was
// written when the network fails.
//   <form data-controller="form" method="post">; data-quiet on the form: no warning before leaving
import { lost } from "../lib/resend.js";

export default function form(element) {
  let dirty = false;
  let sending = false;
  let changes = 0;
  let sent = 0; // how many changes there were when the form was last sent by itself
  let pending = 0; // how often it is being sent by itself
  let waiting = null; // the button that was pressed meanwhile

  const button = (event) => event.submitter ?? element.querySelector("[type=submit]");
  const busy = (pressed, on) => {
    sending = on;
    if (on) pressed?.setAttribute("aria-busy", "true");
    else element.querySelectorAll("[aria-busy]").forEach((each) => each.removeAttribute("aria-busy"));
  };
  const change = () => {
    dirty = true;
    changes += 1;
  };
  const ask = (event) => {
    if (event.detail.elt !== element) return;
    sent = changes;
    pending += 1;
  };
  const proceed = () => {
    if (pending || !waiting) return;
    const { pressed } = waiting;
    waiting = null;
    element.requestSubmit(pressed);
  };
  const submit = (event) => {
    if (event.defaultPrevented && !element.hasAttribute("hx-post")) return;
    if (sending) return event.preventDefault();
    if (pending) { // what the form has seen is known once the answer is there
      event.preventDefault();
      waiting = { pressed: event.submitter };
      return undefined;
    }
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
    pending = Math.max(0, pending - 1);
    setTimeout(proceed); // one that was queued has begun by then
    busy(null, false);
    const kept = event.detail.successful && event.detail.xhr.status < 400; // 409, 422: it came back
    if (!kept) dirty = true;
    else if (sent === changes) dirty = false;
  };
  const back = () => busy(null, false); // returned to by the browser's back button

  element.addEventListener("input", change);
  element.addEventListener("submit", submit, true);
  element.addEventListener("htmx:beforeSend", ask);
  element.addEventListener("htmx:afterRequest", after);
  element.addEventListener("htmx:sendError", () => lost(element));
  window.addEventListener("beforeunload", leave);
  window.addEventListener("pageshow", back);
  return () => {
    window.removeEventListener("beforeunload", leave);
    window.removeEventListener("pageshow", back);
  };
}
