// Above the hits: whether clicks refine, what was clicked, and what can be done with it.
import { html } from "../ui.js";
import { t } from "../i18n.js";
import { anchor, keepClicks, unkept } from "../judging.js";
import { clicks, orderAnew, refining, takeBackAll, takeBackClick } from "../refining.js";
import { readOnly, rightOpen } from "../state.js";
import { Button } from "./button.js";
import { Clicked } from "./clicked.js";

export function RefineBar() {
  const said = clicks.value;
  const canKeep = anchor.value && !readOnly.value;
  return html`<div class="refine-bar" role="group" aria-label=${t("refine.label")}>
    <label class="check-field">
      <input type="checkbox" checked=${refining.value} onChange=${(event) => (refining.value = event.target.checked)} />
      <span>${t("refine.switch")}</span>
    </label>
    ${said.length === 0 && html`<span class="hint wide-only">${t(refining.value ? "refine.what" : "refine.off")}</span>`}
    ${said.length > 0 && html`
      <span class="hint wide-only">${t("refine.count", { n: said.length })}</span>
      ${!rightOpen.value && html`<div class="refine-strip">${said.toReversed().map((one) => html`<${Clicked} key=${one.id} ...${one} />`)}</div>`}
      <${Button} icon="undo" label=${t("button.undo")} keyId="undo" onClick=${() => takeBackClick()} />
      ${canKeep && unkept.value.length > 0 && html`<${Button} kind="primary" icon="save" label=${t("refine.keep")} onClick=${keepClicks} />`}
      ${canKeep && !unkept.value.length && html`<span class="hint">${t("refine.all_kept")}</span>`}
      <${Button} icon="up" label=${t("refine.best")} title=${t("refine.best_how")} onClick=${orderAnew} />
      <${Button} icon="close" label=${t("refine.clear")} onClick=${takeBackAll} />`}
  </div>`;
}
