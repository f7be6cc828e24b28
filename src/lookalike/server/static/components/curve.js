// The curve while something is learned: loss and recall of held-out pictures, and their numbers as a table.
import { html, useEffect, useRef, useState } from "../ui.js";
import { num, percent, t } from "../i18n.js";

const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [230, 52, 52, 12, 28];
const MOST_ROWS = 40;
const QUARTERS = [0, 0.25, 0.5, 0.75, 1];
const isThere = (value) => value !== null && value !== undefined;

/** points: [[step, loss, active, recall]]; a value may be null. */
export function Curve({ points }) {
  const place = useRef(null);
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const watch = new ResizeObserver(() => setWidth(place.current?.clientWidth || 800));
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  const hasRecall = points.some((one) => isThere(one[3]));
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const top = Math.max(...points.map((one) => one[1] ?? 0)) || 1;
  const x = (step) => LEFT + ((step - first) / (last - first || 1)) * (width - LEFT - RIGHT);
  const y = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const path = (at, most) => points.filter((one) => isThere(one[at])).map((one, i) => `${i ? "L" : "M"}${x(one[0])} ${y(one[at] / most)}`).join("");
  const every = Math.max(1, Math.ceil(points.length / MOST_ROWS));
  const rows = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  return html`<figure class="curve card" aria-label=${t("curve.label")}>
    <div class="legend"><span class="line-loss">${t("curve.loss")}: ${num(points.at(-1)[1] ?? 0, 4)}</span>${hasRecall && html`<span class="line-recall">${t("curve.recall")}: ${percent(points.findLast((one) => isThere(one[3]))[3], 1)}</span>`}</div>
    <div ref=${place}>
      <svg aria-hidden="true">
        ${QUARTERS.map((one) => html`<g key=${one}>
          <path class="rule" d=${`M${LEFT} ${y(one)}H${width - RIGHT}`} />
          <text x=${LEFT - 8} y=${y(one) + 4} text-anchor="end">${num(one * top, 3)}</text>
          ${hasRecall && html`<text x=${width - RIGHT + 8} y=${y(one) + 4}>${percent(one)}</text>`}
          <text x=${x(first + one * (last - first))} y=${HEIGHT - 6} text-anchor="middle">${num(first + one * (last - first))}</text>
        </g>`)}
        <path class="line line-loss" d=${path(1, top)} />
        ${hasRecall && html`<path class="line line-recall" d=${path(3, 1)} />`}
      </svg>
    </div>
    <details class="details">
      <summary>${t("curve.table")}</summary>
      <div class="curve-table" tabindex="0" role="region" aria-label=${t("curve.table")}>
        <table>
          <thead><tr><th>${t("curve.step")}</th><th>${t("curve.loss")}</th><th>${t("curve.active")}</th><th>${t("curve.recall")}</th></tr></thead>
          <tbody>
            ${rows.map(([step, loss, active, recall]) => html`<tr key=${step}><td>${num(step)}</td><td>${loss == null ? "–" : num(loss, 4)}</td><td>${active == null ? "–" : percent(active)}</td><td>${recall == null ? "–" : percent(recall, 1)}</td></tr>`)}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`;
}
