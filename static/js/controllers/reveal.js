// Shows a masked value for half a minute; the server is asked by POST, and logs it.
//   component « masked »: data-url answers {"value": "…"}
import { post } from "../lib/http.js";
import { announce, toast } from "../lib/say.js";

const SHOWN_MS = 30_000;

export default function reveal(element) {
  const words = element.querySelector("[data-text]");
  const button = element.querySelector("button");
  const masked = words.textContent;
  let timer = 0;
  button?.addEventListener("click", async () => {
    try {
      const { value } = await (await post(element.dataset.url)).json();
      words.textContent = value;
      button.hidden = true;
      announce(value);
      timer = setTimeout(() => {
        words.textContent = masked;
        button.hidden = false;
      }, SHOWN_MS);
    } catch (error) {
      toast(error.message, "error");
    }
  });
  return () => clearTimeout(timer);
}
