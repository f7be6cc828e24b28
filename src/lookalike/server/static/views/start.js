// Before there is anything to see: choosing a folder, reading it for the first time, or coming in.
import { html, useState } from "../ui.js";
import { api } from "../api.js";
import { loadSession, openCollection } from "../data.js";
import { t } from "../i18n.js";
import { setToken } from "../router.js";
import { isBusy, job, readOnly, session, status } from "../state.js";
import { sayError } from "../toasts.js";
import { Button } from "../components/button.js";
import { ICON } from "../components/header.js";
import { indexNow, JobProgress } from "../components/job.js";

/** collection: a folder that was not read yet; otherwise no folder is open. */
export function Start({ collection = false }) {
  return html`<div class="start">
    <img class="start-logo" src=${ICON} alt="" width="72" height="72" />
    ${collection ? html`<${FirstIndex} />` : html`<${Choose} />`}
  </div>`;
}

function Choose() {
  const recent = session.value.recent;
  const open = (body) => openCollection(body).catch(sayError);
  return html`<h1>${t("start.title")}</h1>
    <p>${t("start.what")}</p>
    ${recent.length > 0 &&
    html`<section class="recent">
      <h2>${t("collection.recent")}</h2>
      <ul>
        ${recent.map((one) => html`<li key=${one.id}><button type="button" class="recent-one" onClick=${() => open({ recent: one.id })}><b>${one.name}</b><span>${one.folder}</span></button></li>`)}
      </ul>
    </section>`}
    ${!readOnly.value && html`<${Button} kind="primary" icon="folder" label=${t("collection.choose")} onClick=${() => open({ choose: true })} />`}
    <p class="hint">${t("start.shell")} <code>lookalike serve FOLDER</code></p>
    <p class="hint">${t("start.written")}</p>`;
}

function FirstIndex() {
  const running = isBusy.value && job.value.do === "index";
  return html`<h1>${t("start.first", { name: status.value.name })}</h1>
    <p class="folder-name">${status.value.folder}</p>
    <p>${t("start.reads")}</p>
    ${running
      ? html`<${JobProgress} one=${job.value} />`
      : html`${!readOnly.value && status.value.online && html`<${Button} kind="primary" icon="library" label=${t("index.start")} onClick=${indexNow} />`}`}
    <p class="hint">${t("start.written")}</p>`;
}

/** Where the token is missing or of an earlier start; of a server with a password, the password. */
export function Token() {
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState(null);
  const enter = async (event) => {
    event.preventDefault();
    try {
      const { token } = await api("/api/session", { body: { password } });
      setToken(token);
      await loadSession();
    } catch (error) {
      setWrong(t(error.code === "access.tries" ? "error.access.tries" : "error.access.password"));
    }
  };
  return html`<div class="start">
    <img class="start-logo" src=${ICON} alt="" width="72" height="72" />
    <h1>${t("token.title")}</h1>
    <p>${t("token.how")}</p>
    <details class="details">
      <summary>${t("token.password")}</summary>
      <form class="row" onSubmit=${enter}>
        <label class="field"><span>${t("token.word")}</span><input type="password" autocomplete="current-password" value=${password} onInput=${(event) => setPassword(event.target.value)} /></label>
        <${Button} kind="primary" label=${t("token.enter")} type="submit" />
      </form>
      ${wrong && html`<p class="filter-error" role="alert">${wrong}</p>`}
    </details>
  </div>`;
}
