// Begins the page: loads words and the session, then shows the view that the address names.
import { effect, html, render } from "./ui.js";
import { words } from "./begin.js";
import { askWithTransfer, keepAnswering } from "./asking.js";
import { keepFresh, loadSession } from "./data.js";
import { theme } from "./state.js";
import { fetchParts } from "./components/later.js";
import { Shell } from "./views/shell.js";

const LATER_MS = 600; // after which the other views are fetched

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
addEventListener("drop", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  askWithTransfer(event.dataTransfer);
});
addEventListener("paste", (event) => {
  if (event.target.matches?.("input, textarea")) return;
  if (askWithTransfer(event.clipboardData)) event.preventDefault();
});

await words;
keepFresh();
keepAnswering();
render(html`<${Shell} />`, document.getElementById("app"));
await loadSession();
document.documentElement.dataset.ready = "1";
setTimeout(fetchParts, LATER_MS);
