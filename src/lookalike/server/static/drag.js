// Dragging pictures by mouse or finger onto whatever takes them: elements with data-drop. Every drag has a key too.
import { thumbUrl } from "./api.js";

const FAR = 8; // px before a press becomes a drag
const HOLD_MS = 350; // of a finger
const takers = new Map();

/** Say what happens to pictures that are dropped on elements with data-drop=NAME: act(ids, element). */
export function onDrop(name, act) {
  takers.set(name, act);
  return () => takers.delete(name);
}

/** Begin to drag the pictures of a tile, unless it turns out to be a click or a scroll. */
export function dragStart(event, tile, ids) {
  if (event.button !== 0) return;
  const [x, y] = [event.clientX, event.clientY];
  const byFinger = event.pointerType !== "mouse";
  let ghost = null;
  let over = null;
  const held = byFinger ? setTimeout(lift, HOLD_MS) : null;

  function lift() {
    ghost = document.body.appendChild(document.createElement("div"));
    ghost.className = "ghost";
    const image = ghost.appendChild(document.createElement("img"));
    image.src = tile.querySelector("img")?.src || thumbUrl({ id: ids[0] }, 160);
    image.alt = "";
    if (ids.length > 1) ghost.appendChild(document.createElement("b")).textContent = ids.length;
    document.body.classList.add("dragging");
    tile.dataset.dragged = "1";
    place(x, y);
  }
  function place(left, top) {
    ghost.style.transform = `translate(${left}px, ${top}px)`;
    over?.classList.remove("drop-here");
    over = document.elementFromPoint(left, top)?.closest("[data-drop]") ?? null;
    if (over && !takers.has(over.dataset.drop)) over = null;
    over?.classList.add("drop-here");
  }
  function onMove(move) {
    const far = Math.hypot(move.clientX - x, move.clientY - y) > FAR;
    if (!ghost && far && byFinger) return end();
    if (!ghost && far) lift();
    if (ghost) {
      move.preventDefault();
      place(move.clientX, move.clientY);
    }
    return undefined;
  }
  function onUp() {
    const to = over;
    const lifted = Boolean(ghost);
    end();
    if (lifted && to) takers.get(to.dataset.drop)(ids, to);
  }
  function end() {
    clearTimeout(held);
    ghost?.remove();
    ghost = null;
    over?.classList.remove("drop-here");
    document.body.classList.remove("dragging");
    setTimeout(() => delete tile.dataset.dragged);
    for (const [name, act] of pairs) removeEventListener(name, act);
  }
  const onTouch = (touch) => ghost && touch.preventDefault(); // a lifted picture does not scroll
  const onKey = (key) => key.key === "Escape" && end();
  const pairs = [["pointermove", onMove], ["pointerup", onUp], ["pointercancel", end], ["touchmove", onTouch], ["keydown", onKey]];
  for (const [name, act] of pairs) addEventListener(name, act, { passive: false });
}
