// The proof of a lens, written from its data: the comparison, then the questions themselves, won and lost.
import { html, useEffect, useState, waiting } from "../ui.js";
import { act } from "../acting.js";
import { api, of } from "../api.js";
import { num, percent, t } from "../i18n.js";
import { route } from "../router.js";
import { ListSource } from "../sources.js";
import { refresh } from "../state.js";
import { Choice } from "../components/button.js";
import { Curve } from "../components/curve.js";
import { Details } from "../components/details.js";
import { Empty, ErrorBox } from "../components/empty.js";
import { Icon } from "../components/icons.js";
import { isTestedBlind, LensActions } from "../components/lens-actions.js";
import { Thumb } from "../components/thumb.js";
import { Verdict } from "../components/verdict.js";

const ORDER = ["plain", "own", "shuffled", "closed form", "correction", "untouched backbone", "tuned backbone", "lens"];

export function ProofView() {
  const { name } = route.value;
  const [found, setFound] = useState(null);
  useEffect(() => {
    const abort = new AbortController();
    api(of(`/lenses/${encodeURIComponent(name)}`), { signal: abort.signal }).then(setFound, (error) => error.code !== "aborted" && setFound({ error }));
    return () => abort.abort();
  }, [name, refresh.value]);
  if (!found) return waiting();
  if (found.error) return html`<${ErrorBox} error=${found.error} />`;
  const { proof } = found;
  return html`<div class="page proof">
    <h1>${t("proof.title", { name })}</h1>
    <section class="card"><${Verdict} verdict=${proof?.verdict} words=${found.words}><${LensActions} name=${name} allowed=${found.allowed} blind=${isTestedBlind(found)} proof=${false} /><//></section>
    ${proof ? html`<${Numbers} proof=${proof} /><${Changes} queries=${proof.queries} />` : html`<${Empty} icon="judge" title=${t("proof.none")} text=${t("proof.none_how")} />`}
    ${found.curve?.length > 1 && html`<${Curve} points=${found.curve} />`}
  </div>`;
}

function Numbers({ proof }) {
  const { results, protocol, queries, blind } = proof;
  const ways = ORDER.filter((way) => results?.[way]);
  const lens = results?.lens;
  const told = ways.filter((way) => ["plain", "own", "shuffled", "lens"].includes(way) || results[way].recall_at_1 !== lens.recall_at_1);
  const share = (way) => Math.round(100 * results[way].recall_at_1);
  return html`<section class="card">
    <h2>${t("proof.compared")}</h2>
    <p>${blind ? t("proof.blind", blindCount(blind)) : lens && t("proof.of_100", { before: share("plain"), after: share("lens") })}</p>
    ${blind && html`<p class="hint">${t("proof.interval", { low: belong(blind, blind.lens_interval[0]), high: belong(blind, blind.lens_interval[1]) })}</p>`}
    <div class="arms">${told.map((way) => html`<${Arm} key=${way} way=${way} one=${results[way]} />`)}</div>
    <p class="hint">${t("proof.queries", { n: protocol.queries })}. ${t("proof.won", { won: queries.won, lost: queries.lost })}. ${t("proof.level")}</p>
    ${proof.notes?.length > 0 && html`<${Details} lines=${proof.notes} />`}
  </section>`;
}

const belong = (blind, share) => num(blind.first * share, 1);
const blindCount = (blind) => ({ k: blind.first, before: belong(blind, blind.plain), after: belong(blind, blind.lens) });

function Arm({ way, one }) {
  const wide = (value) => `${100 * value}%`;
  return html`<div class=${`arm arm-${way.replaceAll(" ", "-")}`}>
    <span>${t(`proof.${way}`)}</span>
    <span class="arm-bar" aria-hidden="true">
      <i class="arm-fill" style=${{ width: wide(one.recall_at_1) }}></i>
      ${one.lower !== null && html`<i class="arm-range" style=${{ left: wide(one.lower), width: wide(one.upper - one.lower) }}></i>`}
    </span>
    <span><b>${percent(one.recall_at_1, 1)}</b> ${t("proof.first")}<small>${one.lower !== null ? t("proof.interval", { low: percent(one.lower), high: percent(one.upper) }) : ""}</small></span>
  </div>`;
}

function Changes({ queries }) {
  const [kind, setKind] = useState(queries.best.length ? "best" : "worst");
  const list = queries[kind];
  return html`<section class="card">
    <div class="page-head"><${Choice} label=${t("proof.compared")} choices=${["best", "worst"].map((value) => ({ value, label: t(`proof.${value}`) }))} value=${kind} onChoose=${setKind} /></div>
    ${list.length === 0 && html`<p class="hint">${t("proof.no_queries")}</p>`}
    <${Named} files=${list.flatMap((one) => [one.query, ...one.hits.plain.map((hit) => hit.image), ...one.hits.lens.map((hit) => hit.image)])}>
      ${(ids) => list.map((one) => html`<${Change} key=${`${kind} ${one.query}`} one=${one} ids=${ids} />`)}
    <//>
  </section>`;
}

/** The ids of files, which proofs name: looked up by a condition, some at a time. */
function Named({ files, children }) {
  const [ids, setIds] = useState(new Map());
  const key = files.join("\n");
  useEffect(() => {
    let over = false;
    const quoted = [...new Set(files)].map((file) => `'${String(file).replaceAll("'", "''")}'`);
    (async () => {
      const found = new Map();
      for (let at = 0; at < quoted.length; at += 40) {
        const where = encodeURIComponent(`file IN (${quoted.slice(at, at + 40).join(", ")})`);
        const page = await api(of(`/pictures?limit=500&where=${where}`)).catch(() => ({ pictures: [] }));
        for (const one of page.pictures) found.set(one.file, one);
      }
      if (!over) setIds(found);
    })();
    return () => (over = true);
  }, [key]);
  return children(ids);
}

function Change({ one, ids }) {
  const place = (file) => ids.get(file);
  return html`<article class="change">
    <div>${place(one.query) && html`<${Thumb} asked=${{ id: place(one.query).id }} file=${one.query} side=${320} />`}</div>
    <div class="change-hits">
      ${["plain", "lens"].map((way) => {
        const shown = one.hits[way].filter((hit) => place(hit.image));
        const source = new ListSource(shown.map((hit) => ({ ...place(hit.image), similarity: hit.similarity })));
        return html`<div class="change-row" key=${way}>
          <span><b>${t(way === "plain" ? "proof.before" : "proof.now")}</b><small>${t("proof.rank", { n: one.ranks[way] })}</small></span>
          <ol>
            ${shown.map((hit, i) => html`<li key=${hit.image}>
              <${Thumb} asked=${{ id: place(hit.image).id }} file=${hit.image} title=${`${hit.image}, ${t(hit.relevant ? "proof.right" : "proof.wrong")}`} onClick=${() => act("look", source, i)} />
              ${hit.relevant && html`<span class="mark mark-yes"><${Icon} name="yes" /></span>`}
            </li>`)}
          </ol>
        </div>`;
      })}
    </div>
  </article>`;
}
