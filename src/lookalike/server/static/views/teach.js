// Teaching: from what, under which name; the stages and the curve while it learns; what came of it.
import { html, useEffect, useState } from "../ui.js";
import { api, of } from "../api.js";
import { t } from "../i18n.js";
import { startJob } from "../jobs.js";
import { summary } from "../judging.js";
import { isBusy, job, lenses, readOnly, status } from "../state.js";
import { Button } from "../components/button.js";
import { Curve } from "../components/curve.js";
import { Details } from "../components/details.js";
import { errorWords } from "../i18n.js";
import { JobProgress } from "../components/job.js";
import { isTestedBlind, LensActions } from "../components/lens-actions.js";
import { Verdict } from "../components/verdict.js";

const SOURCES = ["judgements", "folders", "views"];
const LOSSES = ["softmax", "triplet", "soft-margin"];
const DEFAULT = "efficientnet-lite0";
const WANTED_GROUPS = 20; // from which on new kinds can be told apart

export function Teach() {
  const one = job.value?.do === "learn" ? job.value : null;
  const running = one && isBusy.value;
  return html`<div class="page teach">
    <h1>${t("teach.title")}</h1>
    ${one && html`<section class="card"><${Learning} one=${one} running=${running} /></section>`}
    ${one?.curve.length > 1 && html`<${Curve} points=${one.curve} />`}
    ${!running && !readOnly.value && html`<${Form} again=${Boolean(one)} />`}
  </div>`;
}

function Learning({ one, running }) {
  const said = one.said.length > 0 && html`<${Details} lines=${one.said} label=${t("teach.said")} />`;
  if (running) return html`<${JobProgress} one=${one} />${said}`;
  if (one.state === "stopped") return html`<h2>${t("teach.stopped")}</h2>${said}`;
  if (one.error) return html`<h2>${t("teach.failed")}</h2><p>${errorWords(one.error)}</p><${Details} text=${one.error.message} />`;
  const { name, verdict, words, serves } = one.result;
  const fromAnswers = lenses.value.some((two) => two.name === name && isTestedBlind(two));
  return html`<h2 class="learned">${t("teach.done", { name })}</h2>
    <${Verdict} verdict=${verdict} words=${words}><${LensActions} name=${name} allowed=${serves} blind=${fromAnswers} /><//>${said}`;
}

function Form({ again }) {
  const [source, setSource] = useState("judgements");
  const [name, setName] = useState("");
  const [options, setOptions] = useState({ quick: false, replace: false, loss: "", epochs: "", seed: "0", unfreeze: "" });
  const set = (key) => (event) => setOptions({ ...options, [key]: event.target.type === "checkbox" ? event.target.checked : event.target.value });
  const isTaken = lenses.value.some((one) => one.name === name);
  const start = (event) => {
    event.preventDefault();
    const { quick, replace, loss, epochs, seed } = options;
    const unfreeze = options.unfreeze.trim() || null;
    startJob({ do: "learn", source, name: name.trim() || null, quick, replace, loss: unfreeze ? null : loss || null, epochs: Number(epochs) || null, seed: Number(seed) || 0, unfreeze });
  };
  return html`<form class="teach-form" onSubmit=${start}>
    <fieldset class="sources">
      <legend>${t("teach.from")}</legend>
      ${SOURCES.map(
        (value) => html`<label class="source" key=${value}>
          <input type="radio" name="source" value=${value} checked=${source === value} onChange=${() => setSource(value)} />
          <span><b>${t(`teach.from.${value}`)}</b><small>${t(`teach.what.${value}`)}</small></span>
        </label>`,
      )}
    </fieldset>
    ${source === "judgements" && html`<${Have} />`}
    <${Check} source=${source} />
    <div class="row">
      <label class="field grow"><span>${t("teach.name")}</span><input type="text" value=${name} maxlength="60" placeholder=${t("teach.name_hint")} onInput=${(event) => setName(event.target.value)} /></label>
      ${isTaken && html`<label class="check-field"><input type="checkbox" checked=${options.replace} onChange=${set("replace")} /><span>${t("teach.replace")}</span></label>`}
    </div>
    <details class="details">
      <summary>${t("teach.more")}</summary>
      <div class="teach-more">
        <label class="check-field"><input type="checkbox" checked=${options.quick} onChange=${set("quick")} /><span>${t("teach.quick")}</span></label>
        ${!options.unfreeze && html`<label class="field"><span>${t("teach.loss")}</span><select value=${options.loss} onChange=${set("loss")}><option value="">${t("teach.loss.default")}</option>${LOSSES.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select></label>`}
        <label class="field"><span>${t("teach.epochs")}</span><input type="number" min="1" max="10000" value=${options.epochs} onInput=${set("epochs")} /></label>
        <label class="field"><span>${t("teach.seed")}</span><input type="number" min="0" value=${options.seed} onInput=${set("seed")} /></label>
      </div>
      <${Unfreeze} value=${options.unfreeze} onChange=${set("unfreeze")} />
    </details>
    <div class="row"><${Button} kind="primary" icon="teach" type="submit" label=${t(again ? "teach.again" : "teach.start")} disabled=${isBusy.value} /></div>
  </form>`;
}

/** How deep the network learns: two measured depths of the default one, any layer of another. */
function Unfreeze({ value, onChange }) {
  const isDefault = status.value?.backbone?.startsWith(DEFAULT);
  const choice = (layer, words) => html`<option value=${layer}>${t(`teach.unfreeze.${words}`)}</option>`;
  return html`<div class="unfreeze">
    <label class="field"><span>${t(isDefault ? "teach.unfreeze" : "teach.unfreeze.layer")}</span>
      ${isDefault
        ? html`<select value=${value} onChange=${onChange}>${choice("", "none")}${choice("blocks.15", "last")}${choice("blocks.12", "four")}</select>`
        : html`<input type="text" value=${value} maxlength="60" placeholder=${t("teach.unfreeze.none")} onInput=${onChange} />`}
    </label>
    <p class="hint">${t("teach.unfreeze.how")}</p>
  </div>`;
}

function Have() {
  const { groups, pictures, answers } = summary.value;
  const missing = WANTED_GROUPS - groups;
  return html`<p>${answers ? t("teach.have", { n: answers, groups, pictures }) : t("judge.how")} ${answers > 0 && missing > 0 && t("teach.too_few", { n: missing })}</p>`;
}

/** What the library says of the examples, in its own lines; where it refuses them, why. */
function Check({ source }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    const abort = new AbortController();
    setFound(null);
    api(of(`/examples?source=${source}`), { signal: abort.signal }).then(setFound, (error) => error.code !== "aborted" && setFound({ error }));
    return () => abort.abort();
  }, [source, status.value?.judgements]);
  if (!found) return html`<p class="hint"><i class="spin"></i></p>`;
  if (found.error) return html`<div role="status"><p class="hint">${errorWords(found.error)}</p><${Details} text=${found.error.message} /></div>`;
  return html`<${Details} lines=${found.lines} label=${t("teach.check")} />`;
}
