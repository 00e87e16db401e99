// Parts of a page that wait for other systems: asked for a few at once, so that what a person does meanwhile
// finds a connection free; one whose turn has not come asks again by itself, one that fails says so.
//   <div data-controller="parts"><section id="…" data-part="URL" aria-busy="true">…<template>failed</template></section>…
const AT_ONCE = 4;
const PAUSE = 1000; // ms until one that was told to wait asks again
const PATIENCE = 15; // times

export default function parts(box) {
  const waiting = [...box.querySelectorAll("[data-part][aria-busy]")].map((part) => ({ id: part.id, tries: 0 }));
  const timers = new Set();
  let running = 0;
  let gone = false;

  function go() {
    while (!gone && running < AT_ONCE && waiting.length) ask(waiting.shift());
  }

  async function ask(one) {
    const part = document.getElementById(one.id);
    if (!part) return;
    running += 1;
    const failed = part.querySelector("template");
    try {
      await window.htmx.ajax("GET", part.dataset.part, { source: part, target: part, swap: "outerHTML" });
    } catch {
      // said below
    }
    running -= 1;
    const now = document.getElementById(one.id);
    if (now?.hasAttribute("aria-busy") && failed) fail(now, failed);
    else if (now?.hasAttribute("data-wait") && one.tries < PATIENCE) later({ ...one, tries: one.tries + 1 });
    go();
  }

  function later(one) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      waiting.push(one);
      go();
    }, PAUSE);
    timers.add(timer);
  }

  function fail(part, failed) {
    part.removeAttribute("aria-busy");
    part.replaceChildren(part.querySelector("h3"), failed.content.cloneNode(true), failed);
    part.querySelector("[data-again]").addEventListener("click", () => {
      part.setAttribute("aria-busy", "true");
      waiting.push({ id: part.id, tries: 0 });
      go();
    });
  }

  go();
  return () => {
    gone = true;
    timers.forEach(clearTimeout);
  };
}
