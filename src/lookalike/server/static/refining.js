// Refining: ticks and crosses that rank the hits anew as they are clicked. They stand in the address and teach nothing.
import { computed } from "./ui.js";
import * as state from "./state.js";
import { addressOf, go, route } from "./router.js";

/** Whether a click on a tick or a cross refines; else it is kept at once, as an answer to learn from. */
export const refining = state.kept("refining", true);
export const NO_CLICKS = { said: [] };
export const clicks = computed(() => route.value.said);
export const names = new Map(); // id -> file, of what was clicked: the next answer may not hold it

/** Say of pictures that they are right ("yes") or wrong ("no"); the same again takes it back. */
export function click(ids, kind) {
  const before = new Map(clicks.value.map((one) => [one.id, one.kind]));
  const asked = new Set(route.value.plus.map((one) => one.id));
  const meant = ids.filter((id) => !asked.has(id));
  const isSame = meant.length > 0 && meant.every((id) => before.get(id) === kind);
  for (const one of state.answer.value?.hits ?? []) if (meant.includes(one.id)) names.set(one.id, one.file);
  const rest = clicks.value.filter((one) => !meant.includes(one.id));
  if (meant.length) go({ said: isSame ? rest : [...rest, ...meant.map((id) => ({ id, kind }))] });
}

/** Take back one click, the last one where none is named. Returns whether there was one. */
export function takeBackClick(id = clicks.value.at(-1)?.id) {
  if (!clicks.value.length) return false;
  go({ said: clicks.value.filter((one) => one.id !== id) });
  return true;
}

export const takeBackAll = () => go(NO_CLICKS);

/** Order the whole list anew, what was clicked left out: it stays in the strip. */
export const orderAnew = () => state.refresh.value++;

/** What an answer must share with the one that is shown for its tiles to stay where they are. */
export const baseOf = (asked) =>
  `${state.c.value} ${state.refresh.value} ${state.served.value} ${addressOf({ ...asked, view: "library", compare: false, name: "", order: "", ...NO_CLICKS })}`;

/**
 * An answer as it is shown. Where only clicks changed, nothing moves under the pointer: the tiles up to the last one that
 * was clicked, now or before, stay; those after it come in their new order.
 */
export function hold(found, asked, base, shown) {
  const next = { ...found, base, said: asked.said };
  if (!shown?.hits || shown.base !== base) return next;
  if (!asked.said.length) return { ...next, keeps: true };
  const placeOf = ({ id }) => shown.hits.findIndex((one) => one.id === id);
  let last = Math.max(-1, ...[...asked.said, ...shown.said].map(placeOf));
  while (last >= 0 && shown.hits[last + 1]?.id === shown.hits[last].id) last++; // its copies
  const held = shown.hits.slice(0, last + 1);
  const there = new Set(held.map((one) => one.id));
  return { ...next, keeps: true, hits: [...held, ...found.hits.filter((one) => !there.has(one.id))] };
}
