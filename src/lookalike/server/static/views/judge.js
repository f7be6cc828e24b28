// Questions that teach: twelve candidates; a click or key ticks, again crosses, untouched says nothing.
import { html, waiting } from "../ui.js";
import { t } from "../i18n.js";
import { undo } from "../judging.js";
import { useKeys } from "../keys.js";
import { useMarks, useQuestions } from "../questions.js";
import { go } from "../router.js";
import { lens } from "../state.js";
import { Button } from "../components/button.js";
import { Empty, ErrorBox } from "../components/empty.js";
import { Question, QuestionHead } from "../components/question.js";

const ASKED = 40;
const NEXT = { undefined: "yes", yes: "no", no: undefined };

export function Judge() {
  const { list, at, error, said, answer, back, more } = useQuestions({ kind: "teach", lens: lens.value === "plain" ? "" : lens.value, n: ASKED });
  const question = list?.[at];
  const [marks, change] = useMarks(question);
  const candidates = question?.candidates ?? [];
  const onMark = (id) =>
    change((next) => {
      const mark = NEXT[next.get(id)];
      if (mark) next.set(id, mark);
      else next.delete(id);
    });
  const of = (kind) => [...marks].filter(([, mark]) => mark === kind).map(([id]) => id);
  const save = () => (marks.size ? answer({ right: of("yes"), wrong: of("no") }) : answer({ right: [], wrong: [], skip: true }));
  const none = () => change((next) => candidates.forEach((one) => next.set(one.id, next.get(one.id) ?? "no")));
  const skip = () => answer({ right: [], wrong: [], skip: true });
  const takeBack = () => (marks.size ? change((next) => next.clear()) : undo(said?.added || 1).then(back));
  useKeys(
    {
      candidate: (_, place) => candidates[place] && onMark(candidates[place].id),
      save,
      none,
      skip,
      undo: takeBack,
    },
    { when: Boolean(question) },
  );
  if (error) return html`<${ErrorBox} error=${error} />`;
  if (!list) return waiting();
  if (!question) {
    const title = list.length ? t("judge.done") : t("judge.empty");
    return html`<${Empty} icon="judge" title=${title} text=${t("judge.done_how")}>
      <${Button} kind="primary" icon="teach" label=${t("nav.teach")} keyId="teach" onClick=${() => go({ view: "teach" })} />
      <${Button} label=${t("judge.more")} onClick=${() => more()} />
    <//>`;
  }
  return html`<div class="page">
    <${QuestionHead} title=${t("judge.which")} question=${question} at=${at} total=${list.length} />
    <${Question} question=${question} marks=${marks} onMark=${onMark}>
      <p class="hint">${t("judge.tick")}</p>
      <${Button} kind="primary" icon="yes" label=${t("judge.save")} keyId="save" onClick=${save} />
      <${Button} label=${t("judge.none")} keyId="none" onClick=${none} />
      <${Button} label=${t("judge.skip")} keyId="skip" onClick=${skip} />
      <${Button} icon="undo" label=${t("button.undo")} keyId="undo" onClick=${takeBack} />
    <//>
  </div>`;
}
