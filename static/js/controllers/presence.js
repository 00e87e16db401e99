// Who else is at this case and what they do; and that this person is, by a beat that stops with the page. While
// somebody else answers the citizen, the composer says so before one begins; one may go on all the same.
//   <div data-controller="presence" data-stream="case:UUID" data-after="17" data-doing="">: data-doing is what
//   the whole page is for (« data »); else what is typed in the composer of the page says it
import { beHere, subscribe } from "../lib/live.js";
import { show, words } from "../lib/people.js";

const BEAT_MS = 20_000;
const RESTS_MS = 180_000; // a text that nobody touched for so long is not being written
const WAIT_MS = 400;

export default function presence(place) {
  const { stream, doing: whole } = place.dataset;
  const form = document.getElementById("composer");
  const lock = form?.querySelector("[data-lock]");
  const excused = new Set(); // whom the person goes on beside
  let people = [];
  let typedAt = 0;
  let told = null;
  let timer = 0;
  let expiry = 0;

  function doing() {
    if (whole || !form) return whole ?? "";
    return form.elements.text.value && Date.now() - typedAt < RESTS_MS ? form.dataset.mode : "";
  }

  function beat() {
    told = doing();
    beHere(stream, told);
  }

  function changed() {
    clearTimeout(timer);
    timer = setTimeout(() => { if (doing() !== told) beat(); }, WAIT_MS);
  }

  function warn() {
    if (!lock) return;
    const answering = people.filter((one) => one.doing === "reply");
    answering.length || excused.clear();
    const news = answering.filter((one) => !excused.has(one.who));
    lock.hidden = form.dataset.mode !== "reply" || news.length === 0;
    const said = news.map(words).join(" · ");
    const line = lock.querySelector("p");
    if (line.textContent !== said) line.textContent = said;
  }

  function draw(found) {
    people = found;
    show(place, people);
    warn();
    clearTimeout(expiry);
    const soonest = Math.min(...people.map((one) => one.left));
    if (Number.isFinite(soonest)) { // nobody need say that somebody fell silent
      expiry = setTimeout(() => {
        draw(people.filter((one) => one.left > soonest).map((one) => ({ ...one, left: one.left - soonest })));
      }, (soonest + 1) * 1000);
    }
  }

  const typed = (event) => {
    if (event.target.id !== "composer-text") return;
    typedAt = Date.now();
    changed();
  };
  const anyway = (event) => {
    if (!event.target.closest("[data-anyway]")) return;
    people.forEach((one) => excused.add(one.who));
    warn();
    form.elements.text.focus();
  };
  const turned = () => {
    changed();
    warn();
  };
  const back = () => { if (!document.hidden) beat(); };

  const stop = subscribe(stream, {
    patch() {},
    hint: (hint) => { if (hint.here) draw(hint.here); },
    denied: () => draw([]),
  }, Number(place.dataset.after ?? 0));
  const pulse = setInterval(beat, BEAT_MS);
  const vanish = () => draw([]); // without a link nobody is seen
  document.addEventListener("input", typed);
  document.addEventListener("composer:other", turned);
  document.addEventListener("visibilitychange", back);
  document.addEventListener("live:up", beat);
  document.addEventListener("live:down", vanish);
  lock?.addEventListener("click", anyway);
  beat();
  return () => {
    stop();
    clearInterval(pulse);
    clearTimeout(timer);
    clearTimeout(expiry);
    document.removeEventListener("input", typed);
    document.removeEventListener("composer:other", turned);
    document.removeEventListener("visibilitychange", back);
    document.removeEventListener("live:up", beat);
    document.removeEventListener("live:down", vanish);
  };
}
