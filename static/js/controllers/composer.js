// Reply, internal note or what the citizen said. Each mode keeps its own draft, per person and case, through
// reload, crash and lost network: on this device at once and, where the composer has an address for drafts,
// on the server a moment later, so that it is on any other device too. No mode's words turn into another's.
// Ctrl+Enter sends. The idempotency key belongs to the draft: sent twice, it acts once.
//   component « composer »
import { kept, tell } from "../lib/drafts.js";
import { lost } from "../lib/resend.js";
import { toast } from "../lib/say.js";
import { forget, recall, remember } from "../lib/store.js";
import { clock, text } from "../lib/texts.js";

const PATIENCE_MS = 400;
const SERVER_PATIENCE_MS = 1200;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default function composer(form) {
  const box = form.elements.text;
  const key = form.elements.idempotency_key;
  const seen = form.elements.seen; // up to which event the story was read when this was begun
  const channel = form.elements.channel; // only of what the citizen said
  const usual = form.querySelector("#composer-usual"); // only of replies
  const status = form.querySelector("[data-status]");
  const warning = form.querySelector(".v-composer-warn");
  const label = form.querySelector("[data-label]");
  const button = form.querySelector("[type=submit]");
  const clash = form.querySelector("[data-clash]");
  const crossed = form.querySelector("[data-crossed]");
  const sharing = form.querySelector("[data-share]");
  const discarding = form.querySelector("[data-discard]");
  const url = form.dataset.draftsUrl;
  const there = url ? kept() : {}; // what the server has, by mode
  let timer = 0;
  let pushTimer = 0;
  let queue = Promise.resolve();
  let waiting = 0; // how many are on their way to the server

  const mode = () => form.dataset.mode;
  const place = (of = mode()) => `draft:${form.dataset.draft}:${of}`;

  // what has been read of the story: not while a filter hides the answers
  function read() {
    return document.getElementById("timeline")?.dataset.seen || form.dataset.seen || "";
  }

  function note(dirty) {
    return {
      text: box.value, key: key.value, channel: channel?.value, seen: seen?.value,
      version: there[mode()]?.version ?? 0, dirty,
    };
  }

  function show() {
    const own = there[mode()];
    for (const one of [sharing, discarding]) if (one) one.hidden = !url || !box.value;
    if (!sharing) return;
    sharing.setAttribute("aria-pressed", String(Boolean(own?.shared)));
    sharing.querySelector("span").textContent = own?.shared ? sharing.dataset.sharedText : sharing.dataset.shareText;
  }

  function save() {
    clearTimeout(timer);
    timer = 0;
    if (!box.value) {
      forget(place());
      status.textContent = "";
    } else if (remember(place(), note(true)) && !url) {
      status.textContent = text("draft_saved", { time: clock(new Date()) });
    }
    show();
    if (!url || !clash.hidden) return;
    clearTimeout(pushTimer);
    pushTimer = setTimeout(push, SERVER_PATIENCE_MS);
  }

  // One at a time: each goes on from the version that the last was answered with.
  function push() {
    clearTimeout(pushTimer);
    pushTimer = 0;
    const of = mode();
    const said = { text: box.value, channel: channel?.value ?? "", seen: seen?.value ?? "" };
    if (!url || !clash.hidden) return queue;
    waiting += 1;
    queue = queue.then(() => carry(of, said)).finally(() => { waiting -= 1; });
    return queue;
  }

  async function carry(of, said) {
    if (!said.text && !there[of]) return;
    const { status: code, body } = await tell(`${url}${of}/`, { ...said, version: there[of]?.version ?? 0 });
    if (code === 200) taken(of, said.text, body);
    else if (of !== mode()) return; // it is said when that mode is chosen again
    else if (code === 409 && "now" in body) differ(body.now);
    else status.textContent = body?.detail ?? text("draft_local");
  }

  function taken(of, said, answer) {
    there[of] = answer.id ? answer : undefined;
    const here = recall(place(of));
    if (here?.text === said) remember(place(of), { ...here, version: answer.version, dirty: false });
    if (of !== mode()) return;
    if (said && box.value) status.textContent = text("draft_saved", { time: clock(new Date()) });
    show();
  }

  // It was written on elsewhere, or is gone there: both texts are kept until the person chooses.
  function differ(now) {
    clash.hidden = false;
    clash.querySelector("[data-why]").textContent = now
      ? text("draft_differs", { time: clock(new Date(now.at)) }) : text("draft_gone");
    clash.querySelector("[data-other]").textContent = now?.text ?? "";
    clash.querySelector("[data-other]").hidden = !now;
    clash.querySelector("[data-theirs]").hidden = !now;
    clash.querySelector("[data-drop]").hidden = Boolean(now);
    there[mode()] = now ?? undefined;
    show();
  }

  function settle(choice) {
    clash.hidden = true;
    const now = there[mode()];
    if (choice === "mine") {
      remember(place(), note(true));
      push();
    } else {
      box.value = now?.text ?? "";
      if (now) remember(place(), note(false));
      else forget(place());
      status.textContent = "";
      show();
    }
    box.focus();
  }

  function restore() {
    if (clash) clash.hidden = true;
    if (crossed) crossed.replaceChildren();
    let draft = recall(place());
    const own = there[mode()];
    const dirty = Boolean(draft?.text) && draft.dirty !== false;
    if (url && !dirty) {
      if (!own) forget(place());
      draft = own ? { ...own, key: draft?.key } : null;
    }
    box.value = draft?.text ?? "";
    key.value = draft?.key || newKey();
    if (seen) seen.value = draft?.text ? draft.seen ?? "" : read();
    if (channel) channel.value = draft?.channel ?? "";
    status.textContent = draft?.text ? text("draft_restored") : "";
    show();
    form.dispatchEvent(new CustomEvent("composer:other", { bubbles: true })); // mode or text, not by typing
    if (!url || !dirty || draft.text === own?.text) return;
    if ((draft.version ?? 0) === (own?.version ?? 0)) push();
    else differ(own);
  }

  function choose(next, focus = true) {
    if (timer) save();
    if (pushTimer) push();
    form.dataset.mode = next;
    form.elements.mode.value = next;
    form.querySelectorAll("button[data-mode]").forEach((each) => {
      each.setAttribute("aria-pressed", String(each.dataset.mode === next));
    });
    if (channel) {
      channel.disabled = next !== "said";
      channel.closest("[data-said-only]").hidden = channel.disabled;
    }
    if (usual) usual.closest("[data-reply-only]").hidden = next !== "reply";
    warning.textContent = warning.dataset[`${next}Text`];
    label.textContent = label.dataset[`${next}Label`];
    box.placeholder = box.dataset[`${next}Placeholder`];
    restore();
    if (focus) box.focus();
  }

  async function share() {
    await push();
    const own = there[mode()];
    if (!own?.id) return toast(text("failed"), "error");
    const on = own.shared ? "0" : "1";
    const { status: code, body } = await tell(`${form.dataset.draftUrl}${own.id}/compartir/`, { on });
    if (code !== 200) return toast(body?.detail ?? text("failed"), "error");
    there[mode()] = { ...own, shared: body.shared };
    toast(body.told);
    show();
  }

  function empty() {
    clearTimeout(timer);
    clearTimeout(pushTimer);
    timer = 0;
    pushTimer = 0;
    forget(place());
    there[mode()] = undefined;
    restore();
    box.focus();
  }

  async function discard() {
    const was = { mode: mode(), ...note(true) };
    await push(); // so that taking it back brings all of it
    const own = there[was.mode];
    if (own?.id) {
      const { status: code, body } = await tell(`${form.dataset.draftUrl}${own.id}/descartar/`);
      if (code !== 200) return toast(body?.detail ?? text("failed"), "error");
    }
    empty();
    toast(text("draft_discarded"), "success", { label: text("undo"), act: () => takeBack(was, own) });
  }

  async function takeBack(was, own) {
    if (own?.id) {
      const { status: code, body } = await tell(`${form.dataset.draftUrl}${own.id}/recuperar/`);
      if (code !== 200) return toast(body?.detail ?? text("failed"), "error");
      document.getElementById("drafts-live")?.dispatchEvent(new CustomEvent("live-drafts"));
      if (body.aside) return choose(was.mode);
      there[was.mode] = body;
    }
    remember(place(was.mode), { ...was, version: there[was.mode]?.version ?? 0, dirty: !own?.id });
    choose(was.mode);
  }

  form.addEventListener("click", (event) => {
    const next = event.target.closest("button[data-mode]")?.dataset.mode;
    if (next && next !== mode()) choose(next);
    else if (next) box.focus();
    else if (event.target.closest("[data-share]")) share();
    else if (event.target.closest("[data-discard]")) discard();
    else if (event.target.closest("[data-mine]")) settle("mine");
    else if (event.target.closest("[data-theirs], [data-drop]")) settle("theirs");
    else if (event.target.closest("[data-back]")) {
      crossed.replaceChildren();
      box.focus();
    } else if (event.target.closest("[data-send-anyway]")) {
      seen.value = event.target.closest("[data-send-anyway]").value;
      form.requestSubmit();
    }
  });
  form.addEventListener("input", (event) => {
    if (event.target === box && seen && !recall(place())?.text && !there[mode()]) seen.value = read();
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
    event.detail.path = form.dataset[`${mode()}Url`];
    if (there[mode()]?.id) event.detail.parameters.draft = there[mode()].id;
  });
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== form) return;
    if (button.getAttribute("aria-busy") === "true") return event.preventDefault();
    if (waiting) { // a draft kept after it was sent would come back
      event.preventDefault();
      queue.then(() => setTimeout(() => form.requestSubmit()));
      return;
    }
    save();
    clearTimeout(pushTimer);
    pushTimer = 0;
    button.setAttribute("aria-busy", "true");
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form) return;
    button.removeAttribute("aria-busy");
    if (!event.detail.successful || event.detail.xhr.status >= 400) return;
    empty();
  });
  form.addEventListener("htmx:sendError", () => lost(form));

  const leaving = () => {
    if (timer) save();
    if (!pushTimer || !clash.hidden || waiting) return;
    clearTimeout(pushTimer);
    pushTimer = 0;
    tell(`${url}${mode()}/`, {
      text: box.value, channel: channel?.value ?? "", seen: seen.value, version: there[mode()]?.version ?? 0,
    }, { leaving: true });
  };
  const again = () => { if (url && recall(place())?.dirty) push(); };
  window.addEventListener("pagehide", leaving);
  window.addEventListener("online", again);
  document.addEventListener("live:up", again);
  choose(form.dataset.mode, false);
  return () => {
    leaving();
    window.removeEventListener("pagehide", leaving);
    window.removeEventListener("online", again);
    document.removeEventListener("live:up", again);
  };
}
