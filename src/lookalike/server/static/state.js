// What the page knows: signals that views read and actions write.
import { computed, signal } from "./ui.js";
import { route } from "./router.js";

export const session = signal(null); // GET /api/session
export const status = signal(null); // GET /api/c/{c}/status
export const lenses = signal([]);
export const judgements = signal([]);
export const groups = signal([]);
export const connection = signal("ok"); // ok | gone | token | password
export const away = signal(0); // raised when the server says that the folder is not there
export const unsent = signal(0); // judgements that wait for the server
export const job = signal(null); // the one that runs, or the last one of this page
export const answer = signal(null); // {loading} | {hits, cut, lens, total} | {error}
export const counted = signal(null); // {total, version} of the pictures under the filter
export const filterError = signal(null);
export const selection = signal(new Set());
export const preview = signal(null); // {source, index}
export const dialog = signal(null); // {kind, ...}
export const toasts = signal([]);
export const refresh = signal(0); // raised when the table or the lens in service changed
export const focused = signal(null); // the picture under the keyboard
export const spoken = signal(""); // told politely to screen readers

export const collection = computed(() => {
  const all = session.value?.collections ?? [];
  return all.find((one) => one.id === route.value.c) ?? all[0] ?? null;
});
export const c = computed(() => collection.value?.id ?? null);
export const readOnly = computed(() => Boolean(session.value?.read_only));
export const imageKey = computed(() => session.value?.image_key ?? "");
export const isIndexed = computed(() => status.value?.indexed ?? collection.value?.pictures > 0);
export const isFromPictures = (one) => one.source === "views"; // nobody taught it
export const served = computed(() => status.value?.lens ?? "plain"); // the lens that answers when none is named
export const lens = computed(() => route.value.lens || served.value);
export const isAsking = computed(() => route.value.plus.length > 0);
export const isBusy = computed(() => ["running", "stopping"].includes(job.value?.state));

/** A value of this browser that outlives the tab: a signal kept in localStorage. */
export function kept(name, fallback) {
  const key = `lookalike.${name}`;
  let found = fallback;
  try {
    found = JSON.parse(localStorage.getItem(key)) ?? fallback;
  } catch {
    // What cannot be read is as if it were not there.
  }
  const made = signal(found);
  made.subscribe((value) => {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing still shows the page.
    }
  });
  return made;
}

export const theme = kept("theme", "system");
export const tileSize = kept("tile", "medium");
export const rightOpen = kept("right", innerWidth >= 640);
