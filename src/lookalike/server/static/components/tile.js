// One tile of the grid: plain nodes that are painted anew for each picture they come to show.
import { thumbUrl } from "../api.js";
import { similarity, t } from "../i18n.js";
import { icon } from "./icons.js";

/* What the mouse finds on a tile. Every one has a key, so none of them is a stop for Tab. */
const ACTS = ["yes", "no", "plus", "minus", "crop", "look"];

export function makeTile() {
  const node = document.createElement("div");
  node.className = "tile";
  node.setAttribute("role", "option");
  node.tabIndex = -1;
  const acts = ACTS.map((act) => `<span class="act act-${act}" data-act="${act}">${icon(act)}</span>`).join("");
  node.innerHTML = `<img alt="" draggable="false" decoding="async" /><span class="badge" aria-hidden="true"></span>
    <span class="check" data-act="select" aria-hidden="true">${icon("yes")}</span>
    <span class="near" aria-hidden="true"></span><span class="acts" aria-hidden="true">${acts}</span>`;
  const find = (name) => node.querySelector(name);
  node.parts = { img: find("img"), badge: find(".badge"), near: find(".near"), acts: [...node.querySelectorAll("[data-act]")] };
  node.parts.img.addEventListener("load", () => node.classList.add("there"));
  node.parts.img.addEventListener("error", () => node.classList.add("missing"));
  return node;
}

/** Show a picture, or an empty place while it is not known yet. look: {marks, selected, total, canJudge, side}. */
export function paintTile(node, item, index, look) {
  const { img, badge, near, acts } = node.parts;
  node.dataset.index = index;
  node.setAttribute("aria-posinset", index + 1);
  node.setAttribute("aria-setsize", look.total);
  const mark = item ? look.marks.get(item.id) ?? null : null;
  const selected = Boolean(item && look.selected.has(item.id));
  if (node.shown !== item?.id) {
    node.classList.remove("there", "missing");
    img.removeAttribute("src");
    node.shown = item?.id;
    node.classList.toggle("cut-little", Boolean(item) && cutsLittle(item));
  }
  node.dataset.mark = mark ?? "";
  badge.innerHTML = mark ? icon(mark) : "";
  near.textContent = item?.similarity === undefined ? "" : similarity(item.similarity);
  node.setAttribute("aria-selected", selected);
  node.setAttribute("aria-label", item ? nameOf(item, mark, selected) : t("tile.loading"));
  for (const one of acts) one.title = t(`act.${one.dataset.act}`);
  node.classList.toggle("can-judge", look.canJudge);
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
  if (mark) parts.push(t(`tile.${mark}`));
  if (selected) parts.push(t("tile.selected"));
  return parts.join(", ");
}

/** Whether filling the square would hide less than a third of the picture. */
function cutsLittle({ width, height }) {
  const ratio = width / height;
  return ratio > 0.68 && ratio < 1.48;
}
