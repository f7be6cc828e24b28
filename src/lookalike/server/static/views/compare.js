// Before and after: plain left, the lens right; lines join a hit's two places.
import { html, useEffect, useLayoutEffect, useRef, useState, waiting } from "../ui.js";
import { act } from "../acting.js";
import { api, of, thumbUrl } from "../api.js";
import { searchBody } from "../asking.js";
import { similarity, t } from "../i18n.js";
import { marks, shortName } from "../judging.js";
import { addressOf, route } from "../router.js";
import { lens, refresh } from "../state.js";
import { ListSource } from "../sources.js";
import { ErrorBox } from "../components/empty.js";
import { Icon } from "../components/icons.js";

const MOST = 12;

export function Compare() {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const after = lens.value;
  const key = `${addressOf(route.value)} ${after} ${refresh.value}`;
  useEffect(() => {
    const abort = new AbortController();
    const ask = (name) => api(of("/search"), { body: searchBody(route.value, { lens: name, k: MOST }), signal: abort.signal });
    Promise.all([ask("plain"), ask(after)]).then(
      ([left, right]) => {
        setError(null);
        setFound({ left: left.hits, right: right.hits, cut: right.cut });
      },
      (failed) => failed.code !== "aborted" && setError(failed),
    );
    return () => abort.abort();
  }, [key]);
  if (error) return html`<${ErrorBox} error=${error} />`;
  if (!found) return waiting();
  return html`<${Columns} ...${found} name=${after} />`;
}

function Columns({ left, right, name }) {
  const root = useRef(null);
  const [lines, setLines] = useState([]);
  const was = new Map(left.map((one, i) => [one.id, i]));
  const is = new Map(right.map((one, i) => [one.id, i]));
  useLayoutEffect(() => {
    const measure = () => {
      const base = root.current.getBoundingClientRect();
      const edge = (side, i) => {
        const box = root.current.querySelector(`[data-side=${side}] [data-place="${i}"]`).getBoundingClientRect();
        return [side === "left" ? box.right - base.left : box.left - base.left, box.top + box.height / 2 - base.top];
      };
      setLines(left.map((one, i) => is.has(one.id) && [...edge("left", i), ...edge("right", is.get(one.id)), i - is.get(one.id)]).filter(Boolean));
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(root.current);
    return () => watch.disconnect();
  }, [left, right]);
  return html`<div class="compare-room" tabindex="0" role="region" aria-label=${t("lens.compare")}><div class="compare" ref=${root}>
    <svg class="joins" aria-hidden="true">
      ${lines.map(([x, y, x2, y2, by], i) => html`<path key=${i} class=${by > 0 ? "up" : by < 0 ? "down" : "same"} d=${`M${x + 4} ${y} C${(x + x2) / 2} ${y} ${(x + x2) / 2} ${y2} ${x2 - 4} ${y2}`} />`)}
    </svg>
    <${Column} side="left" title=${t("lens.plain")} hits=${left} moveOf=${() => null} />
    <${Column} side="right" title=${name === "plain" ? t("lens.plain") : name} hits=${right} moveOf=${(id, i) => (was.has(id) ? was.get(id) - i : "new")} />
  </div></div>`;
}

function Column({ side, title, hits, moveOf }) {
  const source = new ListSource(hits);
  return html`<section data-side=${side} class="compare-column">
    <h2>${title}</h2>
    <ol>
      ${hits.map((one, i) => {
        const by = moveOf(one.id, i);
        const mark = marks.value.get(one.id);
        return html`<li key=${one.id} data-place=${i}>
          <button type="button" class="compare-hit" onClick=${() => act("look", source, i)} aria-label=${[one.file, mark && t(`tile.${mark}`), by && moveWords(by)].filter(Boolean).join(", ")}>
            <img src=${thumbUrl(one, 160)} alt="" loading="lazy" />
            <span class="compare-name">${shortName(one.file)}</span>
            ${mark && html`<span class=${`mark mark-${mark}`}><${Icon} name=${mark} /></span>`}
            <span class="near">${similarity(one.similarity)}</span>
            <span class=${`move ${by === "new" ? "new" : by > 0 ? "up" : ""}`}>${by === "new" ? "●" : by > 0 ? html`<${Icon} name="up" />${by}` : ""}</span>
          </button>
        </li>`;
      })}
    </ol>
  </section>`;
}

const moveWords = (by) => (by === "new" ? t("compare.new") : by > 0 ? t("compare.up", { n: by }) : "");
