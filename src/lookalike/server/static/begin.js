// What every page waits for is asked at once, while the other modules are still on their way.
import { api } from "./api.js";
import { loadWords } from "./i18n.js";

export const words = loadWords();
let session = api("/api/session");
session.catch(() => {}); // whoever takes it sees what went wrong

/** The first answer, once; null afterwards. */
export function firstSession() {
  const found = session;
  session = null;
  return found;
}
