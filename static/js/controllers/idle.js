// Locks the session after minutes without activity in any tab: says so a minute before, then posts to
// the lock's address and goes where the answer leads. Drafts stay on the device. While someone types or
// reads without asking the server for anything, the server is told once a minute (data-awake-url).
//   <div data-controller="idle" data-idle-minutes="15" data-lock-url="…" data-awake-url="…">
import { post } from "../lib/http.js";
import { toast } from "../lib/say.js";
import { recall, remember } from "../lib/store.js";
import { clock, text } from "../lib/texts.js";

const LOOK_MS = 5000;
const WARN_MS = 60_000;
const AWAKE_MS = 60_000;
const SIGNS = ["pointerdown", "keydown", "wheel", "touchstart"];

export default function idle(frame) {
  const limit = Number(frame.dataset.idleMinutes) * 60_000;
  if (!limit || !frame.dataset.lockUrl) return undefined;
  let warning = null;
  let noted = 0;
  let told = Date.now(); // loading the page told the server

  const active = () => {
    warning?.remove();
    warning = null;
    if (Date.now() - noted < 1000) return;
    noted = Date.now();
    remember("active", noted);
    if (noted - told < AWAKE_MS || !frame.dataset.awakeUrl) return;
    told = noted;
    post(frame.dataset.awakeUrl).catch(() => {});
  };
  const look = async () => {
    const since = Math.max(noted, recall("active") ?? 0);
    const left = since + limit - Date.now();
    if (left > WARN_MS) {
      warning?.remove();
      warning = null;
    } else if (left > 0) {
      warning ??= toast(text("idle", { time: clock(since + limit) }), "warning");
    } else {
      clearInterval(timer);
      const here = { next: location.pathname + location.search };
      const response = await post(frame.dataset.lockUrl, here).catch(() => null);
      if (response?.redirected) location.assign(response.url);
      else location.reload();
    }
  };
  active();
  SIGNS.forEach((sign) => document.addEventListener(sign, active, { passive: true }));
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    SIGNS.forEach((sign) => document.removeEventListener(sign, active));
  };
}
