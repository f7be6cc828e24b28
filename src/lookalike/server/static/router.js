// The address bar as state: view, question, lens and filter; and the token, which it holds only for a moment.
import { signal } from "./ui.js";

export const VIEWS = ["library", "judge", "blind", "teach", "lenses", "proof", "duplicates", "groups", "map", "status"];
const KEPT = ["lens", "where", "order", "name", "k"];
const FLAGS = ["compare", "others", "unique", "reverse"];
const TOKEN = "lookalike.token";

/** ID, ID@x,y,w,h, u:QUERY of a picture that was sent, or t:WORDS -> {id | query | text, region?} */
export function parseAsked(text) {
  if (text.startsWith("t:")) return { text: decoded(text.slice(2)) };
  const [name, box] = text.split("@");
  const asked = name.startsWith("u:") ? { query: name.slice(2) } : { id: name };
  const region = box?.split(",").map(Number);
  return region?.length === 4 && region.every(Number.isFinite) ? { ...asked, region } : asked;
}

/** yID or nID of a picture that was clicked to be right or wrong -> {id, kind} */
const parseSaid = (text) => ({ id: text.slice(1), kind: text[0] === "y" ? "yes" : "no" });
const formatSaid = ({ id, kind }) => kind[0] + id;

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function formatAsked({ id, query, text, region }) {
  if (text) return `t:${encodeURIComponent(text).replaceAll("~", "%7E")}`; // ~ stands between the parts
  const name = query ? `u:${query}` : id;
  return region ? `${name}@${region.map((one) => Number(one.toFixed(4))).join(",")}` : name;
}

function read(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const params = new URLSearchParams(search);
  const found = { view: VIEWS.includes(path) ? path : "library", c: params.get("c") ?? "" };
  for (const name of KEPT) found[name] = params.get(name) ?? "";
  for (const name of ["plus", "minus"]) found[name] = (params.get(name) ?? "").split("~").filter(Boolean).map(parseAsked);
  found.said = (params.get("said") ?? "").split("~").filter((one) => /^[yn][0-9a-f]+$/.test(one)).map(parseSaid);
  for (const name of FLAGS) found[name] = params.get(name) === "1";
  return found;
}

export function addressOf(state) {
  const params = new URLSearchParams();
  if (state.c) params.set("c", state.c);
  for (const name of ["plus", "minus"]) if (state[name].length) params.set(name, state[name].map(formatAsked).join("~"));
  if (state.said.length) params.set("said", state.said.map(formatSaid).join("~"));
  for (const name of KEPT) if (state[name]) params.set(name, state[name]);
  for (const name of FLAGS) if (state[name]) params.set(name, "1");
  const search = params.toString().replaceAll("%2C", ",").replaceAll("%40", "@").replaceAll("%7E", "~").replaceAll("%3A", ":");
  return `#/${state.view}${search ? `?${search}` : ""}`;
}

/** Keep the token that an address brings, and take it out of the address bar and the history. */
function takeToken() {
  const found = /^#t=([0-9a-f]+)$/.exec(location.hash);
  if (!found) return false;
  setToken(found[1]);
  history.replaceState(null, "", "#/library");
  return true;
}

export function setToken(token) {
  for (const store of [sessionStorage, localStorage]) {
    try {
      store.setItem(TOKEN, token);
    } catch {
      // Then it lasts as long as the other store.
    }
  }
}

export function getToken() {
  try {
    return sessionStorage.getItem(TOKEN) ?? localStorage.getItem(TOKEN) ?? "";
  } catch {
    return "";
  }
}

takeToken();
export const route = signal(read(location.hash));
export const tokenChanged = signal(0);

/** Change what the address says. replace: without a new entry in the history. */
export function go(changes, { replace = false } = {}) {
  const next = { ...route.value, ...changes };
  const address = addressOf(next);
  if (address === addressOf(route.value) && location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  route.value = next;
}

function follow() {
  if (takeToken()) tokenChanged.value++;
  route.value = read(location.hash);
}
addEventListener("popstate", follow);
addEventListener("hashchange", follow);
addEventListener("storage", (event) => {
  if (event.key !== TOKEN || !event.newValue || event.newValue === getToken()) return;
  setToken(event.newValue); // another tab was opened with the address of a new start
  tokenChanged.value++;
});
