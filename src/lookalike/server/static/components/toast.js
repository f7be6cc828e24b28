// Toasts, and the line that screen readers are told.
import { cls, html } from "../ui.js";
import { t } from "../i18n.js";
import { spoken, toasts } from "../state.js";
import { dismiss } from "../toasts.js";
import { Button } from "./button.js";
import { Details } from "./details.js";

export function Toasts() {
  return html`<div class="toasts" role="status">
      ${toasts.value.map(
        (one) => html`<div class=${cls("toast", one.kind)} key=${one.id}>
          <span class="toast-text">${one.text}${one.details && html`<${Details} text=${one.details} />`}</span>
          ${one.undo &&
          html`<${Button}
            label=${t("button.undo")}
            keyId="undo"
            onClick=${() => {
              dismiss(one.id);
              one.undo();
            }}
          />`}
          <${Button} icon="close" bare label=${t("button.close")} onClick=${() => dismiss(one.id)} />
        </div>`,
      )}
    </div>
    <div class="unseen" aria-live="polite">${spoken.value}</div>`;
}
