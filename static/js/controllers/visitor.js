// The chat in its frame: the form before it, the conversation, its end. The token is kept by this browser
// for the frame's own address (and, in private windows, for as long as the page lives). The server is the
// truth: the socket says only that there is something new, and after a break what was missed is asked for.
//   template channels_app/widget.html
import { forget, recall, remember } from "../lib/store.js";
import { clock } from "../lib/texts.js";

const PING_MS = 25_000;
const LONGEST_WAIT_MS = 20_000;
const TYPING_EVERY_MS = 2500;
const TYPING_SHOWN_MS = 5000;

const uuid = () => crypto.randomUUID?.()
  ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (
    c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

export default function visitor(main) {
  const place = `chat:${main.dataset.key}`;
  const parts = Object.fromEntries(
    [...main.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
  );
  const { form, talk, log, status, typing, preparing, composer, done, problem, left } = parts;
  const draft = `${place}:draft`;
  let token = recall(place)?.token ?? null;
  let known = 0; // number of the newest message shown
  let seq = 0;
  let state = {};
  let socket = null;
  let attempts = 0;
  let pulse = 0;
  let typedAt = 0;
  let typingTimer = 0;
  let fetching = null;
  let again = false;
  let gone = false;
  let shown = !document.hidden;
  const startKey = () => {
    const kept = recall(`${place}:start`) ?? uuid();
    remember(`${place}:start`, kept);
    return kept;
  };

  function say(words) {
    status.textContent = words;
  }

  function show(part) {
    for (const one of [form, talk, left]) one.hidden = one !== part;
    main.dataset.view = part.dataset.part;
  }

  async function ask(path, { method = "GET", body, raw = false } = {}) {
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(path, {
        method,
        headers,
        credentials: "omit",
        body: body instanceof FormData ? body : body && JSON.stringify(body),
      });
    } catch (cause) {
      throw Object.assign(new Error(main.dataset.textNetwork, { cause }), { network: true });
    }
    if (raw && response.ok) return response;
    const answer = response.status === 204 || response.status === 202 ? {} : await response.json();
    if (!response.ok) {
      const first = answer.errors?.[0]?.detail ?? answer.detail ?? main.dataset.textNetwork;
      throw Object.assign(new Error(first), {
        status: response.status,
        code: answer.type?.split("/").pop(),
        errors: answer.errors ?? [],
      });
    }
    return answer;
  }

  // --- what is shown

  function bubble(message) {
    const item = document.createElement("li");
    item.className = `chat-msg${message.mine ? " is-mine" : ""}`;
    item.dataset.number = message.number ?? "";
    if (message.key) item.dataset.key = message.key;
    const meta = document.createElement("p");
    meta.className = "chat-meta";
    const who = document.createElement("b");
    who.textContent = message.mine ? main.dataset.textMe : message.author;
    meta.append(who);
    if (message.at) {
      const time = document.createElement("time");
      time.dateTime = message.at;
      time.textContent = clock(new Date(message.at));
      meta.append(" ", time);
    }
    item.append(meta);
    if (message.text) {
      const words = document.createElement("p");
      words.className = "chat-text";
      words.textContent = message.text;
      item.append(words);
    }
    for (const source of message.sources ?? []) {
      if (!/^https?:\/\/|^\//.test(source.url ?? "")) continue;
      const link = document.createElement("a");
      link.href = source.url;
      link.target = "_blank";
      link.rel = "noopener";
      link.textContent = source.title;
      item.append(link);
    }
    for (const file of message.files ?? []) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chat-file";
      button.textContent = file.name;
      button.addEventListener("click", () => download(file));
      item.append(button);
    }
    return item;
  }

  function add(message) {
    const mine = message.key && log.querySelector(`[data-key="${CSS.escape(message.key)}"]`);
    const item = bubble(message);
    if (mine) mine.replaceWith(item);
    else if (!log.querySelector(`[data-number="${message.number}"]`)) log.append(item);
    known = Math.max(known, message.number ?? 0);
    log.parentElement.scrollTop = log.parentElement.scrollHeight;
  }

  async function download(file) {
    try {
      const response = await ask(`${main.dataset.inside}archivo/${file.id}/`, { raw: true });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      trouble(error.message);
    }
  }

  function trouble(words = "") {
    problem.hidden = !words;
    problem.querySelector("[data-words]").textContent = words;
  }

  function standing() {
    const waits = state.state === "waiting";
    talk.classList.toggle("is-ended", Boolean(state.ended));
    composer.hidden = Boolean(state.ended);
    parts.end.hidden = Boolean(state.ended);
    parts.person.hidden = state.state !== "machine";
    done.hidden = !state.ended;
    if (state.ended) log.parentElement.scrollTop = log.parentElement.scrollHeight; // it has just grown smaller
    if (state.ended) say(main.dataset[state.ended_by === "citizen" ? "textEndedByYou" : "textEnded"]);
    else if (state.state === "machine") say(main.dataset.textMachine);
    else if (waits) {
      say(state.position ? main.dataset.textPosition.replace("{}", state.position) : main.dataset.textWaiting);
    } else say(main.dataset.textAttended.replace("{}", state.attended_by));
  }

  // --- what is true

  async function refresh() {
    if (fetching) {
      again = true;
      return fetching;
    }
    fetching = (async () => {
      do {
        again = false;
        const fresh = await ask(`${main.dataset.inside}?after=${known}`);
        const new_ones = fresh.messages.filter((message) => message.number > known);
        new_ones.forEach(add);
        seq = Math.max(seq, fresh.seq);
        state = fresh;
        standing();
        // the hint comes once: who was not connected yet, or has loaded the page again, learns it here
        if (fresh.preparing) busy(preparing, fresh.preparing * 1000);
        else preparing.hidden = true;
        if (new_ones.some((message) => !message.mine)) {
          if (!shown) parent.postMessage({ ventanilla: "unread" }, "*"); // says nothing but that
          seen();
        }
      } while (again);
    })();
    try {
      await fetching;
      trouble();
    } catch (error) {
      if (error.status === 401) return leaveBehind();
      trouble(error.message);
    } finally {
      fetching = null;
    }
  }

  function seen() {
    if (!shown || !known || document.hidden) return;
    ask(`${main.dataset.inside}leido/`, { method: "POST", body: { number: known } }).catch(() => {});
  }

  function connect() {
    if (socket || gone || !token) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/ws/chat/`);
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ type: "hello", token, after: seq }));
      pulse = setInterval(() => socket?.send(JSON.stringify({ type: "ping" })), PING_MS);
      attempts = 0;
      refresh();
      flush();
    });
    socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      clearInterval(pulse);
      socket = null;
      if (gone) return;
      if (event.code === 4401) return refresh();
      trouble(main.dataset.textReconnecting);
      const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempts);
      attempts += 1;
      setTimeout(connect, wait / 2 + Math.random() * (wait / 2));
    });
  }

  function quiet() {
    clearTimeout(typingTimer);
    typing.hidden = true;
    preparing.hidden = true;
  }

  function busy(part, milliseconds) {
    quiet();
    part.hidden = false;
    log.parentElement.scrollTop = log.parentElement.scrollHeight;
    typingTimer = setTimeout(quiet, milliseconds);
  }

  function hear(frame) {
    if (frame.type === "hint" && frame.hint.typing) {
      const machine = frame.hint.typing === "machine";
      busy(machine ? preparing : typing, machine ? frame.hint.seconds * 1000 : TYPING_SHOWN_MS);
    } else if (frame.type === "queue") {
      state.position = frame.position;
      standing();
    } else if (frame.type === "event") {
      if (frame.seq <= seq) return;
      seq = frame.seq;
      quiet();
      refresh();
    } else if (frame.type === "resync") {
      seq = frame.seq;
      refresh();
    }
  }

  function enter() {
    show(talk);
    connect();
    return refresh();
  }

  function leaveBehind() {
    gone = true;
    socket?.close();
    forget(place);
    forget(`${place}:start`);
    forget(`${place}:outbox`);
    token = null;
    location.reload();
  }

  // --- before the conversation

  function errorsOf(error) {
    form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
    form.querySelectorAll("[data-error-of]").forEach((slot) => { slot.textContent = ""; });
    let first = null;
    for (const { pointer, detail } of error?.errors ?? []) {
      const name = pointer.slice(1);
      const field = form.elements[name];
      const slot = form.querySelector(`[data-error-of="${name}"]`);
      if (!field || !slot) continue;
      field.setAttribute("aria-invalid", "true");
      slot.textContent = detail;
      first ??= field;
    }
    first?.focus();
    trouble(error && !first ? error.message : "");
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const fields = form.elements;
    const body = {
      key: startKey(),
      ticket: main.dataset.ticket,
      language: document.documentElement.lang,
      name: fields.name.value,
      address: fields.address.value,
      reason: fields.reason?.value ?? "",
      text: fields.text.value,
      consent: fields.consent?.checked ? Number(fields.consent.value) : 0,
    };
    try {
      const open = form.dataset.attended === "yes";
      const answer = await ask(`${main.dataset.base}${open ? "empezar/" : "dejar/"}`, { method: "POST", body });
      errorsOf(null);
      forget(`${place}:form`);
      forget(`${place}:start`);
      if (answer.token) {
        token = answer.token;
        remember(place, { token });
        await enter();
        fields.text.value = "";
        composer.elements.text.focus();
      } else {
        left.querySelector("[data-reference]").textContent = answer.reference;
        left.querySelector("[data-back]").textContent = answer.back || left.querySelector("[data-back]").textContent;
        show(left);
        left.querySelector("h1").focus();
      }
    } catch (error) {
      if (error.code === "closed") {
        form.dataset.attended = "no";
        main.classList.add("is-closed");
        form.querySelectorAll("[data-when]").forEach((part) => { part.hidden = part.dataset.when !== "closed"; });
      }
      errorsOf(error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  form.addEventListener("input", () => {
    remember(`${place}:form`, Object.fromEntries(
      ["name", "address", "text"].map((name) => [name, form.elements[name].value]),
    ));
  });
  const before = recall(`${place}:form`);
  if (before) for (const [name, value] of Object.entries(before)) form.elements[name].value ||= value;

  // --- writing: what was sent stands at once, and is sent again until the server has it

  const outbox = () => recall(`${place}:outbox`) ?? [];
  let flushing = false;

  async function flush() {
    if (flushing) return;
    flushing = true;
    try {
      for (let next = outbox()[0]; next; [next] = outbox()) {
        try {
          add(await ask(`${main.dataset.inside}decir/`, { method: "POST", body: next }));
        } catch (error) {
          if (error.network || error.status >= 500 || error.status === 429) {
            trouble(error.message);
            setTimeout(flush, 4000);
            return;
          }
          trouble(error.message);
          log.querySelector(`[data-key="${CSS.escape(next.key)}"]`)?.classList.add("is-lost");
          if (!composer.elements.text.value) composer.elements.text.value = next.text; // never lost
        }
        remember(`${place}:outbox`, outbox().filter((one) => one.key !== next.key));
      }
    } finally {
      flushing = false;
    }
  }

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const box = composer.elements.text;
    const text = box.value.trim();
    if (!text) return;
    const message = { key: uuid(), text };
    remember(`${place}:outbox`, [...outbox(), message]);
    const item = bubble({ ...message, mine: true });
    item.classList.add("is-sending");
    log.append(item);
    log.parentElement.scrollTop = log.parentElement.scrollHeight;
    box.value = "";
    forget(draft);
    box.focus();
    flush();
  });
  composer.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });
  composer.elements.text.addEventListener("input", () => {
    remember(draft, composer.elements.text.value);
    if (Date.now() - typedAt < TYPING_EVERY_MS || socket?.readyState !== WebSocket.OPEN) return;
    typedAt = Date.now();
    socket.send(JSON.stringify({ type: "typing" }));
  });
  composer.elements.text.value = recall(draft) ?? "";

  composer.elements.file.addEventListener("change", async () => {
    const [file] = composer.elements.file.files;
    composer.elements.file.value = "";
    if (!file) return;
    const fields = new FormData();
    fields.set("file", file);
    fields.set("key", uuid());
    say(main.dataset.textSending.replace("{}", file.name));
    try {
      add(await ask(`${main.dataset.inside}archivo/`, { method: "POST", body: fields }));
      trouble();
    } catch (error) {
      trouble(error.message);
    } finally {
      standing();
    }
  });

  // --- a person, whenever the visitor wants one

  parts.person.querySelector("button").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await ask(`${main.dataset.inside}persona/`, { method: "POST", body: {} });
      trouble();
      await refresh();
      composer.elements.text.focus();
    } catch (error) {
      trouble(error.message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });

  // --- the end

  parts.end.addEventListener("click", () => parts.ask.showModal());
  parts.ask.addEventListener("close", async () => {
    if (parts.ask.returnValue !== "end") return;
    try {
      state = await ask(`${main.dataset.inside}fin/`, { method: "POST", body: {} });
      standing();
      done.querySelector("h2").focus();
    } catch (error) {
      trouble(error.message);
    }
  });
  parts.copy.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask(`${main.dataset.inside}copia/`, {
        method: "POST",
        body: { address: parts.copy.elements.address.value },
      });
      trouble();
      parts.copied.hidden = false;
      parts.copied.focus();
    } catch (error) {
      trouble(error.message);
    }
  });
  parts.anew.addEventListener("click", leaveBehind);
  parts.close.addEventListener("click", () => parent.postMessage({ ventanilla: "close" }, "*"));
  parts.close.hidden = parent === window;

  const visible = () => {
    if (!document.hidden && token) {
      connect();
      seen();
    }
  };
  const told = (event) => {
    if (event.source !== parent) return;
    if (event.data?.ventanilla === "opened") {
      shown = true;
      seen();
    }
    if (event.data?.ventanilla === "closed") shown = false;
  };
  document.addEventListener("visibilitychange", visible);
  window.addEventListener("online", visible);
  window.addEventListener("message", told);
  parts.copy.elements.address.value = form.elements.address.value;

  if (token) {
    for (const waiting of outbox()) {
      const item = bubble({ ...waiting, mine: true });
      item.classList.add("is-sending");
      log.append(item);
    }
    enter();
  } else show(form);
  return () => {
    gone = true;
    socket?.close();
    document.removeEventListener("visibilitychange", visible);
    window.removeEventListener("online", visible);
    window.removeEventListener("message", told);
  };
}
