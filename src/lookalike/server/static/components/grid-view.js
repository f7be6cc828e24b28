// The grid as a component: gives it its list, marks and keys.
import { html, useEffect, useRef } from "../ui.js";
import { act, meant } from "../acting.js";
import { dragStart } from "../drag.js";
import { language, similarity, t } from "../i18n.js";
import { canJudge, marks } from "../judging.js";
import { useKeys } from "../keys.js";
import { focused, selection, tileSize } from "../state.js";
import { Grid } from "./grid.js";

const SIZES = { small: 120, medium: 176, large: 260 };

/** source: as grid.js says; version: raised when the list has more rows; cutAt: the similarity of the learned line. */
export function GridView({ source, version = 0, label, cutAt = null, keys = true }) {
  const root = useRef(null);
  const grid = useRef(null);
  const shown = useRef(null);
  const look = { marks: marks.value, selected: selection.value, canJudge: canJudge.value };
  const words = useRef({});
  words.current = { source, cutAt };
  if (!grid.current) grid.current = { keys: null };

  useEffect(() => {
    const made = new Grid(root.current, {
      act: (kind, index, event, extra) => {
        const options = typeof extra === "number" ? { place: extra, from: extra } : {};
        act(kind, words.current.source, index, options);
      },
      current: (index) => (focused.value = words.current.source.get(index)),
      cutLine: () => (words.current.cutAt === null ? "" : t("answer.cut", { value: similarity(words.current.cutAt) })),
      drag: (event, tile, index) => {
        const item = words.current.source.get(index);
        if (item) dragStart(event, tile, meant(item));
      },
    });
    grid.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    grid.current.setTile(SIZES[tileSize.value]);
  }, [tileSize.value]);
  useEffect(() => {
    grid.current.setSource(source, { keep: shown.current === source || source.keeps });
    shown.current = source;
  }, [source, version]);
  useEffect(() => {
    grid.current.setLook(look);
  }, [marks.value, selection.value, look.canJudge, language.value]);

  const call = (name) => (event, place) => grid.current.keys?.[name]?.(event, place) ?? false;
  useKeys(Object.fromEntries(NAMES.map((name) => [name, call(name)])), { when: keys });

  return html`<div class="grid" ref=${root} role="listbox" aria-multiselectable="true" aria-label=${label}>
    <div class="sheet" role="presentation"><div class="cut-line" role="presentation" hidden><span></span></div></div>
  </div>`;
}

const NAMES = ["move", "selectMore", "selectAll", "like", "look", "select", "yes", "no", "plus", "minus", "crop", "toGroup", "chooseGroup"];
