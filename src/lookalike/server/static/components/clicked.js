// A picture that was clicked to refine, with its sign: another click takes it back.
import { html } from "../ui.js";
import { t } from "../i18n.js";
import { shortName } from "../judging.js";
import { names, takeBackClick } from "../refining.js";
import { Icon } from "./icons.js";
import { Thumb } from "./thumb.js";

export function Clicked({ id, kind }) {
  const file = names.get(id);
  const name = [file && shortName(file), t(`tile.${kind}`)].filter(Boolean).join(", ");
  return html`<span class="clicked">
    <${Thumb} asked=${{ id }} title=${t("refine.take_back", { name })} onClick=${() => takeBackClick(id)} />
    <i class=${`mark mark-${kind}`}><${Icon} name=${kind} /></i><i class="away"><${Icon} name="close" /></i>
  </span>`;
}
