// Icons: lines of 24 by 24, drawn in the colour of the text.
import { h } from "../ui.js";

const LINES = {
  yes: ["M5 12.5l4.5 4.5L19 7"],
  no: ["M6.5 6.5l11 11", "M17.5 6.5l-11 11"],
  plus: ["M12 5v14", "M5 12h14"],
  minus: ["M5 12h14"],
  crop: ["M7 2v15h15", "M2 7h15v15"],
  look: ["M9 4H4v5", "M15 4h5v5", "M9 20H4v-5", "M15 20h5v-5"],
  like: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M15.5 15.5L21 21"],
  filter: ["M4 6h16", "M7 12h10", "M10 18h4"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  down: ["M6 9l6 6 6-6"],
  right: ["M9 6l6 6-6 6"],
  left: ["M15 6l-6 6 6 6"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  up: ["M12 19V5", "M6 11l6-6 6 6"],
  image: ["M4 5h16v14H4z", "M4 16l5-5 4 4 3-3 4 4", "M15 9h.01"],
  library: ["M4 4h7v7H4z", "M13 4h7v7h-7z", "M4 13h7v7H4z", "M13 13h7v7h-7z"],
  judge: ["M4 12l4 4 7-8", "M14 16h6", "M17 12h3"],
  teach: ["M4 19V5", "M4 19h16", "M7 15l4-5 3 3 5-7"],
  groups: ["M4 5h4v14H4z", "M10 5h4v9h-4z", "M16 5h4v11h-4z"],
  map: ["M6 8h.01", "M9 15h.01", "M13 6h.01", "M16 11h.01", "M18 17h.01", "M11 10h.01", "M5 18h.01", "M19 6h.01"],
  duplicates: ["M4 8h12v12H4z", "M8 8V4h12v12h-4"],
  lenses: ["M9 5a7 7 0 1 0 0 14A7 7 0 0 0 9 5z", "M15 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14z"],
  status: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 11v5", "M12 8h.01"],
  compare: ["M12 4v16", "M4 6h5v12H4z", "M15 6h5v12h-5z"],
  panel: ["M4 5h16v14H4z", "M15 5v14"],
  swap: ["M4 9h15l-4-4", "M20 15H5l4 4"],
  save: ["M12 4v11", "M7 11l5 5 5-5", "M5 20h14"],
  undo: ["M9 7L4 12l5 5", "M4 12h11a5 5 0 0 1 0 10h-2"],
  folder: ["M3 6h6l2 2h10v11H3z"],
  warning: ["M12 4l9 16H3z", "M12 10v4", "M12 17h.01"],
};

/** An icon as markup, for nodes that are made outside the components. */
export const icon = (name) =>
  `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${LINES[name].map((d) => `<path d="${d}"/>`).join("")}</svg>`;

/** An icon as a component. */
export const Icon = ({ name }) =>
  h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, LINES[name].map((d) => h("path", { d })));
