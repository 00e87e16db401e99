// What the scripts say, in the reader's language: the data block the template tag script_texts writes.
const block = document.getElementById("script-texts");
const texts = block ? JSON.parse(block.textContent) : {};

export function text(key, values = {}) {
  return texts[key].replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

export function number(value) {
  return new Intl.NumberFormat(document.documentElement.lang).format(value);
}

export function clock(moment) {
  return new Intl.DateTimeFormat(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  }).format(moment);
}
