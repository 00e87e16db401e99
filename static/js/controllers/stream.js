// Follows a live stream for a part of the page and fires « live » on it for htmx to fetch it anew:
//   <div id="facts" data-controller="stream" data-stream="case:UUID" data-after="17"
//        hx-get="…" hx-trigger="live delay:300ms" hx-swap="morph:outerHTML">
// What is true for a moment only (a hint) fires « live-NAME » for each of its names.
import { subscribe } from "../lib/live.js";

export default function stream(part) {
  const fire = (patch) => part.dispatchEvent(new CustomEvent("live", { detail: patch }));
  return subscribe(
    part.dataset.stream,
    {
      patch: fire,
      resync: () => fire({}),
      hint: (hint) => Object.keys(hint).forEach((name) => part.dispatchEvent(new CustomEvent(`live-${name}`))),
    },
    Number(part.dataset.after ?? 0),
  );
}
