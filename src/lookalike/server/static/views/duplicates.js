// Groups of equal and nearly equal pictures: compared side by side, or said to be no duplicates. Nothing is deleted.
import { html, useEffect, useState, waiting } from "../ui.js";
import { api, imageUrl, of } from "../api.js";
import { num, similarity, t } from "../i18n.js";
import { shortName, undo } from "../judging.js";
import { dialog, readOnly, refresh } from "../state.js";
import { say, sayError } from "../toasts.js";
import { Button } from "../components/button.js";
import { Dialog } from "../components/dialog.js";
import { Empty, ErrorBox } from "../components/empty.js";
import { Thumb } from "../components/thumb.js";

const LEVELS = ["", 1, 0.99, 0.98, 0.96, 0.94, 0.92, 0.9]; // "" is the backbone’s own
const MOST = 100; // groups on the page

export function Duplicates() {
  const [least, setLeast] = useState("");
  const [found, setFound] = useState(null);
  useEffect(() => {
    const abort = new AbortController();
    setFound(null);
    api(of(`/duplicates${least && `?least=${least}`}`), { signal: abort.signal }).then(setFound, (error) => error.code !== "aborted" && setFound({ error }));
    return () => abort.abort();
  }, [least, refresh.value]);
  const not = async (group) => {
    const [first, ...others] = group.pictures.map((one) => one.id);
    try {
      for (const id of others) await api(of("/duplicates"), { body: { distinct: [first, id] } });
      setFound(found.filter((one) => one !== group));
      say(t("duplicates.said"), { undo: () => undo(others.length).then(() => refresh.value++) });
    } catch (error) {
      sayError(error);
    }
  };
  return html`<div class="page">
    <div class="page-head">
      <h1 class="grow">${t("nav.duplicates")}</h1>
      <label class="row">${t("duplicates.least")} <select value=${least} onChange=${(event) => setLeast(event.target.value)}>${LEVELS.map((one) => html`<option key=${one} value=${one}>${one ? similarity(one) : t("duplicates.usual")}</option>`)}</select></label>
    </div>
    <p class="hint">${found?.length ? `${t("duplicates.count", { n: found.length })}. ` : ""}${t("duplicates.nothing")}</p>
    ${!found && waiting()}
    ${found?.error && html`<${ErrorBox} error=${found.error} />`}
    ${found?.length === 0 && html`<${Empty} icon="duplicates" title=${t("duplicates.none")} text=${t("duplicates.none_how")} />`}
    ${found?.slice?.(0, MOST).map((group) => html`<${Group} key=${group.pictures.map((one) => one.file).join("|")} group=${group} not=${() => not(group)} />`)}
  </div>`;
}

function Group({ group, not }) {
  const compare = () => (dialog.value = { kind: "pair", pictures: group.pictures });
  return html`<article class="card pair-group">
    <div class="pair-head">
      <h2 class="grow">${group.equal ? t("duplicates.equal") : t("duplicates.near", { value: similarity(group.least) })}</h2>
      <${Button} icon="compare" label=${t("duplicates.compare")} onClick=${compare} />
      ${!readOnly.value && !group.equal && html`<${Button} label=${t("duplicates.not")} onClick=${not} />`}
    </div>
    <div class="pair-list">
      ${group.pictures.map(
        (one, i) => html`<figure key=${one.file}>
          <${Thumb} asked=${{ id: one.id }} file=${one.file} side=${320} onClick=${compare} />
          <figcaption>${one.file}<br />${num(one.width)} × ${num(one.height)}${i === 0 && !group.equal ? html`<br /><b>${t("duplicates.keep")}</b>` : ""}</figcaption>
        </figure>`,
      )}
    </div>
  </article>`;
}

/** Two of a group, large, side by side; arrows go on, and the sides can be swapped. */
export function Pair({ pictures }) {
  const [right, setRight] = useState(1);
  const [swapped, setSwapped] = useState(false);
  const step = (by) => setRight(Math.max(1, Math.min(pictures.length - 1, right + by)));
  const keys = { move: (event) => step({ ArrowLeft: -1, ArrowRight: 1 }[event.code] ?? 0) };
  const two = swapped ? [pictures[right], pictures[0]] : [pictures[0], pictures[right]];
  return html`<${Dialog} title=${t("duplicates.compare")} onClose=${() => (dialog.value = null)} keys=${keys} full>
    <div class="two-up">${two.map((one, i) => html`<figure key=${i}><img src=${imageUrl(one, 1600)} alt=${shortName(one.file)} /><figcaption>${one.file} · ${num(one.width)} × ${num(one.height)}</figcaption></figure>`)}</div>
    <div class="row end">
      ${pictures.length > 2 && html`<${Button} icon="left" bare label=${t("preview.before")} onClick=${() => step(-1)} /><span>${num(right)} / ${num(pictures.length - 1)}</span><${Button} icon="right" bare label=${t("preview.next")} onClick=${() => step(1)} />`}
      <${Button} icon="swap" label=${t("duplicates.swap")} data-first onClick=${() => setSwapped(!swapped)} />
    </div>
  <//>`;
}
