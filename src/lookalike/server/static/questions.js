// A run of questions: fetched once, answered one by one; every answer is kept at once.
import { useEffect, useState } from "./ui.js";
import { api, of } from "./api.js";
import { loadJudgements, loadStatus } from "./data.js";
import { sayError } from "./toasts.js";
import { sendSurely } from "./unsent.js";

/** {list, at, error, sending: how many answers are on their way, said: the last that came back, answer(body), back(),
    more()} for kind "teach" or "blind". */
export function useQuestions({ kind, lens = "", n }) {
  const [state, setState] = useState({ list: null, at: 0, error: null, said: null, sending: 0 });
  const fetchAll = async ({ more = false } = {}) => {
    setState((old) => ({ ...old, list: null, at: 0, error: null, said: null }));
    const params = new URLSearchParams({ kind, n });
    if (lens) params.set("lens", lens);
    if (more) params.set("more", "true");
    try {
      const found = await api(of(`/questions?${params}`));
      setState((old) => ({ ...old, list: found }));
    } catch (error) {
      setState((old) => ({ ...old, list: [], error }));
    }
  };
  useEffect(() => {
    fetchAll();
  }, [kind, lens]);
  const answer = async (body) => {
    const question = state.list[state.at];
    setState((old) => ({ ...old, at: old.at + 1, sending: old.sending + 1 }));
    try {
      const said = await sendSurely(of(`/questions/${question.question}`), { body });
      setState((old) => ({ ...old, said, list: [...old.list, ...(said?.next ?? [])] }));
      if (kind === "teach") Promise.allSettled([loadJudgements(), loadStatus()]); // a blind answer teaches nothing
    } catch (error) {
      setState((old) => ({ ...old, at: Math.max(0, old.at - 1) }));
      sayError(error);
    } finally {
      setState((old) => ({ ...old, sending: old.sending - 1 }));
    }
  };
  const back = () => setState((old) => ({ ...old, at: Math.max(0, old.at - 1) }));
  return { ...state, answer, back, more: fetchAll };
}

/** The marks of a question, id -> yes or no, and a way to change them: change((marks) => ..). Those of the one before
    never count for the next, however fast somebody goes on. */
export function useMarks(question) {
  const [said, setSaid] = useState({ of: null, marks: new Map() });
  const of = question?.question;
  const marksIn = (one) => (one.of === of ? one.marks : new Map());
  const change = (act) =>
    setSaid((old) => {
      const marks = new Map(marksIn(old));
      act(marks);
      return { of, marks };
    });
  return [marksIn(said), change];
}
