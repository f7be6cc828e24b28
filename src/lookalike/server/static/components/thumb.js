// A small picture of the question, of a judgement, of a group: a button where something happens on a click.
import { cls, html } from "../ui.js";
import { thumbUrl } from "../api.js";
import { shortName } from "../judging.js";
import { t } from "../i18n.js";

/** asked: {id | query, region?}; a region is drawn as a frame. */
export function Thumb({ asked, file, side = 160, onClick, title, class: more, ...rest }) {
  const name = file ? shortName(file) : t("ask.sent");
  const box = asked.region;
  const [x, y, w, h] = (box ?? [0, 0, 1, 1]).map((one) => `${100 * one}%`);
  const inside = html`<img src=${thumbUrl(asked, side)} alt=${onClick ? "" : name} loading="lazy" draggable=${false} />
    ${box && html`<i class="region" style=${{ left: x, top: y, width: w, height: h }}></i>`}`;
  return onClick
    ? html`<button type="button" class=${cls("thumb", more)} title=${title ?? name} aria-label=${title ?? name} onClick=${onClick} ...${rest}>
        ${inside}
      </button>`
    : html`<span class=${cls("thumb", more)} ...${rest}>${inside}</span>`;
}
