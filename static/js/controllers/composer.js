// Reply, internal note or what the citizen said. Each mode keeps its own draft on this device, per person and case, through
// reload, crash and lost network, until the server has taken it. No mode's words turn into another's. Ctrl+Enter sends. The idempotency key belongs to the draft: sent twice, it acts once.
//   component « composer »
import { lost } from "../lib/resend.js";
import { forget, recall, remember } from "../lib/store.js";
import { clock, text } from "../lib/texts.js";

const PATIENCE_MS = 400;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default function composer(form) {
  const box = form.elements.text;
  const key = form.elements.idempotency_key;
  const channel = form.elements.channel; // only of what the citizen said
  const usual = form.querySelector("#composer-usual"); // only of replies
  const status = form.querySelector("[data-status]");
  const warning = form.querySelector(".v-composer-warn");
  const label = form.querySelector("[data-label]");
  const button = form.querySelector("[type=submit]");
  let timer = 0;

  const place = (mode) => `draft:${form.dataset.draft}:${mode}`;

  function save() {
    clearTimeout(timer);
    timer = 0;
    if (!box.value) {
      forget(place(form.dataset.mode));
      status.textContent = "";
    } else if (remember(place(form.dataset.mode), { text: box.value, key: key.value, channel: channel?.value })) {
      status.textContent = text("draft_saved", { time: clock(new Date()) });
    }
  }

  function restore() {
    const draft = recall(place(form.dataset.mode));
    box.value = draft?.text ?? "";
    key.value = draft?.key || newKey();
    if (channel) channel.value = draft?.channel ?? "";
    status.textContent = draft?.text ? text("draft_restored") : "";
  }

  function choose(mode, focus = true) {
    if (timer) save();
    form.dataset.mode = mode;
    form.elements.mode.value = mode;
    form.querySelectorAll("button[data-mode]").forEach((each) => {
      each.setAttribute("aria-pressed", String(each.dataset.mode === mode));
    });
    if (channel) {
      channel.disabled = mode !== "said";
      channel.closest("[data-said-only]").hidden = channel.disabled;
    }
    if (usual) usual.closest("[data-reply-only]").hidden = mode !== "reply";
    warning.textContent = warning.dataset[`${mode}Text`];
    label.textContent = label.dataset[`${mode}Label`];
    box.placeholder = box.dataset[`${mode}Placeholder`];
    restore();
    if (focus) box.focus();
  }

  form.addEventListener("click", (event) => {
    const mode = event.target.closest("button[data-mode]")?.dataset.mode;
    if (mode && mode !== form.dataset.mode) choose(mode);
    else if (mode) box.focus();
  });
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, PATIENCE_MS);
  });
  // by a button: a change of the select comes with each arrow key
  form.querySelector("[data-insert]")?.addEventListener("click", () => {
    if (!usual.value) return usual.focus();
    box.setRangeText(usual.value, box.selectionStart, box.selectionEnd, "end");
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape") box.blur();
  });

  form.addEventListener("htmx:configRequest", (event) => {
    event.detail.path = form.dataset[`${form.dataset.mode}Url`];
  });
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== form) return;
    if (button.getAttribute("aria-busy") === "true") return event.preventDefault();
    save();
    button.setAttribute("aria-busy", "true");
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form) return;
    button.removeAttribute("aria-busy");
    if (!event.detail.successful) return;
    forget(place(form.dataset.mode));
    restore();
    box.focus();
  });
  form.addEventListener("htmx:sendError", () => lost(form));

  const leaving = () => { if (timer) save(); };
  window.addEventListener("pagehide", leaving);
  choose(form.dataset.mode, false);
  return () => {
    leaving();
    window.removeEventListener("pagehide", leaving);
  };
}
