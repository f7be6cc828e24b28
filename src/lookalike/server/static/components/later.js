// Parts of the page that are fetched when they are wanted, or once the first pictures are there.
import { html, signal, waiting } from "../ui.js";
import { sayError } from "../toasts.js";

const FILES = {
  Blind: "views/blind", Compare: "views/compare", Duplicates: "views/duplicates", Groups: "views/groups", Judge: "views/judge",
  Lenses: "views/lenses", MapView: "views/map", ProofView: "views/proof", Start: "views/start", Status: "views/status", Teach: "views/teach",
  Forget: "views/lenses", Pair: "views/duplicates", Token: "views/start",
  Crop: "components/crop", GroupDialog: "components/group-dialog", Help: "components/help", Preview: "components/preview",
};
const there = signal({});

/** A component of another file, as soon as that is there; the rest goes to it. */
export function Later({ part, ...rest }) {
  const Found = there.value[part];
  if (Found) return html`<${Found} ...${rest} />`;
  fetchPart(part).catch(() => sayError({ code: "server.gone" }));
  return waiting();
}

async function fetchPart(part) {
  const found = await import(`../${FILES[part]}.js`);
  if (!there.peek()[part]) there.value = { ...there.peek(), [part]: found[part] };
}

/** Fetch all of them, so that each shows at once, and also when the server is gone. */
export async function fetchParts() {
  for (const part in FILES) await fetchPart(part).catch(() => {});
}
