// What can be done with a lens: try it, put it into service, test it blind, see its proof.
import { html } from "../ui.js";
import { api, of } from "../api.js";
import { loadLenses, loadStatus } from "../data.js";
import { t } from "../i18n.js";
import { followJob } from "../jobs.js";
import { go } from "../router.js";
import { isFromPictures, readOnly, served } from "../state.js";
import { say, sayError } from "../toasts.js";
import { Button } from "./button.js";

export const BLIND_QUESTIONS = 40;

/** Whether a lens was learned from what people said here, or from the pictures alone: only then it can be tested blind. */
export const isTestedBlind = (one) => one.source === "judgements" || isFromPictures(one);

/** Put a lens into service; a refused one only when asked for anyway. */
export async function useLens(name, anyway = false) {
  try {
    const answer = await api(of(`/lenses/${encodeURIComponent(name)}/use`), { body: { anyway } });
    if (answer.do) followJob(answer);
    await Promise.all([loadStatus(), loadLenses()]);
    say(t("lens.used", { name: name === "plain" ? t("lens.plain") : name }));
  } catch (error) {
    sayError(error);
  }
}

/** blind: whether its proof is a blind test, or still to be made: that of a lens from answers. */
export function LensActions({ name, allowed, blind, proof = true }) {
  const isServed = name === served.value;
  return html`<div class="row">
    <${Button} icon="like" label=${t("lens.try")} onClick=${() => go({ view: "library", lens: isServed ? "" : name, name: "" })} />
    ${proof && html`<${Button} icon="teach" label=${t("lens.proof")} onClick=${() => go({ view: "proof", name })} />`}
    ${blind && !readOnly.value && html`<${Button} icon="judge" label=${t("blind.start", { n: BLIND_QUESTIONS })} onClick=${() => go({ view: "blind", name })} />`}
    ${!isServed && !readOnly.value && html`<${Button} kind=${allowed ? "primary" : ""} icon="yes" label=${t(allowed ? "lens.use" : "lens.use_anyway")} onClick=${() => useLens(name, !allowed)} />`}
  </div>`;
}
