// One WebSocket for the whole page. Streams are followed by number, so nothing is lost by a break:
//   client → {"type": "subscribe", "stream", "after"}  {"type": "unsubscribe", "stream"}  {"type": "ping"}
//   server → {"type": "event", "stream", "seq", "patch"}   {"type": "caught_up", "stream", "seq"}
//            {"type": "resync", "stream", "seq"}: too much was missed, fetch the whole again
//            {"type": "denied", "stream", "reason"}        {"type": "pong"}
//            {"type": "hint", "stream", "hint"}: true for a moment only, without a number
//   client → {"type": "here", "stream", "doing"}: I am there (again each 20 s); what I do, "" for looking
//            {"type": "who", "streams"}   server → {"type": "who", "asked", "here": {stream: people}}
// Close code 4401: signed out or suspended. 4403: refused. Anything else: try again, with patience.
// Tells the document: live:up, live:down (detail.since), so that pages can say what is still true.
const PING_MS = 25_000;
const SILENCE_MS = 10_000;
const LONGEST_WAIT_MS = 30_000;
const STEADY_MS = 5000; // a link that held this long counts as good: patience starts anew
const RELOAD_MS = 15_000; // never reload twice within this, whatever the server says

const streams = new Map(); // name -> { after, listeners: Set }
let socket = null;
let attempts = 0;
let lastHeard = new Date();
let up = false;
let refused = false;
let pulse = 0;
let silence = 0;
let steady = 0;

export const isUp = () => up;

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

// The person is at the thing of a stream that this page follows.
export const beHere = (stream, doing) => send({ type: "here", stream, doing });
// Who is at these? « live:who » tells the document.
export const askWho = (asked) => send({ type: "who", streams: asked });

function ask(name) {
  send({ type: "subscribe", stream: name, after: streams.get(name).after });
}

function hear({ type, stream: name, seq, patch, reason, hint, asked, here }) {
  if (type === "who") return tell("live:who", { asked, here });
  const stream = streams.get(name);
  if (type === "pong" || !stream) return;
  if (type === "denied") {
    stream.listeners.forEach((listener) => listener.denied?.(reason));
    streams.delete(name);
    return;
  }
  if (type === "hint") return stream.listeners.forEach((listener) => listener.hint?.(hint));
  if (type === "event") {
    if (seq <= stream.after) return; // told twice
    if (stream.after && seq > stream.after + 1) return ask(name); // a gap: ask for what is missing
    stream.after = seq;
    stream.listeners.forEach((listener) => listener.patch(patch, seq));
    return;
  }
  stream.after = Math.max(stream.after, seq);
  if (type === "resync") stream.listeners.forEach((listener) => listener.resync?.());
}

function beat() {
  send({ type: "ping" });
  silence = setTimeout(() => socket?.close(), SILENCE_MS);
}

function opened() {
  up = true;
  steady = setTimeout(() => { attempts = 0; }, STEADY_MS);
  lastHeard = new Date();
  pulse = setInterval(beat, PING_MS);
  streams.forEach((_, name) => ask(name));
  tell("live:up");
}

// The reloaded page is the sign-in or the lock; if it is not, the server is confused and we wait.
function signInAgain() {
  const last = Number(sessionStorage.getItem("ventanilla:reloaded"));
  if (Date.now() - last < RELOAD_MS) return;
  sessionStorage.setItem("ventanilla:reloaded", Date.now());
  location.reload();
}

function closed(event) {
  clearInterval(pulse);
  clearTimeout(silence);
  clearTimeout(steady);
  socket = null;
  if (up || attempts === 0) tell("live:down", { since: lastHeard });
  up = false;
  if (event.code === 4401) return signInAgain();
  refused = event.code === 4403;
  if (refused) return;
  const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempts);
  attempts += 1;
  setTimeout(connect, wait / 2 + Math.random() * (wait / 2));
}

export function connect() {
  if (socket || refused) return;
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`);
  socket.addEventListener("open", opened);
  socket.addEventListener("close", closed);
  socket.addEventListener("message", (event) => {
    lastHeard = new Date();
    clearTimeout(silence);
    hear(JSON.parse(event.data));
  });
}

// Follow a stream from after its number `after`; listener { patch(patch, seq), resync(), denied(reason), hint(hint) }.
// Returns the function that stops it.
export function subscribe(name, listener, after = 0) {
  const stream = streams.get(name) ?? { after, listeners: new Set() };
  const first = stream.listeners.size === 0;
  stream.listeners.add(listener);
  streams.set(name, stream);
  connect();
  if (first) ask(name);
  return () => {
    stream.listeners.delete(listener);
    if (stream.listeners.size === 0 && streams.delete(name)) send({ type: "unsubscribe", stream: name });
  };
}
