// Where there is nothing to show: why, and what to do about it.
import { html } from "../ui.js";
import { errorWords } from "../i18n.js";
import { Details } from "./details.js";
import { Icon } from "./icons.js";

export function Empty({ icon = "image", title, text, children }) {
  return html`<div class="empty">
    <${Icon} name=${icon} />
    <h2>${title}</h2>
    ${text && html`<p>${text}</p>`}
    ${children && html`<div class="row">${children}</div>`}
  </div>`;
}

export function ErrorBox({ error, children }) {
  return html`<div class="empty error-box" role="alert">
    <${Icon} name="warning" />
    <h2>${errorWords(error)}</h2>
    ${error.message && html`<${Details} text=${error.message} />`}
    ${children}
  </div>`;
}
