// What is wrong with the whole page, in one line above it: no server, no disk, no writing.
import { html } from "../ui.js";
import { holderWords, t } from "../i18n.js";
import { connection, job, readOnly, status, unsent } from "../state.js";
import { Button } from "./button.js";
import { Icon } from "./icons.js";
import { indexNow } from "./job.js";

export function Banner() {
  const lines = [];
  if (connection.value === "gone") lines.push(["gone", t("banner.gone")]);
  if (unsent.value) lines.push(["unsent", t("banner.unsent", { n: unsent.value })]);
  if (status.value?.online === false) lines.push(["offline", t(status.value.indexed ? "banner.offline" : "banner.offline_all")]);
  if (readOnly.value) lines.push(["read-only", t("banner.read_only")]);
  const { code, details } = job.value?.error ?? {};
  if (code === "collection.locked") lines.push(["locked", details?.process ? t("banner.locked_by", holderWords(details)) : t("banner.locked")]);
  const again = job.value?.do === "index" && job.value.state === "stopped";
  if (again && !readOnly.value) lines.push(["stopped", t("banner.stopped"), html`<${Button} label=${t("index.go_on")} onClick=${indexNow} />`]);
  if (!lines.length) return null;
  return html`<div class="banners" role="status">
    ${lines.map(([kind, text, more]) => html`<p key=${kind} class=${`banner banner-${kind}`}><${Icon} name="warning" /><span>${text}</span>${more}</p>`)}
  </div>`;
}
