// Requests to our own server. A refusal becomes an Error whose message the person can read.
import { text } from "./texts.js";

export function token() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

// The sentence of a refusal: an RFC 9457 problem's detail, else a general one.
export function reason(body, contentType = "") {
  if (!contentType.includes("json")) return text("failed");
  try {
    const problem = JSON.parse(body);
    return problem.detail || problem.title || text("failed");
  } catch {
    return text("failed");
  }
}

async function answer(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(text("network"), { cause: error });
  }
  if (!response.ok) {
    throw new Error(reason(await response.text(), response.headers.get("content-type") ?? ""));
  }
  return response;
}

// `passive`: the page asks by itself; that nobody need be there for it, the idle lock is told.
export function post(url, fields = {}, { passive = false } = {}) {
  const own = passive ? { "X-Passive": "1" } : {};
  return answer(url, {
    method: "POST",
    headers: { "X-CSRFToken": token(), Accept: "application/json", ...own },
    body: new URLSearchParams(fields),
  });
}

export async function getJson(url, signal, { passive = false } = {}) {
  const own = passive ? { "X-Passive": "1" } : {};
  const response = await answer(url, { headers: { Accept: "application/json", ...own }, signal });
  return response.json();
}
