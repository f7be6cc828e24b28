// How likely a hit is right, in words, a percentage and a small bar.
import { percent, t } from "../i18n.js";

const LEVELS = [[0.9, "very"], [0.6, "likely"], [0.25, "maybe"]];

/** "very likely, 93%"; "" where nobody knows. No sample is ever sure: 1% to 99%. */
export function likelyWords(value) {
  if (value == null) return "";
  const level = LEVELS.find(([least]) => value >= least)?.[1] ?? "unlikely";
  return t("likely.words", { word: t(`likely.${level}`), percent: likelyPercent(value) });
}

export const likelyPercent = (value) => percent(Math.min(0.99, Math.max(0.01, value)));

/** Give a node the bar under its words; none where nobody knows. */
export function paintLikely(node, value) {
  node.classList.toggle("tells", value != null);
  node.title = likelyWords(value);
  if (value != null) node.style.setProperty("--likely", value);
}
