// Judgements that could not be sent: kept in this browser, sent when they can be; of all tabs one sends at a time.
import { unsent } from "./state.js";
import { api, of } from "./api.js";
import { sayError } from "./toasts.js";

const KEY = "lookalike.unsent";
const LATER = ["server.gone", "access.token", "server.busy", "collection.offline", "storage.unreachable"];
const BUSY_MS = 2000;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

/** Those of the collection that is shown: the others wait for the server that has theirs. */
const mine = () => read().filter((one) => one.path.startsWith(of("/")));

function write(list) {
  localStorage.setItem(KEY, JSON.stringify(list));
  unsent.value = mine().length;
}

function remove(entry) {
  const list = read();
  const at = list.findLastIndex((one) => one.id === entry.id);
  write(list.filter((_, place) => place !== at));
}

/** Two tabs that send the same list would send it twice. */
const alone = (act) => (navigator.locks ? navigator.locks.request(KEY, act) : act());

/** Send a judgement, or keep it for later: {path, method, body}. Returns the answer, or null when it was kept. */
export async function sendSurely(path, options) {
  try {
    if (mine().length) throw Object.assign(new Error(), { code: "server.gone" }); // in their order
    return await api(path, options);
  } catch (error) {
    if (!LATER.includes(error.code)) throw error;
    write([...read(), { id: `${Date.now()} ${Math.random()}`, path, ...options }]);
    sendUnsent();
    return null;
  }
}

/** Take back the last one that waits; returns it, or null where none does. */
export function dropUnsent() {
  const last = mine().at(-1) ?? null;
  if (last) remove(last);
  return last;
}

/** Send what waits, in its order. */
export async function sendUnsent() {
  unsent.value = mine().length;
  if (!unsent.value) return;
  await alone(async () => {
    for (let [first] = mine(); first; [first] = mine()) {
      const { path, method, body } = first;
      try {
        await api(path, { method, body });
      } catch (error) {
        if (error.code === "server.busy") setTimeout(sendUnsent, BUSY_MS);
        if (LATER.includes(error.code)) return;
        sayError(error); // refused for good
      }
      remove(first);
    }
  });
}
