// The library: all pictures under the filter, or the answer to the question; the question left, judging right.
import { cls, html, useEffect, useMemo, useRef, useState, waiting } from "../ui.js";
import { t } from "../i18n.js";
import { go, route } from "../router.js";
import { ListSource, PagedSource } from "../sources.js";
import { answer, c, counted, dialog, filterError, focused, isAsking, isBusy, job, lens, refresh, rightOpen, selection } from "../state.js";
import { useKeys } from "../keys.js";
import { tell } from "../toasts.js";
import { hasWords } from "../asking.js";
import { Button } from "../components/button.js";
import { Empty, ErrorBox } from "../components/empty.js";
import { Filter } from "../components/filter.js";
import { GridView } from "../components/grid-view.js";
import { indexNow, JobProgress } from "../components/job.js";
import { JudgePanel } from "../components/judge-panel.js";
import { Later } from "../components/later.js";
import { LensSwitch } from "../components/lens-switch.js";
import { ChoosePicture, QueryPanel } from "../components/query-panel.js";
import { RefineBar } from "../components/refine-bar.js";

export function Library() {
  const asking = isAsking.value;
  const cropAsked = () => {
    if (focused.value) return false; // the grid's own
    const asked = route.value.plus.find((one) => !one.text);
    if (!asked) return false;
    dialog.value = { kind: "crop", asked };
    return true;
  };
  useKeys({ crop: cropAsked });
  const comparing = route.value.compare && !hasWords(route.value);
  const running = isBusy.value && job.value.do === "index";
  return html`<div class=${cls("bench", { asking, folded: !rightOpen.value })}>
    <div class="left"><${QueryPanel} /></div>
    <h1 class="unseen">${t(asking ? "answer.label" : "library.label")}</h1>
    <section class="stage" aria-label=${t(asking ? "answer.label" : "library.label")}>
      <div class="toolbar">
        <${LensSwitch} />
        <${Filter} />
        <${Count} />
        ${!asking && html`<${Order} />`}
        ${!rightOpen.value && html`<${Button} icon="panel" bare label=${t("judge.unfold")} onClick=${() => (rightOpen.value = true)} />`}
      </div>
      ${running && html`<${JobProgress} one=${job.value} />`}
      ${asking && !comparing && html`<${RefineBar} />`}
      ${asking ? (comparing ? html`<${Later} part="Compare" />` : html`<${Answer} />`) : html`<${Pictures} />`}
    </section>
    ${rightOpen.value && html`<${JudgePanel} />`}
  </div>`;
}

function Count() {
  const n = isAsking.value ? answer.value?.hits?.length : counted.value?.total;
  if (n === undefined) return html`<span class="count-words"></span>`;
  const words = isAsking.value ? "answer.count" : "library.count";
  return html`<span class="count-words">${selection.value.size ? t("select.count", { n: selection.value.size }) : t(words, { n })}</span>`;
}

function Order() {
  return html`<label class="field order"><span class="unseen">${t("order.label")}</span>
    <select value=${route.value.order || "file"} onChange=${(event) => go({ order: event.target.value === "file" ? "" : event.target.value }, { replace: true })}>
      ${["file", "mtime", "random"].map((one) => html`<option key=${one} value=${one}>${t(`order.${one}`)}</option>`)}
    </select></label>`;
}

/** All pictures under the filter. */
function Pictures() {
  const { where, order } = route.value;
  const [version, setVersion] = useState(0);
  const first = useRef(true);
  const source = useMemo(() => {
    const made = new PagedSource({ where, order }, ({ error, total, isNew }) => {
      if (error) {
        filterError.value = where && error.code.startsWith("query") ? error : null;
        counted.value = { ...counted.value, error };
      } else if (total !== undefined) {
        filterError.value = null;
        counted.value = { total };
        if (isNew) tell("library.told", { n: total });
      }
      setVersion((old) => old + 1);
    });
    return made;
  }, [where, order, c.value]);
  useEffect(() => {
    source.fetch(0);
    return () => source.close();
  }, [source]);
  useEffect(() => {
    if (!first.current) source.fetch(0); // more pictures were committed
    first.current = false;
  }, [refresh.value]);
  const total = source.total;
  if (filterError.value && !total) return html`<${Empty} icon="filter" title=${t("filter.wrong")} text=${t("filter.mend")} />`;
  const error = counted.value?.error;
  if (error && !total && error.code !== "server.gone") {
    return html`<${ErrorBox} error=${error}><${Button} kind="primary" label=${t("button.retry")} onClick=${() => source.fetch(0)} /><//>`;
  }
  if (counted.value?.total === 0 && !total) {
    return where ? html`<${NoneHere} />` : html`<${Empty} icon="folder" title=${t("library.empty")} text=${t("library.empty_how")}><${Button} kind="primary" label=${t("index.again")} onClick=${indexNow} /><//>`;
  }
  return html`<${GridView} source=${source} version=${version} label=${t("library.label")} />`;
}

function NoneHere() {
  return html`<${Empty} icon="filter" title=${t("filter.none")} text=${t("filter.none_how")}>
    <${Button} kind="primary" label=${t("filter.remove")} onClick=${() => go({ where: "" })} />
  <//>`;
}

/** The answer to the question. */
function Answer() {
  const found = answer.value;
  const hits = found?.hits;
  const source = useMemo(() => {
    const below = found?.cut == null ? -1 : (hits ?? []).findIndex((one) => one.similarity < found.cut);
    return new ListSource(hits ?? [], below < 0 ? null : below, found?.keeps);
  }, [hits, found?.cut]);
  if (found?.error) return found.error.code.startsWith("query.where") ? html`<${NoneHere} />` : html`<${ErrorBox} error=${found.error}><${ChoosePicture} small /><//>`;
  if (!hits) return waiting();
  if (!hits.length) return route.value.where ? html`<${NoneHere} />` : html`<${Empty} icon="like" title=${t("answer.none")} />`;
  const label = t("answer.label_lens", { lens: lens.value === "plain" ? t("lens.plain") : lens.value });
  return html`<${GridView} source=${source} label=${label} cutAt=${found.cut} />`;
}

