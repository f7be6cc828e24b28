// What every view and component is made of: preact, htm, hooks, signals.
import { h, render, Fragment } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { h, render, Fragment };
export { useEffect, useLayoutEffect, useRef, useState, useMemo, useCallback } from "./vendor/preact-hooks.js";
export { signal, computed, effect, batch, useSignal, useComputed, useSignalEffect } from "./vendor/signals.js";
export const html = htm.bind(h);

/** Class names, those whose condition holds: cls("tile", { big: true }) */
export const cls = (...names) =>
  names
    .flatMap((one) => (one && typeof one === "object" ? Object.keys(one).filter((name) => one[name]) : one || []))
    .join(" ");
