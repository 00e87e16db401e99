// A form whose sending failed for want of a network: what was written stays where it is. If the form
// carries an idempotency_key it is sent again by itself when the network returns; if not, the person
// decides, because the first try may have arrived.
import { toast } from "./say.js";
import { text } from "./texts.js";

const waiting = new Set();

export function lost(form) {
  const key = form.elements.idempotency_key;
  if (!key?.value) {
    toast(text("failed"), "error");
    return;
  }
  waiting.add(form);
  toast(text("network"), "error");
}

function again() {
  for (const form of waiting) {
    waiting.delete(form);
    if (form.isConnected) form.requestSubmit();
  }
}

window.addEventListener("online", again);
document.addEventListener("live:up", again);
