// Asking with a part of a picture: a rectangle that is dragged, pulled at its handles, or moved with arrow keys.
import { html, useRef, useState } from "../ui.js";
import { imageUrl } from "../api.js";
import { cropAsked } from "../asking.js";
import { t } from "../i18n.js";
import { dialog } from "../state.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";

const LEAST = 0.04; // of a side
const STEP = 0.02;
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** A rectangle [left, top, width, height] in shares, after the parts of it named in grip were moved by dx, dy. */
export function moved([x, y, w, h], grip, dx, dy) {
  if (grip === "move") return [clamp(x + dx, 0, 1 - w), clamp(y + dy, 0, 1 - h), w, h];
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (grip.includes("w")) left = clamp(left + dx, 0, right - LEAST);
  if (grip.includes("e")) right = clamp(right + dx, left + LEAST, 1);
  if (grip.includes("n")) top = clamp(top + dy, 0, bottom - LEAST);
  if (grip.includes("s")) bottom = clamp(bottom + dy, top + LEAST, 1);
  return [left, top, right - left, bottom - top];
}

export function Crop({ asked }) {
  const [box, setBox] = useState(asked.region ?? [0.2, 0.2, 0.6, 0.6]);
  const frame = useRef(null);
  const close = () => (dialog.value = null);
  const use = (region) => {
    close();
    cropAsked(asked, region);
  };
  const { region, ...whole } = asked;

  const start = (grip) => (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    frame.current.querySelector(".crop-box").focus();
    const { width, height, left, top } = frame.current.getBoundingClientRect();
    const [x, y] = [event.clientX, event.clientY];
    const from = grip === "new" ? [clamp((x - left) / width, 0, 1 - LEAST), clamp((y - top) / height, 0, 1 - LEAST), LEAST, LEAST] : box;
    const way = grip === "new" ? "se" : grip;
    const onMove = (move) => setBox(moved(from, way, (move.clientX - x) / width, (move.clientY - y) / height));
    const onUp = () => {
      removeEventListener("pointermove", onMove);
      removeEventListener("pointerup", onUp);
      removeEventListener("pointercancel", onUp);
    };
    addEventListener("pointermove", onMove);
    addEventListener("pointerup", onUp);
    addEventListener("pointercancel", onUp);
  };
  const byKey = (isSizing) => (event) => {
    const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.code];
    if (!by) return false;
    setBox((old) => moved(old, isSizing ? "se" : "move", ...by));
    return true;
  };
  const keys = { move: byKey(false), selectMore: byKey(true), like: () => use(box) };
  const [x, y, w, h] = box.map((one) => `${100 * one}%`);
  return html`<${Dialog} title=${t("crop.title")} onClose=${close} keys=${keys} wide>
    <p class="hint">${t("crop.how")}</p>
    <div class="crop-room">
      <div class="crop-frame" ref=${frame} onPointerDown=${start("new")}>
        <img src=${imageUrl(whole, 1600)} alt=${t("crop.picture")} draggable=${false} />
        <div class="crop-box" data-first tabindex="0" role="application" aria-label=${t("crop.box", { w: Math.round(100 * box[2]), h: Math.round(100 * box[3]) })} style=${{ left: x, top: y, width: w, height: h }} onPointerDown=${start("move")}>
          ${HANDLES.map((grip) => html`<i key=${grip} class=${`grip grip-${grip}`} onPointerDown=${start(grip)}></i>`)}
        </div>
      </div>
    </div>
    <div class="row end">
      ${region && html`<${Button} label=${t("crop.whole")} onClick=${() => use(null)} />`}
      <${Button} kind="primary" icon="like" label=${t("crop.use")} keyId="like" onClick=${() => use(box)} />
    </div>
  <//>`;
}
