// The job that runs: what it does, how far it is, and the way to stop it.
import { html, useEffect } from "../ui.js";
import { byCode, num, percent, seconds, t } from "../i18n.js";
import { startJob, stopJob } from "../jobs.js";
import { go } from "../router.js";
import { isBusy, job } from "../state.js";
import { tell } from "../toasts.js";
import { Button } from "./button.js";

export const share = (stage) => (stage?.total ? Math.min(1, stage.done / stage.total) : null);
export const doing = (one) => byCode("stage", one.stage?.doing ?? "") ?? t(`job.${one.do}`);

/** In the header: one word and a share. */
export function JobChip() {
  const one = job.value;
  if (!isBusy.value) return null;
  const part = share(one.stage);
  const view = one.do === "learn" ? "teach" : one.do === "index" ? "library" : "status";
  return html`<div class="job-chip">
    <button type="button" class="button" onClick=${() => go({ view })} title=${doing(one)}>
      <i class="spin"></i><span>${t(`job.${one.do}`)}</span>${part !== null && html`<b>${percent(part)}</b>`}
    </button>
    <${Button} label=${t("job.stop")} disabled=${one.state === "stopping"} onClick=${stopJob} />
  </div>`;
}

/** The whole of it: a bar, the stage, the time that is left. */
export function JobProgress({ one }) {
  const { stage } = one;
  const part = share(stage);
  const busy = ["running", "stopping"].includes(one.state);
  const words = doing(one);
  useEffect(() => {
    if (busy && part !== null) tell("job.told", { words, part: percent(part) });
  }, [words, Math.round((part ?? 0) * 10)]);
  return html`<div class="job-progress">
    <div class="job-line">
      <b>${one.state === "stopping" ? t("job.stopping") : words}</b>
      ${busy && stage && html`<span>${num(stage.done)} / ${num(stage.total)}</span>`}
      ${busy && stage?.remaining_s > 1 && html`<span>${t("job.left", { time: seconds(stage.remaining_s) })}</span>`}
      <span class="grow"></span>
      ${busy && html`<${Button} label=${t("job.stop")} disabled=${one.state === "stopping"} onClick=${stopJob} />`}
    </div>
    <progress max="1" value=${busy ? part ?? undefined : 1} aria-label=${words}></progress>
  </div>`;
}

export const indexNow = () => startJob({ do: "index" });
