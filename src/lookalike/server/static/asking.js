// Asking: what the question is made of, and the search that answers it.
import { effect } from "./ui.js";
import * as state from "./state.js";
import { api, of } from "./api.js";
import { addressOf, formatAsked, go, route } from "./router.js";
import { t } from "./i18n.js";
import { baseOf, hold, NO_CLICKS } from "./refining.js";
import { say, sayError, tell } from "./toasts.js";

export const MOST = 200; // hits that are asked for unless the address says otherwise
const MOST_ASKED = 100; // pictures for, and against, that the server takes
const sameAs = (a) => (b) => formatAsked(a) === formatAsked(b);

/** Ask with one picture alone: {id | query, region?}. */
export function askWith(asked) {
  go({ view: "library", plus: [asked], minus: [], ...NO_CLICKS });
}

/** Add a picture to the question, for or against: "plus" or "minus". Without a question it becomes one. */
export function add(sign, asked) {
  const { plus, minus } = route.value;
  if (!plus.length) return askWith(asked);
  const lists = { plus: plus.filter((one) => !sameAs(asked)(one)), minus: minus.filter((one) => !sameAs(asked)(one)) };
  lists[sign] = [...lists[sign], asked];
  return go({ view: "library", ...(lists.plus.length ? lists : { plus, minus }) });
}

/** Ask in words, beside what is asked with already; after a minus, for less of what they say. */
export function askInWords(words) {
  const [, sign, text] = /^([-−]?)\s*(.*)$/s.exec(words.trim());
  if (text) add(sign ? "minus" : "plus", { text });
}

/** Whether there are words in a question: then it is answered plain, for a lens knows no words. */
export const hasWords = ({ plus, minus }) => [...plus, ...minus].some((one) => one.text);

export function takeOut(asked) {
  const { plus, minus } = route.value;
  const left = plus.filter((one) => !sameAs(asked)(one));
  go({ plus: left, minus: left.length ? minus.filter((one) => !sameAs(asked)(one)) : [], ...(left.length ? {} : { compare: false, ...NO_CLICKS }) });
}

/** The same picture in the question, but only a part of it; region null: the whole. */
export function cropAsked(asked, region) {
  const { plus, minus } = route.value;
  const next = region ? { ...asked, region } : { ...asked, region: undefined };
  const swap = (list) => list.map((one) => (sameAs(asked)(one) ? next : one));
  const isThere = [...plus, ...minus].some(sameAs(asked));
  if (isThere) go({ plus: swap(plus), minus: swap(minus) });
  else askWith(next);
}

export const clearQuestion = () => go({ plus: [], minus: [], compare: false, reverse: false, ...NO_CLICKS });

/** Ask with a file that was dropped, pasted or chosen. It is sent to ask with, and never added to the folder. */
export async function askWithFile(file) {
  try {
    const sent = await api(of("/queries"), { body: file, method: "POST" });
    askWith(sent.known ? { id: sent.known } : { query: sent.query });
    if (sent.known) say(t("ask.known"));
  } catch (error) {
    sayError(error);
  }
}

/** The files of a drop or a paste: the first picture is asked with; of a folder it is said how to open one. */
export function askWithTransfer(data) {
  const entry = [...(data.items ?? [])].map((one) => one.webkitGetAsEntry?.()).find(Boolean);
  if (entry?.isDirectory) return say(t("ask.folder"), { kind: "error" });
  const file = [...(data.files ?? [])][0];
  if (file) askWithFile(file);
  return Boolean(file);
}

/** Pictures of the question, and those that were clicked: the newest, where there are too many. */
const withSaid = (list, said, kind) => {
  const clicked = said.filter((one) => one.kind === kind).map(({ id }) => ({ id }));
  return [...list, ...clicked.slice(-Math.max(1, MOST_ASKED - list.length))].slice(-MOST_ASKED);
};

export const searchBody = (asked, changes = {}) => ({
  positive: withSaid(asked.plus, asked.said, "yes"),
  negative: withSaid(asked.minus, asked.said, "no"),
  k: Number(asked.k) || MOST,
  lens: hasWords(asked) ? "plain" : asked.lens || null,
  where: asked.where || null,
  others: asked.others,
  unique: asked.unique,
  reverse: asked.reverse,
  ...changes,
});

let abort = null;
/** Search whenever the question, the lens, the filter or the table changes. */
export function keepAnswering() {
  let last = "";
  effect(() => {
    const asked = route.value;
    const key = `${state.c.value} ${state.refresh.value} ${state.served.value} ${asked.plus.length ? addressOf({ ...asked, view: "library", compare: false, name: "", order: "" }) : ""}`;
    if (key === last) return;
    last = key;
    abort?.abort();
    if (!asked.plus.length || !state.c.value) {
      state.answer.value = null;
      return;
    }
    search(asked);
  });
}

async function search(asked) {
  abort = new AbortController();
  const { signal } = abort;
  const shown = state.answer.peek();
  state.answer.value = { ...(shown?.hits ? shown : {}), loading: true };
  try {
    const found = await api(of("/search"), { body: searchBody(asked), signal });
    state.answer.value = hold(found, asked, baseOf(asked), state.answer.peek());
    state.filterError.value = null;
    if (asked.said.length) tell("refine.told", { n: asked.said.length });
    else tell("answer.told", { n: found.hits.length });
  } catch (error) {
    if (["aborted", "server.gone", "access.token"].includes(error.code)) return; // asked again when it is back
    state.answer.value = { error };
    if (error.code === "query.where") state.filterError.value = error;
    else if (error.code === "query.gone") say(t("error.query.gone"), { kind: "error" });
  }
}
