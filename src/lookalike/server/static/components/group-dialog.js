// Into which group the chosen pictures go: one that is there, or a new one.
import { html, useState } from "../ui.js";
import { t } from "../i18n.js";
import { changeGroup, makeGroup } from "../judging.js";
import { dialog, groups } from "../state.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";

export function GroupDialog({ ids }) {
  const [name, setName] = useState("");
  const close = () => (dialog.value = null);
  const make = (event) => {
    event.preventDefault();
    close();
    makeGroup(name.trim() || t("group.unnamed"), ids);
  };
  const into = (group) => {
    close();
    changeGroup(group, { add: ids });
  };
  return html`<${Dialog} title=${ids.length ? t("group.choose", { n: ids.length }) : t("group.new")} onClose=${close}>
    ${ids.length > 0 &&
    html`<ul class="choose-group">
      ${groups.value.map(
        (group, place) => html`<li key=${group.id}>
          <button type="button" class="group-row" onClick=${() => into(group)}>
            ${place < 9 && html`<kbd>${place + 1}</kbd>`}<span class="name">${group.name || t("group.unnamed")}</span>
            <span class="count">${group.pictures.length}</span>
          </button>
        </li>`,
      )}
    </ul>`}
    <form class="row" onSubmit=${make}>
      <label class="field grow"><span>${t("group.name")}</span><input type="text" data-first value=${name} maxlength="100" onInput=${(event) => setName(event.target.value)} /></label>
      <${Button} kind="primary" icon="plus" label=${t("group.make")} type="submit" />
    </form>
  <//>`;
}
