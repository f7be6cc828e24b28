// What was said beside the question: what belongs, what doesn't, the groups, and the way to teach.
import { html, useEffect } from "../ui.js";
import { onDrop } from "../drag.js";
import { askWith } from "../asking.js";
import { t } from "../i18n.js";
import { anchor, canJudge, judge, keptMarks, summary, unkept } from "../judging.js";
import { clicks, names } from "../refining.js";
import { go } from "../router.js";
import { answer, dialog, groups, readOnly, rightOpen, selection } from "../state.js";
import { clearSelection, toGroup } from "../acting.js";
import { Button } from "./button.js";
import { Clicked } from "./clicked.js";
import { Icon } from "./icons.js";
import { Thumb } from "./thumb.js";

export function JudgePanel() {
  useEffect(() => onDrop("yes", (ids) => judge(ids, "yes")), []);
  useEffect(() => onDrop("no", (ids) => judge(ids, "no")), []);
  useEffect(() => onDrop("group", (ids, node) => toGroup(Number(node.dataset.place), ids)), []);
  const clicked = new Set(clicks.value.map((one) => one.id));
  const found = [...keptMarks.value].filter(([id]) => !clicked.has(id));
  const files = new Map((answer.value?.hits ?? []).map((one) => [one.id, one.file]));
  const side = (kind) => ({
    clicked: clicks.value.filter((one) => one.kind === kind),
    list: found.filter(([, mark]) => mark === kind).map(([id]) => ({ id, file: files.get(id) ?? names.get(id) })),
  });
  return html`<aside class="judge-panel" aria-label=${t("judge.panel")}>
    <header class="panel-head">
      <h2>${t("judge.panel")}</h2>
      <${Button} icon="right" bare label=${t("judge.fold")} onClick=${() => (rightOpen.value = false)} />
    </header>
    ${selection.value.size > 0 && html`<${Selected} />`}
    ${anchor.value || canJudge.value
      ? html`<${Side} kind="yes" ...${side("yes")} /><${Side} kind="no" ...${side("no")} />
          <p class="hint">${t("judge.untouched")}</p>`
      : html`<p class="hint">${t("judge.how")}</p>`}
    <${GroupList} />
    <${TeachHint} />
  </aside>`;
}

function Side({ kind, list, clicked }) {
  return html`<section class=${`side side-${kind}`} data-drop=${kind}>
    <h3><span class=${`mark mark-${kind}`}><${Icon} name=${kind} /></span>${t(`judge.${kind}`, { n: list.length + clicked.length })}</h3>
    <div class="small-thumbs">
      ${clicked.map((one) => html`<${Clicked} key=${one.id} ...${one} />`)}
      ${list.map((one) => html`<${Thumb} key=${one.id} asked=${{ id: one.id }} file=${one.file} onClick=${() => askWith({ id: one.id })} />`)}
      ${list.length + clicked.length === 0 && html`<span class="drop-hint">${t("judge.drop")}</span>`}
    </div>
  </section>`;
}

function Selected() {
  const ids = [...selection.value];
  return html`<section class="selected">
    <h3>${t("select.count", { n: ids.length })}</h3>
    <div class="row">
      ${canJudge.value && html`
        <${Button} icon="yes" label=${t("act.yes")} keyId="yes" onClick=${() => judge(ids, "yes")} />
        <${Button} icon="no" label=${t("act.no")} keyId="no" onClick=${() => judge(ids, "no")} />`}
      <${Button} icon="groups" label=${t("group.into")} keyId="chooseGroup" onClick=${() => (dialog.value = { kind: "group", ids })} />
      <${Button} icon="save" label=${t("select.copy")} onClick=${() => copyNames(ids)} />
      <${Button} icon="close" label=${t("select.clear")} onClick=${clearSelection} />
    </div>
  </section>`;
}

/** Put the names of the chosen pictures, as they lie in the answer, into the clipboard. */
function copyNames(ids) {
  const hits = answer.value?.hits ?? [];
  const chosen = new Set(ids);
  const names = hits.filter((one) => chosen.has(one.id)).map((one) => one.file);
  navigator.clipboard?.writeText(names.length ? names.join("\n") : ids.join("\n"));
}

function GroupList() {
  return html`<section class="group-list">
    <h3>${t("group.groups")}</h3>
    <ul>
      ${groups.value.map(
        (group, place) => html`<li key=${group.id} data-drop="group" data-place=${place}>
          <button type="button" class="group-row" onClick=${() => go({ view: "groups" })}>
            ${place < 9 && html`<kbd>${place + 1}</kbd>`}<span class="name">${group.name || t("group.unnamed")}</span>
            <span class="count">${group.pictures.length}</span>
          </button>
        </li>`,
      )}
    </ul>
    ${!readOnly.value && html`<${Button} icon="plus" label=${t("group.new")} onClick=${() => (dialog.value = { kind: "group", ids: [...selection.value] })} />`}
  </section>`;
}

function TeachHint() {
  const { groups: kinds, pictures, answers } = summary.value;
  return html`<section class="teach-hint">
    ${unkept.value.length > 0 && html`<p>${t("refine.unkept", { n: unkept.value.length })}</p>`}
    <p>${answers ? t("teach.have", { n: answers, groups: kinds, pictures }) : t("teach.none")}</p>
    <${Button} kind="primary" icon="teach" label=${t("nav.teach")} keyId="teach" onClick=${() => go({ view: "teach" })} />
  </section>`;
}
