// The large picture: arrows go on in the list it came from; everything that can be said of it is a button.
import { html, useEffect, useState } from "../ui.js";
import { act } from "../acting.js";
import { api, imageUrl, of, originalUrl, thumbUrl } from "../api.js";
import { bytes, date, num, similarity, t } from "../i18n.js";
import { anchor, canJudge, marks, shortName } from "../judging.js";
import { preview, status } from "../state.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";
import { likelyWords } from "./likely.js";

export function Preview() {
  const shown = preview.value;
  if (!shown) return null;
  const { source, index } = shown;
  const item = source.get(index);
  const close = () => (preview.value = null);
  const step = (by) => {
    const next = Math.max(0, Math.min(source.total - 1, index + by));
    source.ensure(next, next + 1);
    if (source.get(next)) preview.value = { source, index: next };
  };
  const leave = (kind) => () => {
    close();
    act(kind, source, index);
  };
  const stay = (kind) => () => act(kind, source, index);
  const canSay = canJudge.value && item?.id && item.id !== anchor.value;
  const keys = {
    move: (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -source.total, End: source.total }[event.code];
      if (by) step(by);
    },
    look: close,
    ...(item?.id && { like: leave("like"), plus: stay("plus"), minus: stay("minus"), crop: leave("crop"), yes: stay("yes"), no: stay("no") }),
  };
  return html`<${Dialog} title=${item?.file ? shortName(item.file) : t("ask.sent")} onClose=${close} keys=${keys} full>
    <div class="preview">
      <${Large} item=${item} />
      ${source.total > 1 &&
      html`<div class="preview-steps">
        <${Button} icon="left" bare label=${t("preview.before")} disabled=${index === 0} onClick=${() => step(-1)} />
        <span>${num(index + 1)} / ${num(source.total)}</span>
        <${Button} icon="right" bare label=${t("preview.next")} disabled=${index === source.total - 1} onClick=${() => step(1)} />
      </div>`}
      ${item?.id &&
      html`<div class="preview-acts row">
        <${Button} kind="primary" icon="like" label=${t("act.like")} keyId="like" data-first onClick=${leave("like")} />
        ${canSay &&
        html`<${Button} icon="yes" label=${t("act.yes")} keyId="yes" aria-pressed=${marks.value.get(item.id) === "yes"} onClick=${stay("yes")} />
          <${Button} icon="no" label=${t("act.no")} keyId="no" aria-pressed=${marks.value.get(item.id) === "no"} onClick=${stay("no")} />`}
        <${Button} icon="plus" label=${t("act.plus")} keyId="plus" onClick=${stay("plus")} />
        <${Button} icon="minus" label=${t("act.minus")} keyId="minus" onClick=${stay("minus")} />
        <${Button} icon="crop" label=${t("act.crop")} keyId="crop" onClick=${leave("crop")} />
        <a class="button" href=${originalUrl(item.id)} download>${t("preview.save")}</a>
      </div>`}
      ${item?.id && html`<${Facts} key=${item.id} item=${item} />`}
    </div>
  <//>`;
}

/** The large image; the thumbnail is shown until it is there, and where the disk is not. */
function Large({ item }) {
  const [there, setThere] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    setThere(false);
    setFailed(false);
  }, [item?.id]);
  if (!item) return html`<div class="preview-image"></div>`;
  const name = item.file ? shortName(item.file) : t("ask.sent");
  return html`<div class="preview-image">
    ${(!there || failed) && html`<img class="early" src=${thumbUrl(item, 320)} alt="" />`}
    ${!failed && html`<img key=${item.id} class=${there ? "" : "later"} src=${imageUrl(item, 1600)} alt=${name} onLoad=${() => setThere(true)} onError=${() => setFailed(true)} />`}
    ${failed && status.value?.online === false && html`<p class="hint">${t("preview.offline")}</p>`}
  </div>`;
}

function Facts({ item }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    const abort = new AbortController();
    api(of(`/pictures/${item.id}`), { signal: abort.signal }).then(setFound, () => {});
    return () => abort.abort();
  }, []);
  return html`<dl class="facts">
    <div><dt>${t("preview.file")}</dt><dd class="files">${(found?.files ?? [item.file]).map((file) => html`<span key=${file}>${file}</span>`)}</dd></div>
    ${item.similarity !== undefined && html`<div><dt>${t("preview.similarity")}</dt><dd>${similarity(item.similarity)}</dd></div>`}
    ${item.likely != null && html`<div><dt>${t("preview.likely")}</dt><dd>${likelyWords(item.likely)} <span class="likely tells" style=${{ "--likely": item.likely }} aria-hidden="true"></span></dd></div>`}
    ${found &&
    html`<div><dt>${t("preview.size")}</dt><dd>${num(found.width)} × ${num(found.height)}${found.bytes ? ` · ${bytes(found.bytes)}` : ""}</dd></div>
      <div><dt>${t("preview.date")}</dt><dd>${date(found.mtime)}</dd></div>`}
  </dl>`;
}
