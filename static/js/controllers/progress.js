// Long work, followed live; while the live link is down, by asking every few seconds.
//   component « progress »: data-stream, data-url; both give {done, total, rate, text, finished, html}
import { isUp, subscribe } from "../lib/live.js";
import { announce, toast } from "../lib/say.js";
import { getJson } from "../lib/http.js";
import { number, text } from "../lib/texts.js";

const ASK_MS = 3000;

export default function progress(work) {
  if ("finished" in work.dataset) return undefined;
  const bar = work.querySelector("progress");
  const figures = work.querySelector("[data-figures]");
  const words = work.querySelector("[data-text]");
  let stop = () => {};
  let timer = 0;

  function show({ done, total, rate, text: sentence, finished, html }) {
    if (total) {
      bar.max = total;
      bar.value = done;
    }
    figures.textContent = total
      ? text("progress", { done: number(done), total: number(total) })
      : number(done ?? 0);
    if (sentence) words.textContent = sentence;
    else if (rate) words.textContent = text("progress_rate", { rate: number(Math.round(rate)) });
    if (!finished) return;
    stop();
    clearInterval(timer);
    if (sentence) announce(sentence);
    if (html) work.outerHTML = html;
    work.dispatchEvent(new CustomEvent("progress:finished", { bubbles: true }));
  }

  async function ask() {
    if (!work.dataset.url || (work.dataset.stream && isUp())) return;
    try {
      show(await getJson(work.dataset.url));
    } catch (error) {
      words.textContent = error.message;
    }
  }

  async function refetch() {
    try {
      show(await getJson(work.dataset.url));
    } catch (error) {
      toast(error.message, "error");
    }
  }

  if (work.dataset.stream) stop = subscribe(work.dataset.stream, { patch: show, resync: refetch });
  timer = setInterval(ask, ASK_MS);
  return () => {
    stop();
    clearInterval(timer);
  };
}
