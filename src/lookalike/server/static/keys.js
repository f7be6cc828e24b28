// The one table of keys, which help, tooltips and tests read too; and who owns the keyboard.
import { useLayoutEffect, useRef } from "./ui.js";

const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const ROW = ["Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7", "Digit8", "Digit9", "Digit0", "Minus", "Equal"];

/* codes: event.code with Shift+ or Ctrl+ before it, so that letters work while Hangul is typed.
   chars: event.key, for signs that lie elsewhere on other keyboards. in: the part of the help. */
export const KEYS = [
  { id: "move", in: "grid", codes: MOVES, show: ["←", "↑", "→", "↓"] },
  { id: "like", in: "grid", codes: ["Enter", "NumpadEnter"], show: ["Enter"] },
  { id: "look", in: "grid", codes: ["Space"], show: ["Space"] },
  { id: "select", in: "grid", codes: ["KeyX"], show: ["X"] },
  { id: "selectMore", in: "grid", codes: MOVES.map((code) => `Shift+${code}`), show: ["Shift", "→"] },
  { id: "selectAll", in: "grid", codes: ["Ctrl+KeyA"], show: ["Ctrl", "A"] },
  { id: "candidate", in: "judge", codes: ROW, show: ["1", "…", "="] },
  { id: "save", in: "judge", codes: ["Enter", "NumpadEnter"], show: ["Enter"] },
  { id: "none", in: "judge", codes: ["KeyA"], show: ["A"] },
  { id: "skip", in: "judge", codes: ["KeyS"], show: ["S"] },
  { id: "yes", in: "say", codes: ["KeyY"], show: ["Y"] },
  { id: "no", in: "say", codes: ["KeyN"], show: ["N"] },
  { id: "undo", in: "say", codes: ["KeyU", "Ctrl+KeyZ"], show: ["U"] },
  { id: "toGroup", in: "say", codes: ROW.slice(0, 9), show: ["1", "…", "9"] },
  { id: "chooseGroup", in: "say", codes: ["KeyG"], show: ["G"] },
  { id: "plus", in: "ask", codes: ["Equal", "Shift+Equal", "NumpadAdd"], chars: ["+"], show: ["+"] },
  { id: "minus", in: "ask", codes: ["Minus", "NumpadSubtract"], chars: ["-"], show: ["−"] },
  { id: "crop", in: "ask", codes: ["KeyC"], show: ["C"] },
  { id: "words", in: "ask", codes: ["KeyW"], show: ["W"] },
  { id: "filter", in: "ask", codes: ["Slash"], chars: ["/"], show: ["/"] },
  { id: "lens", in: "go", codes: ["KeyL"], show: ["L"] },
  { id: "compare", in: "go", codes: ["KeyB"], show: ["B"] },
  { id: "teach", in: "go", codes: ["KeyT"], show: ["T"] },
  { id: "map", in: "go", codes: ["KeyM"], show: ["M"] },
  { id: "duplicates", in: "go", codes: ["KeyD"], show: ["D"] },
  { id: "help", in: "go", codes: ["Shift+Slash"], chars: ["?"], show: ["?"] },
  { id: "back", in: "go", codes: ["Escape"], show: ["Esc"] },
];
export const SHOWN = Object.fromEntries(KEYS.map((one) => [one.id, one.show]));
/** What a screen reader says of a button's key. */
export const ariaKeys = (id) => SHOWN[id]?.join("+");

const REPEATS = ["move", "selectMore"]; // while a key is held; one answer is one press
const owners = []; // the last one that takes a key has it; below a modal one nobody has any

function isMeant(entry, event) {
  const command = event.ctrlKey || event.metaKey;
  const code = `${command ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${event.code}`;
  if (event.altKey) return false;
  if (!command && entry.chars?.includes(event.key)) return true;
  const isAnothersSign = entry.chars && !command && KEYS.some((one) => one.chars?.includes(event.key));
  return !isAnothersSign && entry.codes.includes(code);
}

function isTyping(target) {
  return target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox");
}

/** Whether the browser itself answers this key on this element: Enter on a button, Space on a checkbox. */
function isItsOwn(target, id) {
  if (id === "save" && target.closest(".candidate")) return false; // Space ticks it
  return ["like", "look", "save"].includes(id) && Boolean(target.closest("button, a, summary, input, [role=menuitem]"));
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  const typing = isTyping(event.target);
  const meant = KEYS.filter((entry) => isMeant(entry, event) && (!typing || entry.id === "back"));
  const there = owners.filter((owner) => !owner.root || owner.root.current?.isConnected); // a closed dialog owns nothing
  for (const owner of there.reverse()) {
    for (const entry of meant) {
      const act = owner.handlers.current[entry.id];
      if (!act || isItsOwn(event.target, entry.id)) continue;
      const counts = !event.repeat || REPEATS.includes(entry.id);
      if (counts && act(event, entry.codes.indexOf(event.code)) === false) continue;
      event.preventDefault();
      return;
    }
    if (owner.modal) return;
  }
}
addEventListener("keydown", onKey);

/** Take keys for as long as a component is shown: {id of the table: (event, place) => false to pass it on}. root: a ref
    to what must still be in the page. */
export function useKeys(handlers, { modal = false, when = true, root = null } = {}) {
  const current = useRef(handlers);
  current.current = handlers;
  useLayoutEffect(() => { // at once: a key may be pressed as soon as something is seen
    if (!when) return undefined;
    const owner = { handlers: current, modal, root };
    owners.push(owner);
    return () => owners.splice(owners.indexOf(owner), 1);
  }, [modal, when]);
}
