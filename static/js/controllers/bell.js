// The bell: counts anew when the person's own stream says so, and tells readers. What it knew last is kept on
// this device with the stream's number, so that a page asks the server for nothing while nothing happens.
//   <details class="v-menu v-bell" data-controller="menu bell" data-person="UUID" data-organisation="INP"
//            data-count-url data-read-url>; a page about one thing says which: <main data-news-of="case:UUID">
import { getJson, post } from "../lib/http.js";
import { subscribe } from "../lib/live.js";
import { announce } from "../lib/say.js";
import { recall, remember } from "../lib/store.js";

const PATIENCE_MS = 300;

export default function bell(details) {
  const summary = details.querySelector("summary");
  const badge = summary.querySelector("[data-count]");
  const list = details.querySelector("#bell-list");
  const place = `news:${details.dataset.organisation}:${details.dataset.person}`;
  let known = recall(place);
  let timer = 0;
  let stop = () => {};
  let gone = false;

  function show() {
    badge.hidden = !known?.count;
    badge.textContent = known?.count ? known.shown : "";
    summary.setAttribute("aria-label", known?.words ? `${details.dataset.label}: ${known.words}` : details.dataset.label);
  }

  async function count() {
    const before = known?.count ?? 0;
    try {
      known = await getJson(details.dataset.countUrl, undefined, { passive: true });
    } catch {
      return; // the next word of the stream makes up for it
    }
    remember(place, known);
    show();
    if (known.count > before) announce(known.words);
    if (details.open) fill();
  }

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(count, PATIENCE_MS);
  };
  const fill = () => list.dispatchEvent(new CustomEvent("bell:open"));
  const opened = () => { if (details.open) fill(); };

  async function begin() {
    show();
    if (!known) await count();
    if (gone) return;
    stop = subscribe(`news:${details.dataset.person}`, { patch: later, resync: later }, known?.after ?? 0);
    const about = document.querySelector("[data-news-of]")?.dataset.newsOf;
    if (about && known?.count) post(details.dataset.readUrl, { thing: about }, { passive: true }).catch(() => {});
  }

  details.addEventListener("toggle", opened);
  begin();
  return () => {
    gone = true;
    stop();
    clearTimeout(timer);
    details.removeEventListener("toggle", opened);
  };
}
