// Who is there, as a page shows them: initials in a ring and what they do, in words.
import { text } from "./texts.js";

const LONG_S = 60;
const DOING = { reply: "here_reply", note: "here_note", said: "here_said", data: "here_data" };

export function words({ name, doing, seconds }) {
  if (doing === "reply" && seconds >= LONG_S) {
    return text("here_reply_long", { name, minutes: Math.floor(seconds / 60) });
  }
  return text(DOING[doing] ?? "here_looks", { name });
}

function person(one) {
  const piece = document.createElement("span");
  piece.className = one.doing ? "v-here-one is-writing" : "v-here-one";
  const mark = document.createElement("span");
  mark.className = `v-avatar v-av${one.tint} v-avatar-s v-avatar-here`;
  mark.setAttribute("aria-hidden", "true");
  mark.textContent = one.initials;
  const said = document.createElement("span");
  said.textContent = words(one);
  piece.append(mark, said);
  return piece;
}

// Changes nothing while they do nothing else, so that nobody is read out twice.
export function show(place, people) {
  const now = people.map((one) => `${one.who} ${words(one)}`).join("\n");
  if (place.dataset.shown === now) return;
  place.dataset.shown = now;
  place.replaceChildren(...people.map(person));
}
