// Copies a value. Where the browser refuses the clipboard, the value is selected instead.
//   component « copy »: data-value
import { toast } from "../lib/say.js";
import { text } from "../lib/texts.js";

export default function copy(element) {
  element.querySelector("button").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(element.dataset.value);
      toast(text("copied"));
    } catch {
      getSelection().selectAllChildren(element.firstElementChild);
    }
  });
}
