// The blind test of a lens: what is not ticked counts as not belonging; nothing is told before the last answer.
import { html, useEffect, waiting } from "../ui.js";
import { loadLenses } from "../data.js";
import { t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { useMarks, useQuestions } from "../questions.js";
import { go, route } from "../router.js";
import { refresh } from "../state.js";
import { BLIND_QUESTIONS, LensActions } from "../components/lens-actions.js";
import { Button } from "../components/button.js";
import { Empty, ErrorBox } from "../components/empty.js";
import { Question, QuestionHead } from "../components/question.js";
import { Verdict } from "../components/verdict.js";

export function Blind() {
  const { name } = route.value;
  const { list, at, error, said, sending, answer, more } = useQuestions({ kind: "blind", lens: name, n: BLIND_QUESTIONS });
  const question = list?.[at];
  const [right, change] = useMarks(question);
  const isOver = list && list.length > 0 && !question && !sending; // the last answer brings the verdict
  useEffect(() => {
    if (!isOver) return;
    loadLenses();
    refresh.value++;
  }, [isOver]);
  const candidates = question?.candidates ?? [];
  const onMark = (id) => change((next) => next.delete(id) || next.set(id, "yes"));
  const save = () => answer({ right: [...right.keys()], wrong: candidates.map((one) => one.id).filter((id) => !right.has(id)) });
  const skip = () => answer({ right: [], wrong: [], skip: true });
  useKeys({ candidate: (_, place) => candidates[place] && onMark(candidates[place].id), save, skip }, { when: Boolean(question) });
  if (error) return html`<${ErrorBox} error=${error} />`;
  if (!list || (!question && sending)) return waiting();
  if (isOver && said?.proof) return html`<${Done} name=${name} said=${said} more=${more} />`;
  if (!question) {
    return html`<${Empty} icon="judge" title=${t(isOver ? "blind.done" : "blind.none")}>
      <${Button} kind="primary" icon="teach" label=${t("lens.proof")} onClick=${() => go({ view: "proof", name })} />
    <//>`;
  }
  return html`<div class="page">
    <${QuestionHead} title=${t("blind.title", { name })} question=${question} at=${at} total=${list.length} />
    <p>${t("blind.what")}</p>
    <${Question} question=${question} marks=${right} onMark=${onMark}>
      <${Button} kind="primary" icon="yes" label=${t("judge.save")} keyId="save" onClick=${save} />
      <${Button} label=${t("judge.skip")} keyId="skip" onClick=${skip} />
    <//>
  </div>`;
}

/** What came of it, in words, and what can be done now. */
function Done({ name, said: { proof, words }, more }) {
  return html`<div class="page">
    <h1>${t("blind.done")}</h1>
    <section class="card"><${Verdict} verdict=${proof.verdict} words=${words}>
      <${LensActions} name=${name} allowed=${["taught", "better"].includes(proof.verdict)} />
      ${proof.verdict === "too few" && html`<${Button} icon="judge" label=${t("judge.more")} onClick=${() => more({ more: true })} />`}
    <//></section>
  </div>`;
}
