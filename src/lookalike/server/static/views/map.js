// The map: pictures that look alike lie beside one another; the lens moves them, a lasso selects them.
import { html, useEffect, useRef, useState } from "../ui.js";
import { act } from "../acting.js";
import { thumbUrl } from "../api.js";
import { askWith } from "../asking.js";
import { t } from "../i18n.js";
import { followJob } from "../jobs.js";
import { shortName } from "../judging.js";
import { loadMap, Names } from "../map-data.js";
import { job, lens, refresh, selection } from "../state.js";
import { ListSource } from "../sources.js";
import { Button } from "../components/button.js";
import { ErrorBox } from "../components/empty.js";
import { JobProgress } from "../components/job.js";
import { LensSwitch } from "../components/lens-switch.js";
import { MapCanvas } from "../components/map-canvas.js";
import { Thumb } from "../components/thumb.js";

const MOST_LISTED = 60;

export function MapView() {
  const canvas = useRef(null);
  const map = useRef(null);
  const [waiting, setWaiting] = useState(true);
  const [error, setError] = useState(null);
  const [tip, setTip] = useState(null);
  const [chosen, setChosen] = useState([]);
  useEffect(() => {
    const names = new Names(() => map.current?.paint());
    const made = new MapCanvas(canvas.current, names, {
      hover: (index, x, y) => setTip(index === null || !names.get(index) ? null : { item: names.get(index), x, y }),
      pick: (index) => index !== null && names.get(index) && askWith({ id: names.get(index).id }),
      lasso: (found) => {
        made.chosen = new Set(found);
        const items = found.map((i) => names.get(i)).filter(Boolean);
        setChosen(items);
        selection.value = new Set(items.map((one) => one.id));
      },
    });
    map.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    const abort = new AbortController();
    loadMap(lens.value === "plain" ? "plain" : lens.value, abort.signal).then(
      async (found) => {
        setError(null);
        setWaiting(Boolean(found.job));
        if (found.job) followJob(found.job);
        else map.current.setPlaces(found.xy);
      },
      (failed) => failed.code !== "aborted" && setError(failed),
    );
    return () => abort.abort();
  }, [lens.value, refresh.value]);
  const source = new ListSource(chosen);
  return html`<h1 class="unseen">${t("nav.map")}</h1><div class="toolbar"><${LensSwitch} /><span class="grow"></span>${chosen.length > 0 && html`<span class="count-words" role="status">${t("map.selected", { n: chosen.length })}</span>`}</div>
    <div class="map-room">
      <div class="map-place">
        <canvas ref=${canvas} role="img" aria-label=${t("map.label")}></canvas>
        ${error && html`<${ErrorBox} error=${error} />`}
        ${waiting && !error && html`<div class="empty"><h2>${t("map.waiting")}</h2>${job.value && html`<${JobProgress} one=${job.value} />`}</div>`}
        <div class="map-tools">
          <${Button} icon="plus" bare class="card-button" label=${t("map.in")} onClick=${() => map.current.zoom(1.5)} />
          <${Button} icon="minus" bare label=${t("map.out")} onClick=${() => map.current.zoom(1 / 1.5)} />
          <${Button} icon="look" bare label=${t("map.whole")} onClick=${() => map.current.whole()} />
        </div>
        <p class="map-hint hint">${t("map.hint")}</p>
        ${tip && html`<div class="map-tip" style=${{ transform: `translate(${tip.x + 14}px, ${tip.y + 14}px)` }}><img src=${thumbUrl(tip.item, 160)} alt="" />${shortName(tip.item.file)}</div>`}
      </div>
      <aside class="map-list" aria-label=${t("map.selected", { n: chosen.length })}>
        ${chosen.length ? html`<h2>${t("map.selected", { n: chosen.length })}</h2>` : html`<p class="hint">${t("map.none")}</p>`}
        <div class="small-thumbs">${chosen.slice(0, MOST_LISTED).map((one, i) => html`<${Thumb} key=${one.id} asked=${{ id: one.id }} file=${one.file} onClick=${() => act("look", source, i)} />`)}</div>
      </aside>
    </div>`;
}
