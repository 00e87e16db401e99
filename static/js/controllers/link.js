// The live link of the frame: « Live » while it holds; after three seconds without it a banner says so
// and since when what is shown is true.
//   <div data-controller="link"> with [data-live] and #link-down inside
import { connect } from "../lib/live.js";
import { announce } from "../lib/say.js";
import { clock, text } from "../lib/texts.js";

const PATIENCE_MS = 3000;

export default function link(frame) {
  const sign = frame.querySelector("[data-live]");
  const banner = frame.querySelector("#link-down .v-banner");
  let timer = 0;
  const up = () => {
    clearTimeout(timer);
    sign.hidden = false;
    if (!banner.hidden) announce(text("link_up"));
    banner.hidden = true;
  };
  const down = ({ detail }) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      sign.hidden = true;
      banner.querySelector("span").textContent = text("link_lost", { time: clock(detail.since) });
      banner.hidden = false;
    }, PATIENCE_MS);
  };
  document.addEventListener("live:up", up);
  document.addEventListener("live:down", down);
  connect();
  return () => {
    document.removeEventListener("live:up", up);
    document.removeEventListener("live:down", down);
  };
}
