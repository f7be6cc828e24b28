// One question: the picture that is asked about, its candidates with the keys 1 to =, and what was said of them.
import { html } from "../ui.js";
import { thumbUrl } from "../api.js";
import { shortName } from "../judging.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";
import { Thumb } from "./thumb.js";

const SIGNS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-", "="];

/** marks: id -> yes or no; onMark(id): the next mark. children: what stands below the query. */
export function Question({ question, marks, onMark, children }) {
  const query = question.query;
  return html`<div class="judge">
    <div class="judge-query">
      <${Thumb} asked=${{ id: query.id }} side=${640} file=${query.file} alt=${t("judge.query")} />
      ${children}
    </div>
    <div class="candidates" role="group" aria-label=${t("judge.which")}>
      ${question.candidates.map((one, i) => {
        const mark = marks.get(one.id);
        const name = [t("judge.candidate", { n: i + 1 }), one.file && shortName(one.file), mark && t(`tile.${mark}`)];
        return html`<button
          type="button"
          key=${one.id}
          class="candidate"
          data-mark=${mark}
          aria-pressed=${mark === "yes"}
          aria-label=${name.filter(Boolean).join(", ")}
          onClick=${() => onMark(one.id)}
        >
          <img src=${thumbUrl(one, 320)} alt="" />
          ${SIGNS[i] && html`<kbd aria-hidden="true">${SIGNS[i]}</kbd>`}
          ${mark && html`<span class=${`mark mark-${mark}`}><${Icon} name=${mark} /></span>`}
        </button>`;
      })}
    </div>
  </div>`;
}

/** How far a run is: of a blind test that goes on, by the numbers of its questions. */
export function QuestionHead({ title, question, at, total }) {
  const [n, of] = question.kind === "blind" ? [question.number, question.of] : [at + 1, total];
  const words = t("judge.question", { n, total: of });
  return html`<div class="page-head"><h1 class="grow">${title}</h1><span class="count-words" role="status">${words}</span></div>
    <progress max=${of} value=${n - 1} aria-label=${words}></progress>`;
}
