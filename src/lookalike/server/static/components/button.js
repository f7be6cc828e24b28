// A button with an icon, its words, and its key in the tooltip.
import { cls, html } from "../ui.js";
import { t } from "../i18n.js";
import { ariaKeys, SHOWN } from "../keys.js";
import { Icon } from "./icons.js";

/** label: words; bare: only the icon is seen; keyId: of the key table; all else goes to the button. */
export function Button({ icon, label, bare = false, keyId, kind, class: more, ...rest }) {
  const key = keyId ? SHOWN[keyId].join(" ") : "";
  return html`<button
    type="button"
    class=${cls("button", kind, { bare }, more)}
    title=${bare || key ? t("button.title", { label, key: key ? `(${key})` : "" }).trim() : undefined}
    aria-label=${bare ? label : undefined}
    aria-keyshortcuts=${keyId ? ariaKeys(keyId) : undefined}
    ...${rest}
  >
    ${icon && html`<${Icon} name=${icon} />`}${!bare && html`<span>${label}</span>`}
  </button>`;
}

/** One of several choices: [{value, label}]. */
export function Choice({ label, choices, value, onChoose, class: more }) {
  return html`<div class=${cls("choice", more)} role="group" aria-label=${label}>
    ${choices.map(
      (one) => html`<button
        type="button"
        key=${one.value}
        aria-pressed=${one.value === value}
        title=${one.title}
        onClick=${() => onChoose(one.value)}
      >
        ${one.label}${one.mark && html`<i class="dot" title=${one.mark}><span class="unseen">${one.mark}</span></i>`}
      </button>`,
    )}
  </div>`;
}
