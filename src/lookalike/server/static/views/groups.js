// The board: a column for each group; pictures are dragged in, between and out, or moved with the keys 1 to 9 and G.
import { html, useEffect } from "../ui.js";
import { clearSelection, toGroup } from "../acting.js";
import { onDrop, dragStart } from "../drag.js";
import { t } from "../i18n.js";
import { changeGroup, dropGroup } from "../judging.js";
import { useKeys } from "../keys.js";
import { dialog, groups, preview, readOnly, selection } from "../state.js";
import { ListSource } from "../sources.js";
import { Button } from "../components/button.js";
import { Empty } from "../components/empty.js";
import { Thumb } from "../components/thumb.js";

let dragged = null; // the group that the pictures come from

export function Groups() {
  useEffect(
    () =>
      onDrop("column", async (ids, node) => {
        const to = groups.value[Number(node.dataset.place)];
        const from = dragged;
        if (!to || from?.id === to.id) return;
        await changeGroup(to, { add: ids }); // a picture is in one group at most
      }),
    [],
  );
  useEffect(() => onDrop("out", (ids) => dragged && changeGroup(dragged, { remove: ids })), []);
  useKeys({
    toGroup: (_, place) => selection.value.size > 0 && toGroup(place, [...selection.value]),
    chooseGroup: () => (dialog.value = { kind: "group", ids: [...selection.value] }),
  });
  const chosen = [...selection.value];
  return html`<div class="page board-page">
    <div class="page-head">
      <h1 class="grow">${t("group.groups")}</h1>
      ${chosen.length > 0 && html`<span class="count-words">${t("select.count", { n: chosen.length })}</span><${Button} icon="close" label=${t("select.clear")} onClick=${clearSelection} />`}
      ${!readOnly.value && html`<${Button} kind="primary" icon="plus" label=${t("group.new")} keyId="chooseGroup" onClick=${() => (dialog.value = { kind: "group", ids: chosen })} />`}
    </div>
    ${groups.value.length === 0 && html`<${Empty} icon="groups" title=${t("group.empty")} text=${t("group.empty_how")} />`}
    <div class="board" role="group" aria-label=${t("group.board")}>
      ${groups.value.map((group, place) => html`<${Column} key=${group.id} group=${group} place=${place} />`)}
      ${groups.value.length > 0 && !readOnly.value && html`<div class="board-column card hint" data-drop="out">${t("group.take_out")}</div>`}
    </div>
  </div>`;
}

function Column({ group, place }) {
  const source = new ListSource(group.pictures);
  const rename = (event) => {
    const name = event.target.value.trim();
    if (name && name !== group.name) changeGroup(group, { name });
  };
  const isChosen = (one) => selection.value.has(one.id);
  const mine = group.pictures.filter(isChosen).map((one) => one.id);
  const toggle = (id) => {
    const next = new Set(selection.value);
    if (!next.delete(id)) next.add(id);
    selection.value = next;
  };
  return html`<section class="board-column card" data-drop="column" data-place=${place} aria-label=${group.name}>
    <div class="row">
      ${place < 9 && html`<kbd>${place + 1}</kbd>`}
      <input type="text" class="grow" value=${group.name} disabled=${readOnly.value} aria-label=${t("group.rename")} maxlength="100" onChange=${rename} />
      <span class="count-words">${group.pictures.length}</span>
    </div>
    <div class="board-pictures">
      ${group.pictures.map(
        (one, i) => html`<div
          class="board-one"
          key=${one.id}
          onPointerDown=${(event) => {
            dragged = group;
            dragStart(event, event.currentTarget, isChosen(one) ? mine : [one.id]);
          }}
        >
          <${Thumb}
            asked=${{ id: one.id }}
            file=${one.file}
            aria-pressed=${isChosen(one)}
            onClick=${(event) => {
              if (event.currentTarget.parentNode.dataset.dragged) return;
              if (event.ctrlKey || event.metaKey || event.shiftKey) toggle(one.id);
              else preview.value = { source, index: i };
            }}
          />
        </div>`,
      )}
      ${group.pictures.length === 0 && html`<span class="drop-hint">${t("group.drop")}</span>`}
    </div>
    ${!readOnly.value &&
    html`<div class="row">
      ${mine.length > 0 && html`<${Button} label=${t("group.take_out")} onClick=${() => changeGroup(group, { remove: mine })} />`}
      <${Button} class="danger" label=${t("group.forget")} onClick=${() => dropGroup(group)} />
    </div>`}
  </section>`;
}
