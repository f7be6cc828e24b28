// The help: every row of the key table, by what it is for.
import { html } from "../ui.js";
import { t } from "../i18n.js";
import { KEYS } from "../keys.js";
import { dialog } from "../state.js";
import { Dialog } from "./dialog.js";

export function Help() {
  const parts = [...new Set(KEYS.map((one) => one.in))];
  return html`<${Dialog} title=${t("help.title")} onClose=${() => (dialog.value = null)} keys=${{ help: () => (dialog.value = null) }} wide>
    <div class="help">
      ${parts.map(
        (part) => html`<section key=${part}>
          <h3>${t(`help.${part}`)}</h3>
          <dl>
            ${KEYS.filter((one) => one.in === part).map(
              (one) => html`<div key=${one.id} data-key=${one.id}>
                <dt>${one.show.map((key) => html`<kbd key=${key}>${key}</kbd>`)}</dt>
                <dd>${t(`key.${one.id}`)}</dd>
              </div>`,
            )}
          </dl>
        </section>`,
      )}
    </div>
  <//>`;
}
