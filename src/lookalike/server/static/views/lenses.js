// All lenses: what each one's proof says, which one is in use; use, try, export, forget.
import { html } from "../ui.js";
import { api, of } from "../api.js";
import { loadLenses, loadStatus } from "../data.js";
import { date, t } from "../i18n.js";
import { startJob } from "../jobs.js";
import { go } from "../router.js";
import { dialog, isFromPictures, lenses, readOnly, served } from "../state.js";
import { sayError } from "../toasts.js";
import { Button } from "../components/button.js";
import { Empty } from "../components/empty.js";
import { Dialog } from "../components/dialog.js";
import { isTestedBlind, LensActions, useLens } from "../components/lens-actions.js";
import { VerdictChip } from "../components/verdict.js";

export function Lenses() {
  const isPlain = served.value === "plain";
  return html`<div class="page">
    <div class="page-head"><h1 class="grow">${t("lens.title")}</h1>${!readOnly.value && html`<${Button} kind="primary" icon="teach" label=${t("nav.teach")} keyId="teach" onClick=${() => go({ view: "teach" })} />`}</div>
    ${lenses.value.length === 0 && html`<${Empty} icon="lenses" title=${t("lens.none")} text=${t("lens.none_how")} />`}
    ${lenses.value.map((one) => html`<${LensCard} key=${one.name} one=${one} />`)}
    ${lenses.value.length > 0 &&
    html`<article class="card lens-card">
      <div class="about"><h2>${t("lens.plain")}${isPlain && html`<span class="chip chip-in-use">${t("lens.serves")}</span>`}</h2><p>${t("lens.plain_what")}</p></div>
      ${!isPlain && !readOnly.value && html`<${Button} icon="yes" label=${t("lens.use")} onClick=${() => useLens("plain")} />`}
    </article>`}
  </div>`;
}

function LensCard({ one }) {
  const isUnproved = isFromPictures(one) && !one.verdict;
  const facts = [one.date && !Number.isNaN(Date.parse(one.date)) && date(one.date), one.dims && t("lens.dims", { n: one.dims }), !one.here && one.backbone && t("lens.elsewhere", { backbone: one.backbone })];
  const sure = () => (dialog.value = { kind: "forget", name: one.name });
  return html`<article class="card lens-card" aria-label=${one.name}>
    <div class="about">
      <h2>${one.name}${!isUnproved && html`<${VerdictChip} verdict=${one.verdict} />`}${one.name === served.value && html`<span class="chip chip-in-use">${t("lens.serves")}</span>`}</h2>
      ${isFromPictures(one) && html`<p>${t("lens.own_what")}</p>`}
      <p>${facts.filter(Boolean).join(" · ")}</p>
    </div>
    <${LensActions} name=${one.name} allowed=${one.allowed} blind=${isTestedBlind(one)} />
    ${!readOnly.value && html`<${Button} icon="save" bare label=${t("export.onnx")} onClick=${() => startJob({ do: "export", what: "onnx", lens: one.name }).then((job) => job && go({ view: "status" }))} />
      <${Button} icon="close" bare label=${t("lens.forget")} onClick=${sure} />`}
  </article>`;
}

/** Asked before a lens is forgotten, since that cannot be undone. */
export function Forget({ name }) {
  const close = () => (dialog.value = null);
  const forget = async () => {
    close();
    await api(of(`/lenses/${encodeURIComponent(name)}`), { method: "DELETE" }).catch(sayError);
    await Promise.all([loadLenses(), loadStatus()]);
  };
  return html`<${Dialog} title=${t("lens.forget")} onClose=${close}>
    <p>${t("lens.forget_sure", { name })}</p>
    <div class="row end"><${Button} label=${t("button.close")} data-first onClick=${close} /><${Button} kind="danger" label=${t("lens.forget")} onClick=${forget} /></div>
  <//>`;
}
