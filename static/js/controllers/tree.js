// A tree of links with one stop in the tab order (WAI-ARIA tree view): arrows, Home, End, a letter.
//   ul[role=tree] > li[role=treeitem] with a link and, where it has branches, a button [data-fold]
//   and ul[role=group]; what is folded is remembered while the page is open
export default function tree(root) {
  const all = [...root.querySelectorAll("[role=treeitem]")];
  if (!all.length) return undefined;
  const group = (item) => item.querySelector(":scope > [role=group]");
  const link = (item) => item.querySelector("a");
  const parent = (item) => item.parentElement.closest("[role=treeitem]");
  const seen = () => all.filter((item) => !item.parentElement.closest("[role=group][hidden]"));

  function stand(item) {
    for (const other of all) other.tabIndex = other === item ? 0 : -1;
    item.focus();
  }

  function fold(item, shut) {
    const branches = group(item);
    if (!branches) return;
    branches.hidden = shut;
    item.setAttribute("aria-expanded", String(!shut));
  }

  function startsWith(letter, after) {
    const items = seen();
    const from = items.indexOf(after) + 1;
    const turned = [...items.slice(from), ...items.slice(0, from)];
    return turned.find((item) => link(item).textContent.trim().toLowerCase().startsWith(letter));
  }

  function step(event, item) {
    const items = seen();
    const at = items.indexOf(item);
    const shut = group(item)?.hidden;
    switch (event.key) {
      case "ArrowDown": return items[at + 1];
      case "ArrowUp": return items[at - 1];
      case "Home": return items[0];
      case "End": return items.at(-1);
      case "ArrowRight":
        if (shut) fold(item, false);
        return shut === false ? items[at + 1] : item;
      case "ArrowLeft":
        if (shut === false) fold(item, true);
        return shut === false ? item : parent(item);
      default:
        return event.key.length === 1 ? startsWith(event.key.toLowerCase(), item) : undefined;
    }
  }

  function keydown(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") return link(item).click();
    const to = step(event, item);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation(); // a letter here looks for a name, it is no shortcut of the page
    stand(to);
  }

  function click(event) {
    const button = event.target.closest("[data-fold]");
    if (!button) return;
    const item = button.closest("[role=treeitem]");
    fold(item, !group(item).hidden);
    stand(item);
  }

  for (const item of all) {
    item.tabIndex = -1;
    link(item).tabIndex = -1;
  }
  all[0].tabIndex = 0;
  root.addEventListener("keydown", keydown);
  root.addEventListener("click", click);
  return undefined;
}
