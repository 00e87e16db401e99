// What this device remembers. A browser may refuse storage: then nothing is remembered, nothing breaks.
export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(`ventanilla:${key}`));
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(`ventanilla:${key}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function forget(key) {
  try {
    localStorage.removeItem(`ventanilla:${key}`);
  } catch {
    // nothing was kept
  }
}
