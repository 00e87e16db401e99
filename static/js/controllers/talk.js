// An open conversation: what is new is scrolled to and, before somebody's eyes, counts as read; each side
// sees the other write.
//   <div data-controller="talk" data-stream="conversation:UUID" data-after="7" data-read-url data-types-url>
//   inside: [data-typing]; around: the composer's textarea
import { post } from "../lib/http.js";
import { subscribe } from "../lib/live.js";

const TYPING_EVERY_MS = 2500;
const TYPING_SHOWN_MS = 5000;

export default function talk(place) {
  const typing = place.querySelector("[data-typing]");
  let typedAt = 0;
  let timer = 0;

  function down() {
    place.scrollTop = place.scrollHeight;
  }

  function read() {
    if (place.dataset.readUrl && !document.hidden) post(place.dataset.readUrl, {}, { passive: true }).catch(() => {});
  }

  function types(event) {
    if (event.target.id !== "composer-text" || !place.dataset.typesUrl) return;
    if (event.target.form?.dataset.mode === "note" || Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    post(place.dataset.typesUrl).catch(() => {});
  }

  const stop = subscribe(place.dataset.stream, {
    patch: (patch) => { if (patch.kind === "message") typing.hidden = true; },
    hint: (hint) => {
      if (hint.typing !== "citizen") return;
      typing.hidden = false;
      clearTimeout(timer);
      timer = setTimeout(() => { typing.hidden = true; }, TYPING_SHOWN_MS);
    },
  }, Number(place.dataset.after ?? 0));
  const watcher = new MutationObserver((changes) => {
    if (!changes.some((change) => change.addedNodes.length)) return;
    down();
    read();
  });
  watcher.observe(place.querySelector("#thread"), { childList: true, subtree: true });
  document.addEventListener("input", types);
  document.addEventListener("visibilitychange", read);
  down();
  read();
  return () => {
    stop();
    watcher.disconnect();
    document.removeEventListener("input", types);
    document.removeEventListener("visibilitychange", read);
  };
}
