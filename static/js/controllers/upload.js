// Files dropped or chosen. Wrong kinds and sizes are refused by name at once; the server judges again.
//   component « upload »: in a form the files travel with it; with data-url each is posted as `file`,
//   with the other fields of the form around it
import { reason, token } from "../lib/http.js";
import { announce } from "../lib/say.js";
import { number, text } from "../lib/texts.js";

function megabytes(bytes) {
  return `${number(Math.round(bytes / 104_857.6) / 10)} MB`;
}

function accepted(file, accept) {
  if (!accept) return true;
  return accept.split(",").map((kind) => kind.trim().toLowerCase()).some((kind) => (
    kind.startsWith(".") ? file.name.toLowerCase().endsWith(kind)
      : kind.endsWith("/*") ? file.type.startsWith(kind.slice(0, -1))
        : file.type === kind
  ));
}

export default function upload(drop) {
  const input = drop.querySelector("input[type=file]");
  const list = drop.querySelector("[data-list]");

  function refusal(file) {
    const filename = file.name;
    if (!accepted(file, input.accept)) {
      return text("upload_type", { filename, formats: drop.dataset.formats });
    }
    if (file.size > Number(drop.dataset.maxBytes)) {
      return text("upload_size", { filename, size: megabytes(file.size), limit: drop.dataset.limit });
    }
    return "";
  }

  function line(words, refused = false) {
    const item = document.createElement("li");
    item.textContent = words;
    item.classList.toggle("is-refused", refused);
    list.append(item);
    if (refused) announce(words);
    return item;
  }

  function travel(file) {
    const item = line(file.name);
    const bar = document.createElement("progress");
    bar.className = "v-progress";
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    item.append(bar);
    const fields = new FormData(drop.closest("form") ?? undefined);
    fields.set("file", file);
    const request = new XMLHttpRequest();
    const failed = (words) => {
      item.remove();
      line(words.includes(file.name) ? words : `${file.name}: ${words}`, true);
    };
    request.open("POST", drop.dataset.url);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / event.total; });
    request.addEventListener("error", () => failed(text("failed")));
    request.addEventListener("load", () => {
      if (request.status >= 400) {
        return failed(reason(request.responseText, request.getResponseHeader("content-type") ?? ""));
      }
      item.remove();
      announce(text("upload_done", { filename: file.name }));
      const target = document.querySelector(drop.dataset.target);
      if (target) htmx.swap(target, request.responseText, { swapStyle: "beforeend" });
    });
    request.send(fields);
  }

  function take(files) {
    list.replaceChildren();
    const good = files.filter((file) => {
      const words = refusal(file);
      if (words) line(words, true);
      return !words;
    });
    if (drop.dataset.url) {
      good.forEach(travel);
      input.value = "";
      return;
    }
    const kept = new DataTransfer();
    good.slice(0, input.multiple ? undefined : 1).forEach((file) => {
      kept.items.add(file);
      line(`${file.name}, ${megabytes(file.size)}`);
    });
    input.files = kept.files;
  }

  input.addEventListener("change", () => take([...input.files]));
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    take([...event.dataTransfer.files]);
  });
}
