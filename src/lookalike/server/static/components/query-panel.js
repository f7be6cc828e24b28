// The question: drop, paste or choose a picture; what is asked for and against; how many hits.
import { cls, html, useRef, useState } from "../ui.js";
import { formatAsked, go, route } from "../router.js";
import { askInWords, askWithFile, askWithTransfer, clearQuestion, hasWords, MOST, takeOut } from "../asking.js";
import { t, num } from "../i18n.js";
import { useKeys } from "../keys.js";
import { answer, dialog, isAsking, preview, status } from "../state.js";
import { ListSource } from "../sources.js";
import { Button } from "./button.js";
import { Icon } from "./icons.js";
import { Thumb } from "./thumb.js";

const HOW_MANY = [50, MOST, 1000];

export function QueryPanel() {
  const { plus, minus, k } = route.value;
  const hidden = answer.value?.hidden;
  return html`<section class="query-panel" aria-label=${t("ask.panel")}>
    ${status.value?.words && html`<${WordsBox} />`}
    <${ChoosePicture} small=${isAsking.value} />
    ${isAsking.value &&
    html`
      <${AskedList} sign="plus" list=${plus} />
      ${minus.length > 0 && html`<${AskedList} sign="minus" list=${minus} />`}
      ${hasWords(route.value) && answer.value?.note && html`<p class="hint words-note">${t("ask.words_note")}</p>`}
      <div class="query-more">
        <label class="field">
          <span>${t("ask.how_many")}</span>
          <select value=${Number(k) || MOST} onChange=${(event) => go({ k: event.target.value === String(MOST) ? "" : event.target.value }, { replace: true })}>
            ${HOW_MANY.map((n) => html`<option key=${n} value=${n}>${num(n)}</option>`)}
          </select>
        </label>
        ${["others", "unique", "reverse"].map(
          (name) => html`<label class="check-field" key=${name}>
            <input type="checkbox" checked=${route.value[name]} onChange=${(event) => go({ [name]: event.target.checked }, { replace: true })} />
            <span>${t(`ask.${name}`)}${name === "unique" && hidden ? ` (${num(hidden)})` : ""}</span>
          </label>`,
        )}
        <p class="hint wide-only">${t("ask.hint")}</p>
        <${Button} class="clear-all" icon="close" label=${t("ask.clear")} keyId="back" onClick=${clearQuestion} />
      </div>
    `}
  </section>`;
}

/** Words to find pictures by, where the network knows words. */
function WordsBox() {
  const box = useRef(null);
  const [text, setText] = useState("");
  useKeys({ words: () => box.current.focus() });
  const onSubmit = (event) => {
    event.preventDefault();
    askInWords(text);
    setText("");
  };
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    event.preventDefault();
    if (text) setText("");
    else box.current.blur();
  };
  return html`<form class="words filter-box" role="search" aria-label=${t("ask.words_label")} onSubmit=${onSubmit}>
    <${Icon} name="like" />
    <input
      ref=${box}
      type="text"
      value=${text}
      maxlength="1000"
      placeholder=${t("ask.words")}
      aria-label=${t("ask.words_label")}
      autocomplete="off"
      enterkeyhint="search"
      onInput=${(event) => setText(event.target.value)}
      onKeyDown=${onKeyDown}
    />
    ${text && html`<${Button} icon="close" bare label=${t("ask.words_clear")} onClick=${() => setText("")} />`}
  </form>`;
}

export function ChoosePicture({ small }) {
  const input = useRef(null);
  const [over, setOver] = useState(false);
  const onDrop = (event) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    askWithTransfer(event.dataTransfer);
  };
  return html`<div
    class=${cls("choose", { over, small })}
    onDragOver=${(event) => {
      event.preventDefault();
      setOver(true);
    }}
    onDragLeave=${() => setOver(false)}
    onDrop=${onDrop}
  >
    <${Icon} name="image" />
    <p class="choose-words wide-only">${t(small ? "ask.drop_another" : "ask.drop")}</p>
    <${Button} label=${t("ask.choose")} onClick=${() => input.current.click()} />
    <input
      ref=${input}
      class="unseen"
      type="file"
      accept="image/*,.heic,.heif,.tif,.tiff,.bmp"
      tabindex="-1"
      aria-label=${t("ask.choose")}
      onChange=${(event) => {
        const [file] = event.target.files;
        event.target.value = "";
        if (file) askWithFile(file);
      }}
    />
  </div>`;
}

function AskedList({ sign, list }) {
  const one = list.length === 1 && sign === "plus" && !list[0].text;
  return html`<div class=${cls("asked", sign, { one })} role="group" aria-label=${t(`ask.${sign}`)}>
    ${(!one || sign === "minus") && html`<h3><${Icon} name=${sign} />${t(`ask.${sign}`)}</h3>`}
    <div class="asked-list">
      ${list.map((asked) => html`<${Asked} key=${formatAsked(asked)} asked=${asked} big=${one} />`)}
    </div>
  </div>`;
}

function Asked({ asked, big }) {
  if (asked.text)
    return html`<div class="asked-words">
      <span>${asked.text}</span><${Button} icon="close" bare label=${t("ask.take_out")} onClick=${() => takeOut(asked)} />
    </div>`;
  const look = () => (preview.value = { source: new ListSource([{ ...asked, file: "" }]), index: 0 });
  return html`<div class=${cls("asked-one", { big })}>
    <${Thumb} asked=${asked} side=${big ? 640 : 320} title=${t("ask.look")} onClick=${look} />
    <div class="asked-acts">
      <${Button} icon="crop" bare=${!big} label=${t(asked.region ? "ask.crop_again" : "act.crop")} keyId="crop" onClick=${() => (dialog.value = { kind: "crop", asked })} />
      <${Button} icon="close" bare label=${t("ask.take_out")} onClick=${() => takeOut(asked)} />
    </div>
  </div>`;
}

