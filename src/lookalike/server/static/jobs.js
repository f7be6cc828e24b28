// Work that takes time: started, followed by reading its stream, stopped. One at a time.
import { batch } from "./ui.js";
import * as state from "./state.js";
import { api, ask, of } from "./api.js";
import { loadLenses, loadStatus } from "./data.js";
import { sayError } from "./toasts.js";

const AGAIN_MS = 1000;
const LOOK_MS = 2000;
let following = null;

/** Begin a job; where another one runs already, that one is shown. */
export async function startJob(body) {
  try {
    const job = await api(of("/jobs"), { body });
    followJob(job);
    return job;
  } catch (error) {
    if (error.code === "job.running" && error.details.job) followJob(await api(of(`/jobs/${error.details.job}`)));
    sayError(error);
    return null;
  }
}

export async function stopJob() {
  const job = state.job.value;
  if (!job) return;
  state.job.value = { ...job, state: "stopping" };
  await api(of(`/jobs/${job.id}`), { method: "DELETE" }).catch(sayError);
}

/** Show a job and whatever happens to it. The stream is open only while the tab is visible. */
export function followJob(job) {
  if (following?.id === job.id) return;
  following?.stop();
  state.job.value = job;
  if (isOver(job)) return;
  following = new Follower(of(`/jobs/${job.id}/events`), job.id);
}

const isOver = (job) => ["done", "stopped", "failed"].includes(job?.state);

class Follower {
  constructor(path, id) {
    Object.assign(this, { path, id, over: false, abort: null });
    this.seen = () => (document.hidden ? this.abort?.abort() : this.read());
    document.addEventListener("visibilitychange", this.seen);
    this.read();
  }

  stop() {
    this.over = true;
    this.abort?.abort();
    document.removeEventListener("visibilitychange", this.seen);
    if (following === this) following = null;
  }

  async read() {
    if (this.over || document.hidden || this.abort) return;
    this.abort = new AbortController();
    try {
      const answer = await ask(this.path, { signal: this.abort.signal });
      for await (const [name, data] of eventsOf(answer.body)) this.take(name, data);
    } catch (error) {
      if (error.code === "job.unknown") this.stop(); // the server was started again
    }
    this.abort = null;
    if (!this.over && !document.hidden) setTimeout(() => this.read(), AGAIN_MS);
  }

  take(name, data) {
    const job = state.job.value;
    if (name === "job" || name === "end") state.job.value = data;
    // The result comes with "end": until then the job is not over here.
    if (name === "stage") state.job.value = { ...job, stage: data.stage, state: isOver(data) ? job.state : data.state };
    if (name === "said") state.job.value = { ...job, said: [...job.said, ...data.lines] };
    if (name === "curve") state.job.value = { ...job, curve: data.whole ? data.points : [...job.curve, ...data.points] };
    if (name === "stage" && job.do === "index") lookAgain();
    if (isOver(state.job.value)) this.end();
  }

  end() {
    this.stop();
    batch(() => {
      loadStatus().catch(() => {});
      loadLenses();
      state.refresh.value++;
    });
    if (state.job.value.error) sayError(state.job.value.error);
  }
}

let lastLook = 0;
let looking = false;
/** While pictures are indexed, those that were committed appear: soon after the last event too. */
function lookAgain() {
  if (looking) return;
  looking = true;
  setTimeout(() => {
    looking = false;
    lastLook = Date.now();
    loadStatus().catch(() => {});
  }, Math.max(0, lastLook + LOOK_MS - Date.now()));
}

/** The events of a stream, one after the other: [name, data]. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
      if (name) yield [name, JSON.parse(data)];
    }
  }
}
