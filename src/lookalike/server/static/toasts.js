// Short words at the foot of the page, and what is told to screen readers.
import { spoken, toasts } from "./state.js";
import { errorWords, t } from "./i18n.js";

const SHOWN_MS = 7000;
let last = 0;

/** Show words for a while. options: {undo: act} adds a button; {kind: "error", details: the library's own line}. */
export function say(text, options = {}) {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, text, ...options }];
  setTimeout(() => dismiss(id), options.kind === "error" ? 2 * SHOWN_MS : SHOWN_MS);
  return id;
}

export function sayError(error) {
  if (["aborted", "server.gone", "access.token", "cancelled"].includes(error.code)) return;
  if (!error.code) throw error;
  say(errorWords(error), { kind: "error", details: error.message });
}

export function dismiss(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

let waiting = null;
let spokenAt = 0;
/** Tell screen readers, at most every five seconds; the newest words win. */
export function tell(key, values) {
  clearTimeout(waiting);
  const wait = Math.max(0, spokenAt + 5000 - Date.now());
  waiting = setTimeout(() => {
    spokenAt = Date.now();
    spoken.value = t(key, values);
  }, wait);
}
