// What can be done to a picture of a list, wherever the list is shown: one place for mouse, keys and menus.
import * as state from "./state.js";
import { add, askWith } from "./asking.js";
import { changeGroup, judge } from "./judging.js";
import { t } from "./i18n.js";
import { say } from "./toasts.js";

/** The ids that an act is meant for: the selection, where the picture is in it or nothing else is meant. */
export function meant(item) {
  const chosen = state.selection.value;
  if (chosen.size && (!item || chosen.has(item.id))) return [...chosen];
  return item ? [item.id] : [];
}

/** Do what the mouse or a key asks of a list. kind: as in tile.js and keys.js. */
export function act(kind, source, index, { place = 0, from = index } = {}) {
  const item = source.get(index);
  if (!item && kind !== "all") return;
  const acts = {
    like: () => askWith({ id: item.id }),
    look: () => (state.preview.value = { source, index }),
    yes: () => judge(meant(item), "yes"),
    no: () => judge(meant(item), "no"),
    plus: () => meant(item).forEach((id) => add("plus", { id })),
    minus: () => meant(item).forEach((id) => add("minus", { id })),
    crop: () => (state.dialog.value = { kind: "crop", asked: { id: item.id }, item }),
    select: () => toggle(item.id),
    range: () => select(source, lastPicked ?? index, index),
    stretch: () => select(source, from, index),
    all: () => selectAll(source),
    toGroup: () => toGroup(place, meant(item)),
    chooseGroup: () => (state.dialog.value = { kind: "group", ids: meant(item) }),
  };
  if (!["range", "stretch"].includes(kind)) lastPicked = index;
  acts[kind]?.();
}

let lastPicked = null;

function toggle(id) {
  const next = new Set(state.selection.value);
  if (!next.delete(id)) next.add(id);
  state.selection.value = next;
}

function select(source, from, to) {
  const next = new Set(state.selection.value);
  for (let i = Math.min(from, to); i <= Math.max(from, to); i++) {
    const item = source.get(i);
    if (item) next.add(item.id);
  }
  state.selection.value = next;
}

function selectAll(source) {
  const ids = [];
  for (let i = 0; i < Math.min(source.total, 10_000); i++) if (source.get(i)) ids.push(source.get(i).id);
  state.selection.value = new Set(ids);
}

export const clearSelection = () => (state.selection.value = new Set());

export function toGroup(place, ids) {
  const group = state.groups.value[place];
  if (!group) return say(t("group.none_there", { n: place + 1 }), { kind: "error" });
  return changeGroup(group, { add: ids });
}
