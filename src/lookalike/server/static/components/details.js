// The library's own line, which is English whatever the page speaks, behind a click.
import { html } from "../ui.js";
import { t } from "../i18n.js";

export function Details({ text, lines, label }) {
  return html`<details class="details">
    <summary>${label ?? t("button.details")}</summary>
    <div class="lines" lang="en">${(lines ?? [text]).map((line, i) => html`<p key=${i}>${line}</p>`)}</div>
  </details>`;
}
