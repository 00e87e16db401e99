// The chat on a foreign page: one script tag makes a button, which opens a frame of ours. What is said
// stays in the frame; the page around it learns only whether it is open and whether something is unread.
// `own` (frame, origin, accent, texts) is put before this file by the server.
const language = (document.documentElement.lang || navigator.language || "es").toLowerCase();
const words = own.texts[language] ?? own.texts[language.split("-")[0]] ?? own.texts.es;
const KEY = `ventanilla:chat:${own.frame}`;

const host = document.createElement("div");
const root = host.attachShadow({ mode: "open" });
const sheet = new CSSStyleSheet(); // not a <style>: pages with a strict policy allow it
sheet.replaceSync(`
  :host { all: initial; position: fixed; inset: auto 20px 20px auto; z-index: 2147483000; font: 600 16px/1.3 system-ui, sans-serif; }
  button { display: inline-flex; gap: 10px; align-items: center; min-height: 52px; padding: 0 22px; border: 2px solid #fff; border-radius: 26px; background: ${own.accent}; color: #fff; font: inherit; cursor: pointer; box-shadow: 0 2px 10px rgb(0 0 0 / .3); }
  button:hover { filter: brightness(1.12); }
  button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #1a1a1a; }
  [data-unread]:not([data-unread=""])::before { content: ""; width: 12px; height: 12px; border-radius: 50%; background: #ffd24a; }
  iframe { display: none; position: fixed; right: 20px; bottom: 86px; width: 400px; height: min(720px, calc(100dvh - 106px)); border: 1px solid #767676; border-radius: 12px; background: #fff; box-shadow: 0 6px 28px rgb(0 0 0 / .28); }
  .is-open iframe { display: block; }
  @media (max-width: 480px) {
    iframe { inset: 0; width: 100vw; height: 100dvh; border: 0; border-radius: 0; }
    .is-open button { display: none; }
  }
  @media print { :host { display: none; } }
`);
root.adoptedStyleSheets = [sheet];

const box = document.createElement("div");
const button = document.createElement("button");
button.type = "button";
const label = document.createElement("span");
button.append(label);
box.append(button);
root.append(box);
let frame = null;

function make() {
  frame = document.createElement("iframe");
  frame.title = words.title;
  frame.allow = "clipboard-write";
  frame.src = `${own.frame}?${new URLSearchParams({ l: language, p: location.href })}`;
  box.append(frame);
}

function kept(value) {
  try {
    if (value === undefined) return sessionStorage.getItem(KEY);
    sessionStorage.setItem(KEY, value);
  } catch {
    // the page may not remember: then it begins closed
  }
  return null;
}

function show(open, focus = true) {
  if (open && !frame) make();
  box.classList.toggle("is-open", open);
  button.setAttribute("aria-expanded", String(open));
  label.textContent = open ? words.close : words.open;
  button.dataset.unread = "";
  kept(open ? "open" : "closed");
  frame?.contentWindow?.postMessage({ ventanilla: open ? "opened" : "closed" }, own.origin);
  if (focus) (open ? frame : button).focus();
}

button.addEventListener("click", () => show(!box.classList.contains("is-open")));
window.addEventListener("message", (event) => {
  if (event.origin !== own.origin || event.source !== frame?.contentWindow) return;
  if (event.data?.ventanilla === "close") show(false);
  if (event.data?.ventanilla === "unread" && !box.classList.contains("is-open")) {
    button.dataset.unread = "1";
    label.textContent = words.unread;
  }
});

function begin() {
  document.body.append(host);
  show(kept() === "open", false);
}
if (document.body) begin();
else document.addEventListener("DOMContentLoaded", begin);
