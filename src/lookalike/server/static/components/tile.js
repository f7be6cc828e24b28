// One tile of the grid: plain nodes, as few as can be, painted anew for each picture that they come to show.
import { thumbUrl } from "../api.js";
import { similarity, t } from "../i18n.js";
import { icon } from "./icons.js";
import { likelyPercent, likelyWords, paintLikely } from "./likely.js";

/* What the mouse finds on a tile. Every one has a key, so none of them is a stop for Tab. */
const ACTS = ["yes", "no", "plus", "minus", "look"];
const isTouch = matchMedia("(hover: none)").matches;

export function makeTile() {
  const node = document.createElement("div");
  node.className = "tile";
  node.setAttribute("role", "option");
  node.tabIndex = -1;
  node.innerHTML = `<img alt="" draggable="false" decoding="async" /><i class="badge" aria-hidden="true"></i><i class="check tick" data-act="select" aria-hidden="true"></i><span class="near" aria-hidden="true"></span>`;
  const [img, badge, check, near] = node.children;
  node.parts = { img, badge, check, near };
  img.addEventListener("load", () => node.classList.add("there"));
  img.addEventListener("error", () => node.classList.add("missing"));
  if (isTouch) node.append(makeActs(["yes", "no"]));
  return node;
}

/** What can be done to the tile under the mouse: one node for the whole grid, on touch one for each tile. */
export function makeActs(names = ACTS) {
  const node = document.createElement("span");
  node.className = "acts";
  node.setAttribute("aria-hidden", "true");
  const signs = { yes: `<i class="tick"></i>`, no: `<i class="cross"></i>` };
  node.innerHTML = names.map((act) => `<span class="act act-${act}" data-act="${act}">${signs[act] ?? icon(act)}</span>`).join("");
  return node;
}

export function nameActs(node) {
  for (const one of node.children) one.title = t(`act.${one.dataset.act}`);
}

/** Show a picture, or an empty place while it is not known yet. look: {marks, selected, total}. */
export function paintTile(node, item, index, look) {
  const { img, badge, check, near } = node.parts;
  node.dataset.index = index;
  node.setAttribute("aria-posinset", index + 1);
  node.setAttribute("aria-setsize", look.total);
  if (node.shown !== item?.id) {
    leaveTile(node);
    node.shown = item?.id;
    node.classList.toggle("cut-little", Boolean(item) && cutsLittle(item));
  }
  const mark = item ? look.marks.get(item.id) ?? "" : "";
  const selected = Boolean(item && look.selected.has(item.id));
  node.dataset.mark = mark;
  badge.className = mark ? `badge ${mark === "yes" ? "tick" : "cross"}` : "badge";
  near.textContent = item?.similarity === undefined ? "" : item.likely == null ? similarity(item.similarity) : likelyPercent(item.likely);
  paintLikely(near, item?.likely);
  check.title = t("act.select");
  node.setAttribute("aria-selected", selected);
  node.setAttribute("aria-label", item ? nameOf(item, mark, selected) : t("tile.loading"));
}

/** Ask for the thumbnail, once the grid stands still. */
export function loadTile(node, item, side) {
  if (!item || node.parts.img.hasAttribute("src")) return;
  node.parts.img.src = thumbUrl(item, side);
}

/** Give up the request for what has left the screen. */
export function leaveTile(node) {
  node.parts.img.removeAttribute("src");
  node.shown = undefined;
  node.classList.remove("there", "missing");
}

function nameOf(item, mark, selected) {
  const parts = [item.file];
  if (item.similarity !== undefined) parts.push(t("tile.similarity", { value: similarity(item.similarity) }));
  if (item.likely != null) parts.push(likelyWords(item.likely));
  if (mark) parts.push(t(`tile.${mark}`));
  if (selected) parts.push(t("tile.selected"));
  return parts.join(", ");
}

/** Whether filling the square would hide less than a third of the picture. */
function cutsLittle({ width, height }) {
  const ratio = width / height;
  return ratio > 0.68 && ratio < 1.48;
}
