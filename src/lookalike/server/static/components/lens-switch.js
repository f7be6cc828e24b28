// The lens switch: what "alike" means; the same question is answered anew at once.
import { html } from "../ui.js";
import { t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, route } from "../router.js";
import { isAsking, isFromPictures, lens, lenses, served } from "../state.js";
import { Button, Choice } from "./button.js";
import { Menu } from "./menu.js";

const MOST_SHOWN = 3; // beside plain; of more there is a menu

export const namesOf = () => ["plain", ...lenses.value.map((one) => one.name)];
export const label = (name) => (name === "plain" ? t("lens.plain") : name);

/** Ask through another lens; the one that serves needs no word in the address. */
export function chooseLens(name) {
  go({ lens: name === served.value ? "" : name });
}

export function nextLens() {
  const names = namesOf();
  if (names.length > 1) chooseLens(names[(names.indexOf(lens.value) + 1) % names.length]);
}

export function LensSwitch() {
  useKeys({ lens: nextLens, compare: toggleCompare });
  const names = namesOf();
  if (names.length < 2) return null;
  const choices = names.map((name) => ({ value: name, label: label(name), title: noteOf(name), mark: name === served.value ? t("lens.serves") : null }));
  const isOwn = lenses.value.some((one) => one.name === lens.value && isFromPictures(one));
  return html`<div class="lens-switch">
    ${names.length <= MOST_SHOWN + 1
      ? html`<${Choice} label=${t("lens.switch")} choices=${choices} value=${lens.value} onChoose=${chooseLens} />`
      : html`<${Menu}
          icon="lenses"
          label=${t("lens.switch")}
          text=${label(lens.value)}
          items=${() => names.map((name) => ({ label: label(name), note: noteOf(name), checked: name === lens.value, act: () => chooseLens(name) }))}
        />`}
    ${isOwn && html`<small class="hint wide-only">${t("lens.own_what")}</small>`}
    ${isAsking.value &&
    html`<${Button} icon="compare" class="compare-button" label=${t("lens.compare")} keyId="compare" aria-pressed=${route.value.compare} onClick=${toggleCompare} />`}
  </div>`;
}

function noteOf(name) {
  const found = lenses.value.find((one) => one.name === name);
  if (found && isFromPictures(found)) return t("lens.own_what");
  if (name === served.value) return t("lens.serves");
  return found && !found.verdict ? t("lens.untested") : undefined;
}

export function toggleCompare() {
  if (!isAsking.value || namesOf().length < 2) return false;
  const { compare, lens: asked } = route.value;
  const other = lens.value === "plain" ? namesOf()[1] : asked;
  go({ compare: !compare, lens: compare ? asked : other });
  return true;
}
