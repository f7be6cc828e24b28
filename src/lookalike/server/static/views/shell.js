// The window around every view: header, banners, the view, and what lies above it.
import { html, waiting } from "../ui.js";
import { clearSelection } from "../acting.js";
import { clearQuestion } from "../asking.js";
import { t } from "../i18n.js";
import { undo } from "../judging.js";
import { useKeys } from "../keys.js";
import { refining, takeBackClick } from "../refining.js";
import { go, route } from "../router.js";
import { connection, dialog, isAsking, isIndexed, preview, selection, session, status } from "../state.js";
import { Banner } from "../components/banner.js";
import { Empty } from "../components/empty.js";
import { Header, ON_PHONE, Tab } from "../components/header.js";
import { Later } from "../components/later.js";
import { Toasts } from "../components/toast.js";
import { Library } from "./library.js";

const VIEWS = { judge: "Judge", blind: "Blind", teach: "Teach", lenses: "Lenses", proof: "ProofView", duplicates: "Duplicates", groups: "Groups", map: "MapView", status: "Status" };
const DIALOGS = { crop: "Crop", help: "Help", group: "GroupDialog", pair: "Pair", forget: "Forget" };

export function Shell() {
  useKeys({
    help: () => (dialog.value = { kind: "help" }),
    undo: () => (refining.value && takeBackClick()) || undo(),
    teach: () => go({ view: "teach" }),
    map: () => go({ view: "map" }),
    duplicates: () => go({ view: "duplicates" }),
    back,
  });
  const above = DIALOGS[dialog.value?.kind];
  return html`
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.getElementById("main").focus();
    }}>${t("nav.skip")}</a>
    <${Header} />
    <${Banner} />
    <main id="main" tabindex="-1" class=${`main view-${route.value.view}`}><${Main} /></main>
    ${isIndexed.value && html`<nav class="bottom" aria-label=${t("nav.label")}>${ON_PHONE.map((name) => html`<${Tab} key=${name} name=${name} />`)}</nav>`}
    ${preview.value && html`<${Later} part="Preview" />`}
    ${above && html`<${Later} part=${above} key=${above} ...${dialog.value} />`}
    <${Toasts} />
  `;
}

function Main() {
  if (["token", "password"].includes(connection.value)) return html`<${Later} part="Token" />`;
  if (!session.value) return waiting();
  if (!session.value.collections.length) return html`<${Later} part="Start" />`;
  if (isIndexed.value && route.value.view === "library") return html`<${Library} />`; // before its numbers are there
  if (!status.value) return waiting();
  if (!status.value.indexed && !status.value.online) return html`<${Empty} icon="folder" title=${t("offline.title")} text=${t("offline.how", { folder: status.value.folder })} />`;
  if (!status.value.indexed && route.value.view !== "status") return html`<${Later} part="Start" collection />`;
  return html`<${Later} part=${VIEWS[route.value.view]} key=${route.value.view} />`;
}

/** Escape: first the selection, then the question, then back to the library. */
function back() {
  if (selection.value.size) clearSelection();
  else if (route.value.view !== "library") go({ view: "library" });
  else if (route.value.compare) go({ compare: false });
  else if (isAsking.value) clearQuestion();
}
