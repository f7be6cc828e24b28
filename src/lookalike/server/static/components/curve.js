// The curve while something is learned: loss and recall of held-out pictures, and their numbers as a table.
import { html, useEffect, useRef } from "../ui.js";
import uPlot from "../vendor/uplot.js";
import { language, num, percent, t } from "../i18n.js";
import { theme } from "../state.js";

const HEIGHT = 230;
const MOST_ROWS = 40;

/** points: [[step, loss, active, recall]]; a value may be null. */
export function Curve({ points }) {
  const place = useRef(null);
  const plot = useRef(null);
  const hasRecall = points.some((one) => one[3] !== null && one[3] !== undefined);
  const data = [points.map((one) => one[0]), points.map((one) => one[1]), ...(hasRecall ? [points.map((one) => one[3])] : [])];
  useEffect(() => {
    const color = (name) => getComputedStyle(place.current).getPropertyValue(name);
    const probe = getComputedStyle(place.current);
    const axis = { stroke: probe.color, grid: { stroke: "#8883", width: 1 }, ticks: { show: false } };
    const series = [
      { label: t("curve.step") },
      { label: t("curve.loss"), stroke: "#c2410c", width: 2, scale: "loss", value: (_, v) => (v == null ? "–" : num(v, 4)) },
      { label: t("curve.recall"), stroke: color("--curve").trim() || "#4c6ef5", width: 2, scale: "share", spanGaps: true, value: (_, v) => (v == null ? "–" : percent(v, 1)) },
    ];
    const made = new uPlot(
      {
        width: place.current.clientWidth || 600,
        height: HEIGHT,
        scales: { x: { time: false }, share: { range: [0, 1] } },
        series: series.slice(0, hasRecall ? 3 : 2),
        axes: [
          { ...axis, values: (_, all) => all.map((v) => num(v)) },
          { ...axis, scale: "loss", values: (_, all) => all.map((v) => num(v, 3)) },
          ...(hasRecall ? [{ ...axis, scale: "share", side: 1, grid: { show: false }, values: (_, all) => all.map((v) => percent(v)) }] : []),
        ],
      },
      data,
      place.current,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [hasRecall, theme.value, language.value]);
  useEffect(() => plot.current?.setData(data), [points]);

  const every = Math.max(1, Math.ceil(points.length / MOST_ROWS));
  const rows = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  return html`<figure class="curve card" aria-label=${t("curve.label")}>
    <div ref=${place} aria-hidden="true"></div>
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
