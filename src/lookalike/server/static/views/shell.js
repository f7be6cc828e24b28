// The window around every view: header, banners, the view, and what lies above it.
import { html } from "../ui.js";
import { clearSelection } from "../acting.js";
import { clearQuestion } from "../asking.js";
import { t } from "../i18n.js";
import { undo } from "../judging.js";
import { useKeys } from "../keys.js";
import { go, route } from "../router.js";
import { connection, dialog, features, isAsking, selection, session, status } from "../state.js";
import { Banner } from "../components/banner.js";
import { Crop } from "../components/crop.js";
import { GroupDialog } from "../components/group-dialog.js";
import { Header, Tab, views } from "../components/header.js";
import { Help } from "../components/help.js";
import { Preview } from "../components/preview.js";
import { Toasts } from "../components/toast.js";
import { Duplicates, Pair } from "./duplicates.js";
import { Groups } from "./groups.js";
import { Judge } from "./judge.js";
import { Blind } from "./blind.js";
import { Forget, Lenses } from "./lenses.js";
import { Library } from "./library.js";
import { MapView } from "./map.js";
import { ProofView } from "./proof.js";
import { Start, Token } from "./start.js";
import { Status } from "./status.js";
import { Teach } from "./teach.js";

const VIEWS = { library: Library, judge: Judge, blind: Blind, teach: Teach, lenses: Lenses, proof: ProofView, duplicates: Duplicates, groups: Groups, map: MapView, status: Status };
const DIALOGS = { crop: Crop, help: Help, group: GroupDialog, pair: Pair, forget: Forget };
const ON_PHONE = ["library", "judge", "teach", "lenses"];

export function Shell() {
  useKeys({
    help: () => (dialog.value = { kind: "help" }),
    undo: () => undo(),
    teach: () => go({ view: "teach" }),
    map: () => features.value.map && go({ view: "map" }),
    duplicates: () => go({ view: "duplicates" }),
    back,
  });
  const Above = DIALOGS[dialog.value?.kind];
  return html`
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.getElementById("main").focus();
    }}>${t("nav.skip")}</a>
    <${Header} />
    <${Banner} />
    <main id="main" tabindex="-1" class=${`main view-${route.value.view}`}><${Main} /></main>
    ${status.value?.indexed && html`<nav class="bottom" aria-label=${t("nav.label")}>${views().filter((name) => ON_PHONE.includes(name)).map((name) => html`<${Tab} key=${name} name=${name} />`)}</nav>`}
    <${Preview} />
    ${Above && html`<${Above} key=${dialog.value.kind} ...${dialog.value} />`}
    <${Toasts} />
  `;
}

function Main() {
  if (["token", "password"].includes(connection.value)) return html`<${Token} />`;
  if (!session.value) return html`<div class="waiting"><i class="spin"></i></div>`;
  if (!session.value.collections.length) return html`<${Start} />`;
  if (!status.value) return html`<div class="waiting"><i class="spin"></i></div>`;
  if (!status.value.indexed && route.value.view !== "status") return html`<${Start} collection />`;
  const View = VIEWS[route.value.view];
  return html`<${View} />`;
}

/** Escape: first the selection, then the question, then back to the library. */
function back() {
  if (selection.value.size) clearSelection();
  else if (route.value.view !== "library") go({ view: "library" });
  else if (route.value.compare) go({ compare: false });
  else if (isAsking.value) clearQuestion();
}
