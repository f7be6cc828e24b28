// Judgements that could not be sent: kept in this browser, sent when the server answers again.
import { unsent } from "./state.js";
import { api } from "./api.js";

const KEY = "lookalike.unsent";
let sending = false;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function write(list) {
  localStorage.setItem(KEY, JSON.stringify(list));
  unsent.value = list.length;
}

/** Send a judgement, or keep it for later: {path, method, body}. Returns the answer, or null when it was kept. */
export async function sendSurely(path, options) {
  try {
    if (read().length) throw Object.assign(new Error(), { code: "server.gone" }); // in their order
    return await api(path, options);
  } catch (error) {
    if (!["server.gone", "access.token", "server.busy"].includes(error.code)) throw error;
    write([...read(), { path, ...options }]);
    sendUnsent();
    return null;
  }
}

export async function sendUnsent() {
  unsent.value = read().length;
  if (sending) return;
  sending = true;
  try {
    for (let list = read(); list.length; list = read()) {
      const { path, ...options } = list[0];
      try {
        await api(path, options);
      } catch (error) {
        if (["server.gone", "access.token", "server.busy"].includes(error.code)) return;
      }
      write(read().slice(1)); // sent, or refused for good
    }
  } finally {
    sending = false;
  }
}
