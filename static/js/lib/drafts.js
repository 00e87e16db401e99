// Drafts kept by the server. An answer that is no data (signed out, no link) counts as no answer: what was
// typed stays on this device and goes when the link is back.
import { token } from "./http.js";

// { status, body }; status 0: nobody answered. `leaving`: the page goes, the request does not.
export async function tell(url, fields = {}, { leaving = false } = {}) {
  try {
    const response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      keepalive: leaving,
      headers: { "X-CSRFToken": token(), Accept: "application/json" },
      body: new URLSearchParams(fields),
    });
    if (!response.headers.get("content-type")?.includes("json")) return { status: 0, body: null };
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: null };
  }
}

export function kept() {
  const block = document.getElementById("composer-drafts");
  return block ? JSON.parse(block.textContent) : {};
}
