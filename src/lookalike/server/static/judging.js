// Saying what belongs: ticks and crosses on hits, taking back, groups. Every answer is kept at once, unless it refines.
import { computed, signal } from "./ui.js";
import * as state from "./state.js";
import { api, of } from "./api.js";
import { loadGroups, loadJudgements, loadStatus } from "./data.js";
import { click, clicks, refining } from "./refining.js";
import { route } from "./router.js";
import { t } from "./i18n.js";
import { say, sayError } from "./toasts.js";
import { dropUnsent, sendSurely } from "./unsent.js";

const fresh = signal(new Map()); // "anchor id" -> yes | no | null, said here and not yet read back

/** The picture that the others are judged by: the first of the question that lies in the collection. */
export const anchor = computed(() => route.value.plus.find((one) => one.id)?.id ?? null);

const idsIn = (one) => ({ query: one.query?.id, yes: one.yes?.id, no: one.no?.id });

/** Whether ticks and crosses mean anything now: refining writes nothing, and needs no picture of the collection. */
export const canJudge = computed(() => (refining.value ? state.isAsking.value : Boolean(anchor.value) && !state.readOnly.value));

/** id -> "yes" or "no": what is kept of pictures beside the anchor. */
export const keptMarks = computed(() => {
  const found = new Map();
  const by = anchor.value;
  if (!by) return found;
  for (const one of state.judgements.value) {
    const { query, yes, no } = idsIn(one);
    if (one.kind === "distinct") continue; // says nothing of what belongs
    if (query === by && yes) found.set(yes, "yes");
    if (query === by && no) found.set(no, "no");
    if (one.kind === "pair" && yes === by) found.set(query, "yes");
    if (one.kind === "apart" && no === by) found.set(query, "no");
  }
  for (const [key, kind] of fresh.value) {
    const [of_, id] = key.split(" ");
    if (of_ !== by) continue;
    if (kind) found.set(id, kind);
    else found.delete(id);
  }
  return found;
});

/** Those, and over them what was clicked to refine. */
export const marks = computed(() => new Map([...keptMarks.value, ...clicks.value.map((one) => [one.id, one.kind])]));

/** The clicks that are not kept yet. */
export const unkept = computed(() => clicks.value.filter((one) => one.id !== anchor.value && keptMarks.value.get(one.id) !== one.kind));

function remember(by, ids, kind) {
  const next = new Map(fresh.value);
  for (const id of ids) next.set(`${by} ${id}`, kind);
  fresh.value = next;
}

function forget(by, id) {
  fresh.value = new Map([...fresh.value].filter(([key]) => key !== `${by} ${id}`));
}

/** Say of pictures that they belong with the anchor ("yes") or don't ("no"); the same again takes it back. */
export async function judge(ids, kind) {
  if (refining.value) return state.isAsking.value ? click(ids, kind) : say(t("judge.ask_first"), { kind: "error" });
  const by = anchor.value;
  if (state.readOnly.value) return say(t("error.access.read_only"), { kind: "error" });
  if (!by) return say(t(route.value.plus.length ? "judge.upload" : "judge.ask_first"), { kind: "error" });
  const asked = ids.filter((id) => id !== by);
  if (asked.length === 1 && keptMarks.value.get(asked[0]) === kind) return takeBack(by, asked[0]);
  const news = asked.filter((id) => keptMarks.value.get(id) !== kind);
  return keep(by, { yes: [], no: [], [kind]: news }, kind === "yes" ? "judge.said_yes" : "judge.said_no");
}

/** Keep what was clicked to refine, all of it as one answer. */
export function keepClicks() {
  const ids = (kind) => unkept.value.filter((one) => one.kind === kind).map((one) => one.id);
  return keep(anchor.value, { yes: ids("yes"), no: ids("no") }, "refine.kept");
}

async function keep(by, { yes, no }, words) {
  const news = [...yes, ...no];
  if (!news.length) return undefined;
  const before = news.map((id) => [id, keptMarks.value.get(id) ?? null]);
  remember(by, yes, "yes");
  remember(by, no, "no");
  try {
    const sent = await sendSurely(of("/judgements"), { body: { query: by, yes, no } });
    say(t(sent ? words : "judge.kept", { n: news.length }), sent ? { undo: () => undo(sent.lines) } : {});
    if (sent) await readBack();
  } catch (error) {
    for (const [id, old] of before) remember(by, [id], old);
    sayError(error);
  }
  return undefined;
}

async function readBack() {
  await loadJudgements();
  fresh.value = new Map();
  loadStatus().catch(() => {});
}

/** Take back what was said of one picture beside the anchor, whenever that was. */
async function takeBack(by, id) {
  const before = keptMarks.value.get(id);
  remember(by, [id], null);
  try {
    const sent = await sendSurely(of(`/judgements/${by}/${id}`), { method: "DELETE" });
    say(sent ? t("judge.taken_back", { name: shortName(fileOf(id)) }) : t("judge.kept", { n: 1 }));
    if (sent) await readBack();
  } catch (error) {
    remember(by, [id], before);
    sayError(error);
  }
}

function fileOf(id) {
  const named = state.judgements.value.flatMap((one) => [one.query, one.yes, one.no]);
  return [...named, ...(state.answer.value?.hits ?? [])].find((one) => one?.id === id)?.file ?? "";
}

/** Take the last answers back, whatever kind they were of, and say which. */
export async function undo(times = 1) {
  if (state.readOnly.value) return say(t("error.access.read_only"), { kind: "error" });
  const kept = dropUnsent();
  if (kept) {
    for (const id of [...(kept.body?.yes ?? []), ...(kept.body?.no ?? [])]) forget(kept.body.query, id);
    return say(t("judge.not_sent"));
  }
  try {
    let taken = {};
    for (let i = 0; i < times; i++) taken = await api(of("/judgements/last"), { method: "DELETE" });
    const files = [taken.yes, taken.no, taken.apart?.[1], taken.distinct?.[1]].flat().filter(Boolean);
    const name = files.map(shortName)[0] ?? taken.name ?? shortName(taken.add?.[0] ?? "");
    say(t("judge.taken_back", { name }));
    await Promise.all([readBack(), loadGroups()]);
  } catch (error) {
    sayError(error);
  }
  return undefined;
}

export const shortName = (file) => String(file).split("/").pop();

/** How many pictures were judged, and how many groups they form when pairs are joined. */
export const summary = computed(() => {
  const root = new Map();
  const find = (id) => {
    while (root.get(id) !== id) id = root.get(id);
    return id;
  };
  const meet = (ids) => {
    for (const id of ids) if (!root.has(id)) root.set(id, id);
    for (const id of ids.slice(1)) root.set(find(id), find(ids[0]));
  };
  for (const one of state.judgements.value) {
    const { query, yes, no } = idsIn(one);
    if (query && yes && !no) meet([query, yes]);
  }
  for (const group of state.groups.value) meet(group.pictures.map((one) => one.id));
  const found = new Set([...root.keys()].map(find));
  return { groups: found.size, pictures: root.size, answers: state.judgements.value.length };
});

export async function makeGroup(name, ids) {
  try {
    if (!(await sendSurely(of("/groups"), { body: { name, add: ids } }))) return say(t("judge.kept", { n: 1 }));
    await loadGroups();
    say(t("group.made", { name, n: ids.length }), { undo: () => undo() });
  } catch (error) {
    sayError(error);
  }
  return undefined;
}

/** Change a group: {add, remove, name}. */
export async function changeGroup(group, changes) {
  try {
    const body = { add: [], remove: [], ...changes };
    if (!(await sendSurely(of(`/groups/${group.id}`), { method: "PATCH", body }))) return say(t("judge.kept", { n: 1 }));
    await loadGroups();
    if (changes.add?.length) say(t("group.added", { name: group.name, n: changes.add.length }), { undo: () => undo() });
    if (changes.remove?.length) say(t("group.removed", { name: group.name, n: changes.remove.length }), { undo: () => undo() });
  } catch (error) {
    sayError(error);
  }
  return undefined;
}

export async function dropGroup(group) {
  await api(of(`/groups/${group.id}`), { method: "DELETE" }).catch(sayError);
  await loadGroups();
}
