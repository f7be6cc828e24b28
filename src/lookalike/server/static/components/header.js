// The head of the page: which collection, which view, what runs, and the menu.
import { html } from "../ui.js";
import { chooseLanguage, language, LANGUAGES, num, t } from "../i18n.js";
import { openCollection } from "../data.js";
import { go, route } from "../router.js";
import { ariaKeys } from "../keys.js";
import { collection, dialog, isIndexed, readOnly, session, theme, tileSize } from "../state.js";
import { sayError } from "../toasts.js";
import { Icon } from "./icons.js";
import { indexNow, JobChip } from "./job.js";
import { Menu } from "./menu.js";

export const ICON = new URL("../icon.svg", import.meta.url).href;
const KEY = { teach: "teach", map: "map", duplicates: "duplicates" };

const VIEWS = ["library", "judge", "groups", "teach", "lenses", "duplicates", "map"];

export const isIn = (name) => route.value.view === name || (name === "lenses" && ["proof", "blind"].includes(route.value.view));

export const ON_PHONE = ["library", "judge", "teach", "lenses"]; // the others are in the menu
const isPhone = matchMedia("(max-width: 639px)");

export function Header() {
  return html`<header class="top">
    <${CollectionMenu} />
    ${isIndexed.value && html`<nav class="tabs" aria-label=${t("nav.label")}>${VIEWS.map((name) => html`<${Tab} key=${name} name=${name} />`)}</nav>`}
    <span class="grow"></span>
    <${JobChip} />
    <${MoreMenu} />
  </header>`;
}

export function Tab({ name }) {
  return html`<a
    href=${`#/${name}`}
    class="tab"
    aria-current=${isIn(name) ? "page" : undefined}
    aria-keyshortcuts=${KEY[name] ? ariaKeys(KEY[name]) : undefined}
    onClick=${(event) => {
      event.preventDefault();
      go({ view: name, name: "" });
      document.getElementById("main").focus();
    }}
    ><${Icon} name=${name} /><span>${t(`nav.${name}`)}</span></a
  >`;
}

function CollectionMenu() {
  const all = session.value?.collections ?? [];
  const one = collection.value;
  const open = (body) => openCollection(body).then((id) => id && go({ c: id, view: "library", plus: [], minus: [], said: [], where: "", lens: "" }), sayError);
  const items = () => [
    { title: t("collection.open"), items: all.map((two) => ({ label: two.name, note: num(two.pictures), checked: two.id === one?.id, act: () => go({ c: two.id, view: "library", plus: [], minus: [], said: [], where: "", lens: "" }) })) },
    {
      title: t("collection.recent"),
      items: [
        ...(session.value?.recent ?? []).map((two) => ({ label: two.name, note: two.folder, act: () => open({ recent: two.id }) })),
        ...(readOnly.value ? [] : [{ label: t("collection.choose"), act: () => open({ choose: true }) }]),
      ],
    },
  ].filter((part) => part.items.length);
  return html`<div class="brand">
    <img class="logo" src=${ICON} alt="" width="24" height="24" />
    ${one ? html`<${Menu} class="collection-menu" label=${t("collection.menu")} text=${one.name} items=${items} />` : html`<b>lookalike</b>`}
  </div>`;
}

function MoreMenu() {
  const pick = (label, value, act, checked) => ({ label, checked, act: () => act(value) });
  const others = isPhone.matches && isIndexed.value ? VIEWS.filter((name) => !ON_PHONE.includes(name)) : [];
  const items = () => [
    ...(others.length ? [{ title: t("nav.label"), items: others.map((name) => ({ label: t(`nav.${name}`), act: () => go({ view: name, name: "" }) })) }] : []),
    {
      title: t("menu.collection"),
      items: [
        ...(collection.value ? [{ label: t("nav.status"), act: () => go({ view: "status" }) }] : []),
        ...(collection.value && !readOnly.value ? [{ label: t("index.again"), act: indexNow }] : []),
        { label: t("help.title"), note: "?", act: () => (dialog.value = { kind: "help" }) },
      ],
    },
    { title: t("menu.tiles"), items: ["small", "medium", "large"].map((size) => pick(t(`menu.tiles.${size}`), size, (value) => (tileSize.value = value), tileSize.value === size)) },
    { title: t("menu.theme"), items: ["system", "light", "dark"].map((one) => pick(t(`menu.theme.${one}`), one, (value) => (theme.value = value), theme.value === one)) },
    { title: t("menu.language"), items: Object.entries(LANGUAGES).map(([name, label]) => ({ ...pick(label, name, chooseLanguage, language.value === name), lang: name })) },
  ];
  return html`<${Menu} icon="more" label=${t("menu.label")} items=${items} class="at-end" />`;
}
