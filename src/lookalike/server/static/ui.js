// What every view and component is made of: preact, htm, hooks, signals.
import { h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { h, render };
export { useEffect, useLayoutEffect, useRef, useState, useMemo } from "./vendor/preact-hooks.js";
export { signal, computed, effect, batch } from "./vendor/signals.js";
export const html = htm.bind(h);

/** What stands where something is on its way. */
export const waiting = () => html`<div class="waiting"><i class="spin"></i></div>`;

/** Class names, those whose condition holds: cls("tile", { big: true }) */
export const cls = (...names) =>
  names.flatMap((one) => (Object(one) === one ? Object.keys(one).filter((name) => one[name]) : one || [])).join(" ");
