// What the collection holds, in numbers; files that could not be read, with their reasons; exports.
import { html } from "../ui.js";
import { resultUrl } from "../api.js";
import { bytes, num, t } from "../i18n.js";
import { startJob } from "../jobs.js";
import { isBusy, job, readOnly, session, status } from "../state.js";
import { Button } from "../components/button.js";
import { indexNow, JobProgress } from "../components/job.js";

const EXPORTS = ["parquet", "csv", "npy", "judgements"];

export function Status() {
  const one = status.value;
  const rows = [
    ["pictures", num(one.pictures)],
    ["contents", num(one.contents)],
    ["judgements", num(one.judgements)],
    ["other", num(one.other_files)],
    ["bytes", bytes(one.bytes)],
    ["lens", one.lens === "plain" ? t("lens.plain") : one.lens],
    ["backbone", one.backbone ?? "–"],
    ["version", session.value.version],
  ];
  return html`<div class="page">
    <div class="page-head"><h1 class="grow">${t("status.title")}</h1>${!readOnly.value && html`<${Button} icon="library" label=${t("index.again")} disabled=${isBusy.value || !one.online} onClick=${indexNow} />`}</div>
    ${isBusy.value && html`<section class="card"><${JobProgress} one=${job.value} /></section>`}
    <dl class="numbers">${rows.map(([name, value]) => html`<div key=${name}><dt>${t(`status.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>
    <p class="hint">${t("status.folder")}: ${one.folder}</p>
    ${!readOnly.value && one.indexed && html`<${Exports} />`}
    <${Refused} list=${one.refused} />
  </div>`;
}

function Exports() {
  const done = job.value?.do === "export" && job.value.state === "done" ? job.value : null;
  return html`<section class="card">
    <h2>${t("export.title")}</h2>
    <div class="row exports">${EXPORTS.map((what) => html`<${Button} key=${what} icon="save" label=${t(`export.${what}`)} disabled=${isBusy.value} onClick=${() => startJob({ do: "export", what })} />`)}</div>
    ${done && html`<p role="status">${t("export.ready", { file: done.result.file })} <a href=${resultUrl(done.id)} download=${done.result.file}>${t("export.save")}</a></p>`}
  </section>`;
}

function Refused({ list }) {
  return html`<section class="card">
    <h2>${t("status.refused")} (${num(list.length)})</h2>
    ${list.length === 0
      ? html`<p class="hint">${t("status.none_refused")}</p>`
      : html`<table>
          <thead><tr><th>${t("status.file")}</th><th>${t("status.reason")}</th></tr></thead>
          <tbody>${list.map((one) => html`<tr key=${one.file}><td>${one.file}</td><td lang="en">${one.reason}</td></tr>`)}</tbody>
        </table>`}
  </section>`;
}
