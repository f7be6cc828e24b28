// A run of questions: fetched once, answered one by one; every answer is kept at once.
import { useEffect, useState } from "./ui.js";
import { api, of } from "./api.js";
import { loadJudgements, loadStatus } from "./data.js";
import { sayError } from "./toasts.js";
import { sendSurely } from "./unsent.js";

/** {list, at, error, said: the last answer, answer(body), back(), more()} for kind "teach" or "blind". */
export function useQuestions({ kind, lens = "", n }) {
  const [state, setState] = useState({ list: null, at: 0, error: null, said: null });
  const fetchAll = async ({ more = false } = {}) => {
    setState({ list: null, at: 0, error: null, said: null });
    const params = new URLSearchParams({ kind, n });
    if (lens) params.set("lens", lens);
    if (more) params.set("more", "true");
    try {
      const found = await api(of(`/questions?${params}`));
      setState({ list: found, at: 0, error: null, said: null });
    } catch (error) {
      setState({ list: [], at: 0, error, said: null });
    }
  };
  useEffect(() => {
    fetchAll();
  }, [kind, lens]);
  const answer = async (body) => {
    const question = state.list[state.at];
    setState((old) => ({ ...old, at: old.at + 1 }));
    try {
      const said = await sendSurely(of(`/questions/${question.question}`), { body });
      setState((old) => ({ ...old, said, list: [...old.list, ...(said?.next ?? [])] }));
      loadJudgements();
      loadStatus().catch(() => {});
    } catch (error) {
      setState((old) => ({ ...old, at: Math.max(0, old.at - 1) }));
      sayError(error);
    }
  };
  const back = () => setState((old) => ({ ...old, at: Math.max(0, old.at - 1) }));
  return { ...state, answer, back, more: fetchAll };
}
