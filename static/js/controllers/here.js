// Who is at the case of a row of a list. All rows of a page ask together, each ten seconds while the page is
// seen; the rights are judged at each answer.
//   <span data-controller="here" data-of="case:UUID"></span>
import { askWho, connect } from "../lib/live.js";
import { show } from "../lib/people.js";

const EVERY_MS = 10_000;
const SOON_MS = 150;
const AT_ONCE = 50;

const rows = new Map(); // element -> stream
let pulse = 0;
let soon = 0;

function ask() {
  if (document.hidden) return;
  const streams = [...new Set(rows.values())];
  for (let first = 0; first < streams.length; first += AT_ONCE) askWho(streams.slice(first, first + AT_ONCE));
}

function answer({ detail: { asked, here } }) {
  for (const [row, stream] of rows) {
    if (asked.includes(stream)) show(row, here[stream] ?? []);
  }
}

function begin() {
  pulse = setInterval(ask, EVERY_MS);
  document.addEventListener("live:who", answer);
  document.addEventListener("live:up", ask);
  document.addEventListener("visibilitychange", ask);
  connect();
}

export default function here(row) {
  if (rows.size === 0) begin();
  rows.set(row, row.dataset.of);
  clearTimeout(soon);
  soon = setTimeout(ask, SOON_MS);
  return () => {
    rows.delete(row);
    if (rows.size) return;
    clearInterval(pulse);
    document.removeEventListener("live:who", answer);
    document.removeEventListener("live:up", ask);
    document.removeEventListener("visibilitychange", ask);
  };
}
