// The employee's desk is open: its heartbeat keeps offers coming, a closed tab's silence stops them. A new
// offer is said aloud and in the title of the tab.
//   <div data-controller="desk" data-beat-url="…" data-beat-seconds="20">; its list [data-offers]
import { post } from "../lib/http.js";

export default function desk(place) {
  const title = document.title;
  const beat = () => post(place.dataset.beatUrl, {}, { passive: true }).catch(() => {}); // the next one makes up for it
  const timer = setInterval(beat, Number(place.dataset.beatSeconds) * 1000);
  beat();

  function count() {
    const offers = place.querySelectorAll("[data-offer]").length;
    document.title = offers ? `(${offers}) ${title}` : title;
  }

  const watcher = new MutationObserver(count);
  watcher.observe(place, { childList: true, subtree: true });
  count();
  return () => {
    clearInterval(timer);
    watcher.disconnect();
    document.title = title;
  };
}
