// The house rules around htmx: the CSRF token travels, focus is never lost, what a person opened stays
// open, results are said aloud, refusals are shown. Views say things with HX-Trigger {"announce": "…"} and {"toast": {"text", "level"}}.
import { reason, token } from "./http.js";
import { announce, toast } from "./say.js";
import { text } from "./texts.js";

const body = document.body;

body.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = token();
});

// 409 and 422 bring a form back, or say as a problem why not: that is told, and nothing was done.
body.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.getResponseHeader("content-type")?.includes("problem+json")) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
});

// htmx keeps focus by id. When the focused element is gone for good, the part's heading takes it.
let held = null;
body.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  held = target.contains(document.activeElement) ? target.id : null;
});
body.addEventListener("htmx:afterSettle", (event) => {
  if (!held || document.activeElement !== body) return;
  const part = document.getElementById(held) ?? event.detail.elt;
  const heading = part.querySelector("h1, h2, h3, h4") ?? part;
  heading.tabIndex = -1;
  heading.focus();
});

// The server knows of no open menu: what others do meanwhile must not close it under the hand.
window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !(name === "open" && element.matches("details, dialog"));

body.addEventListener("announce", (event) => announce(event.detail.value ?? event.detail));
body.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));

body.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (status === 401) return location.reload(); // the session is over: the server shows the sign-in
  toast(reason(responseText, event.detail.xhr.getResponseHeader("content-type") ?? ""), "error");
});
body.addEventListener("htmx:sendError", (event) => {
  if (!event.detail.elt.closest("form")?.dataset.controller) toast(text("failed"), "error");
});
