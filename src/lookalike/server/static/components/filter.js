// The filter: chips for folder, size, shape and date, and a box for a condition; its count, its mistakes.
import { html, useEffect, useRef, useState } from "../ui.js";
import { api, of } from "../api.js";
import { t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, route } from "../router.js";
import { c, filterError, refresh } from "../state.js";
import { Button } from "./button.js";
import { Details } from "./details.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";

const WAIT_MS = 350; // after the last key
const MOST_FOLDERS = 40;
const DAYS = { week: 7, month: 31, year: 366 };

const CHIPS = {
  size: { large: "width * height >= 4000000", middle: "width * height BETWEEN 500000 AND 3999999", small: "width * height < 500000" },
  shape: { wide: "width > 1.2 * height", tall: "height > 1.2 * width", square: "width BETWEEN 0.83 * height AND 1.2 * height" },
};
const since = (days) => `mtime > '${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)}'`;
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** Another condition beside those that hold already. */
const both = (where, more) => (where ? `(${where}) AND ${more}` : more);

export function Filter() {
  const box = useRef(null);
  const [text, setText] = useState(route.value.where);
  const timer = useRef(0);
  useEffect(() => setText(route.value.where), [route.value.where]);
  useKeys({ filter: () => box.current.focus() });

  const apply = (where) => {
    clearTimeout(timer.current);
    filterError.value = null;
    go({ where: where.trim() }, { replace: true });
  };
  const onInput = (event) => {
    const { value } = event.target;
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(value), WAIT_MS);
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter") apply(text);
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      if (text) apply("");
      else box.current.blur();
    }
  };
  const error = filterError.value;
  return html`<div class="filter" role="search">
    <div class="filter-box">
      <${Icon} name="filter" />
      <input
        ref=${box}
        type="text"
        value=${text}
        placeholder=${t("filter.placeholder")}
        aria-label=${t("filter.label")}
        aria-invalid=${Boolean(error)}
        aria-describedby=${error ? "filter-error" : undefined}
        spellcheck=${false}
        autocomplete="off"
        onInput=${onInput}
        onKeyDown=${onKeyDown}
      />
      ${text && html`<${Button} icon="close" bare label=${t("filter.clear")} onClick=${() => apply("")} />`}
      <${Menu} icon="plus" label=${t("filter.add")} items=${() => chips(apply)} />
    </div>
    ${error &&
    html`<div class="filter-error" id="filter-error" role="alert">${t("filter.wrong")}<${Details} text=${error.message} /></div>`}
  </div>`;
}

async function chips(apply) {
  const where = route.value.where;
  const of_ = (kind) =>
    Object.entries(CHIPS[kind]).map(([name, more]) => ({ label: t(`filter.${kind}.${name}`), act: () => apply(both(where, more)) }));
  const dates = Object.entries(DAYS).map(([name, days]) => ({ label: t(`filter.date.${name}`), act: () => apply(both(where, since(days))) }));
  const folders = (await listFolders()).map((name) => ({
    label: name,
    act: () => apply(both(where, `file LIKE ${quoted(`${name.replaceAll("%", "_")}/%`)}`)),
  }));
  return [
    { title: t("filter.size"), items: of_("size") },
    { title: t("filter.shape"), items: of_("shape") },
    { title: t("filter.date"), items: dates },
    { title: t("filter.folder"), items: folders },
  ].filter((part) => part.items.length);
}

const known = { key: "", names: [] };
/** The folders of the collection, found by asking for the first picture behind each. */
async function listFolders() {
  const key = `${c.value} ${refresh.value}`;
  if (known.key === key) return known.names;
  const names = [];
  let where = "file LIKE '%/%'";
  while (names.length < MOST_FOLDERS) {
    const page = await api(of(`/pictures?limit=1&where=${encodeURIComponent(where)}`)).catch(() => null);
    const file = page?.pictures[0]?.file;
    if (!file) break;
    const name = file.slice(0, file.indexOf("/"));
    names.push(name);
    where = `file LIKE '%/%' AND file >= ${quoted(`${name}0`)}`; // 0 is what comes after /
  }
  Object.assign(known, { key, names });
  return names;
}
