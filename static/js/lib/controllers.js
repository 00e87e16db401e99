// Connects elements to controllers as they come and disconnects them as they go.
const connected = new WeakMap(); // element -> Map(controller name -> clean-up or undefined)

async function connect(element, loaders) {
  const mine = connected.get(element) ?? new Map();
  connected.set(element, mine);
  for (const name of element.dataset.controller.split(/\s+/).filter(Boolean)) {
    if (mine.has(name)) continue;
    if (!loaders[name]) throw new Error(`There is no controller called ${name}.`);
    mine.set(name, undefined);
    const module = await loaders[name]();
    if (element.isConnected) mine.set(name, module.default(element));
  }
}

function disconnect(element) {
  for (const cleanUp of connected.get(element)?.values() ?? []) cleanUp?.();
  connected.delete(element);
}

function each(node, act) {
  if (!(node instanceof Element)) return;
  if (node.dataset.controller) act(node);
  node.querySelectorAll("[data-controller]").forEach(act);
}

// The page says data-ready on <html> once everything it came with is connected.
export async function observe(loaders) {
  const first = [];
  each(document.documentElement, (element) => first.push(connect(element, loaders)));
  new MutationObserver((changes) => {
    for (const change of changes) {
      change.removedNodes.forEach((node) => each(node, (e) => e.isConnected || disconnect(e)));
      change.addedNodes.forEach((node) => each(node, (e) => connect(e, loaders)));
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
  await Promise.allSettled(first);
  document.documentElement.dataset.ready = "";
}
