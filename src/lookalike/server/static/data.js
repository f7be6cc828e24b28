// Loads what views show: the session, the collection's numbers, lenses, judgements, groups.
import { batch } from "./ui.js";
import * as state from "./state.js";
import { api, of, whenBack } from "./api.js";
import { firstSession } from "./begin.js";
import { tokenChanged } from "./router.js";
import { followJob } from "./jobs.js";
import { sendUnsent } from "./unsent.js";

const POLL_MS = 10_000;

export async function loadSession() {
  try {
    const found = await (firstSession() ?? api("/api/session"));
    batch(() => {
      state.connection.value = "ok";
      state.session.value = found;
    });
    await loadCollection();
    sendUnsent();
  } catch (error) {
    if (!["access.token", "server.gone"].includes(error.code)) throw error;
  }
}

/** Everything about the open collection; each part by itself, so that one failing hides no other. */
export async function loadCollection() {
  if (!state.c.value) return;
  await Promise.allSettled([loadStatus(), loadLenses(), loadJudgements(), loadGroups()]);
}

export async function loadStatus() {
  const before = state.status.value;
  const found = await api(of("/status"));
  state.status.value = found;
  if (found.job && found.job.id !== state.job.value?.id) followJob(found.job);
  if (before?.online === false && found.online) {
    loadCollection(); // the disk is back
    sendUnsent();
  }
  if (before && (before.online !== found.online || before.lens !== found.lens || before.pictures !== found.pictures)) state.refresh.value++;
}

export async function loadLenses() {
  state.lenses.value = await api(of("/lenses")).catch(() => []);
}

export async function loadJudgements() {
  state.judgements.value = await api(of("/judgements")).catch(() => []);
}

export async function loadGroups() {
  state.groups.value = await api(of("/groups")).catch(() => []);
}

/** Open a collection of this server, or one that was opened before: {recent} or {choose: true}. */
export async function openCollection(body) {
  const { id } = await api("/api/collections", { body });
  if (id) await loadSession();
  return id;
}

export function keepFresh() {
  whenBack(() => loadSession().then(() => state.refresh.value++));
  tokenChanged.subscribe((changed) => changed && loadSession());
  state.away.subscribe((times) => times && loadStatus().catch(() => {}));
  let waiting = 0;
  state.unsent.subscribe((count) => {
    if (waiting && !count) Promise.allSettled([loadStatus(), loadJudgements(), loadGroups()]);
    waiting = count;
  });
  let last = null;
  state.c.subscribe((id) => {
    if (last && id && id !== last) {
      batch(() => {
        state.status.value = state.answer.value = state.job.value = null;
        state.selection.value = new Set();
      });
      loadCollection();
    }
    last = id ?? last;
  });
  const look = () => {
    if (document.hidden || state.connection.value !== "ok" || !state.c.value) return;
    const before = state.status.value?.lines;
    loadStatus().then(
      () => before !== state.status.value.lines && Promise.allSettled([loadJudgements(), loadGroups()]), // said elsewhere
      () => {},
    );
  };
  setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", look);
}
