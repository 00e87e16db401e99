// When a single key may act: shortcuts are on, nobody is typing, no dialog is open, no modifier.
const WITHOUT_TEXT = /^(button|checkbox|file|radio|reset|submit)$/; // letters mean nothing to these

export function typing(target) {
  if (target.tagName === "INPUT") return !WITHOUT_TEXT.test(target.type);
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}

export function singleKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (document.documentElement.dataset.shortcuts === "off") return false;
  if (typing(event.target)) return false;
  return !document.querySelector("dialog[open]");
}

export function visible(element) {
  return element.checkVisibility();
}

// What the palette and the keys may use: what is seen, and what a closed menu holds for them.
export function reachable(element) {
  return visible(element) || "anywhere" in element.dataset;
}
