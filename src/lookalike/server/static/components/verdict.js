// What a proof says, in words made from its verdict.
import { html } from "../ui.js";
import { has, t } from "../i18n.js";
import { Details } from "./details.js";
import { Icon } from "./icons.js";

export const ICONS = { taught: "yes", better: "yes", refused: "no", "too few": "warning", none: "status" };
export const known = (verdict) => (verdict && has(`verdict.${verdict}`) ? verdict : "none");

export function Verdict({ verdict, words, children }) {
  const one = known(verdict);
  return html`<div class=${`verdict verdict-${one.replace(" ", "-")}`}>
    <span class="verdict-mark"><${Icon} name=${ICONS[one]} /></span>
    <div>
      <h2>${t(`verdict.${one}`)}</h2>
      <p>${t(`verdict.how.${one}`)}</p>
      ${words && html`<${Details} text=${words} />`}
      ${children}
    </div>
  </div>`;
}

export const VerdictChip = ({ verdict }) => html`<span class=${`chip chip-${known(verdict)}`}>${t(`verdict.${known(verdict)}`)}</span>`;
