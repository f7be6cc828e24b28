// The grid: recycled nodes outside the component tree, any number of rows, no thumbnail asked for in flight.
import { leaveTile, loadTile, makeActs, makeTile, nameActs, paintTile } from "./tile.js";
import { Scroll } from "./grid-scroll.js";
import { gridKeys } from "./grid-keys.js";

const GAP = 12; // px between tiles
const CUT = 44; // px for the learned line
const AHEAD = 1; // rows drawn above and below the screen

/**
 * A list of pictures in rows. Its source: {total, get(index) -> picture or null, ensure(from, to), cut}: cut is the
 * first index below the learned line. on: {act(kind, index, event), current(index), cutLine() -> words}.
 */
export class Grid {
  constructor(root, on) {
    Object.assign(this, { root, on, nodes: new Map(), free: [], current: 0, tile: 180, side: 320, stamp: 0 });
    this.source = { total: 0, get: () => null, ensure() {}, cut: null };
    this.look = { marks: new Map(), selected: new Set() };
    this.acts = makeActs();
    this.sheet = root.querySelector(".sheet");
    this.line = root.querySelector(".cut-line");
    this.scroll = new Scroll(root, this.sheet, () => this.draw(), () => this.load());
    this.watch = new ResizeObserver(() => this.layout());
    this.watch.observe(root);
    this.handlers = { click: "onClick", focusin: "onFocus", pointerdown: "onPointer", pointerover: "onOver" };
    for (const name in this.handlers) root.addEventListener(name, this);
    this.keys = gridKeys(this);
  }

  destroy() {
    this.watch.disconnect();
    this.scroll.destroy();
    for (const name in this.handlers) this.root.removeEventListener(name, this);
  }

  handleEvent(event) {
    const tile = event.target.closest(".tile");
    if (tile) this[this.handlers[event.type]](event, tile, Number(tile.dataset.index));
  }

  /** Show another list; keep: where the reader is, when only more pictures came. */
  setSource(source, { keep = false } = {}) {
    this.source = source;
    if (!keep) {
      this.current = 0;
      this.scroll.to(0);
    }
    this.current = Math.max(0, Math.min(this.current, source.total - 1));
    const hadFocus = this.root.contains(document.activeElement);
    this.layout();
    if (hadFocus && !keep) this.moveTo(this.current); // else keys would act on another tile than the one that has it
  }

  setLook(look) {
    this.look = { ...this.look, ...look };
    this.root.classList.toggle("can-judge", Boolean(look.canJudge));
    this.stamp++;
    this.draw();
  }

  setTile(size) {
    this.tile = size;
    this.layout();
  }

  layout() {
    const style = getComputedStyle(this.root);
    const pad = parseFloat(style.paddingLeft) || 0;
    const width = this.root.clientWidth - 2 * pad;
    if (width <= 0) return;
    const wanted = Math.min(this.tile, Math.max(96, (width - 2 * GAP) / 3));
    this.columns = Math.max(1, Math.floor((width + GAP) / (wanted + GAP)));
    this.cell = (width - (this.columns - 1) * GAP) / this.columns;
    this.side = this.cell * devicePixelRatio > 330 ? 640 : this.cell * devicePixelRatio > 170 ? 320 : 160;
    this.row = this.cell + GAP;
    const { total, cut } = this.source;
    this.cutRow = cut === null || cut >= total ? null : Math.ceil(cut / this.columns);
    const rows = this.cutRow === null ? Math.ceil(total / this.columns) : this.cutRow + Math.ceil((total - cut) / this.columns);
    this.stamp++;
    this.scroll.setHeight(rows * this.row + (this.cutRow === null ? 0 : CUT));
    this.draw();
  }

  /** Where a tile lies: its row, column and distance from the top. */
  placeOf(index) {
    const { cut } = this.source;
    const isBelow = this.cutRow !== null && index >= cut;
    const within = isBelow ? index - cut : index;
    const row = Math.floor(within / this.columns) + (isBelow ? this.cutRow : 0);
    return { row, column: within % this.columns, top: row * this.row + (isBelow ? CUT : 0) };
  }

  /** The first tile of a row. */
  firstOf(row) {
    if (this.cutRow === null || row < this.cutRow) return row * this.columns;
    return this.source.cut + (row - this.cutRow) * this.columns;
  }

  draw() {
    if (!this.columns) return;
    const { total } = this.source;
    const above = this.cutRow === null ? 0 : CUT;
    const first = Math.max(0, Math.floor((this.scroll.top - above) / this.row) - AHEAD);
    const last = Math.ceil((this.scroll.top + this.root.clientHeight) / this.row) + AHEAD;
    const from = Math.max(0, this.firstOf(first));
    const to = Math.min(total, this.firstOf(last));
    this.shown = [from, to];
    for (const [index, node] of this.nodes) {
      const hasFocus = node === document.activeElement && index < total;
      if ((index < from || index >= to) && !hasFocus) this.leave(index, node);
    }
    // Tab finds the tile under the keyboard, or the first one where that is far away.
    this.stop = this.nodes.has(this.current) || (this.current >= from && this.current < to) ? this.current : from;
    for (let index = from; index < to; index++) this.put(index);
    for (const index of this.nodes.keys()) if (index < from || index >= to) this.put(index);
    for (const node of this.free) node.hidden = true;
    this.drawLine();
    if (!this.scroll.isFast) this.load();
  }

  /** A tile in its place; painted only where it shows another picture or another look than before. */
  put(index) {
    let node = this.nodes.get(index);
    if (!node) {
      node = this.free.pop() ?? this.sheet.appendChild(makeTile());
      node.hidden = false;
      node.stamp = -1;
      this.nodes.set(index, node);
    }
    const { column, top } = this.placeOf(index);
    const place = `translate(${column * this.row}px, ${top + this.scroll.shift}px)`;
    if (node.place !== place) node.style.transform = node.place = place;
    const tab = index === this.stop ? 0 : -1;
    if (node.tabIndex !== tab) node.tabIndex = tab;
    if (node.stamp === this.stamp) return;
    node.stamp = this.stamp;
    node.style.width = node.style.height = `${this.cell}px`;
    paintTile(node, this.source.get(index), index, { ...this.look, total: this.source.total });
  }

  leave(index, node) {
    this.nodes.delete(index);
    leaveTile(node);
    if (this.acts.parentNode === node) this.acts.remove();
    this.free.push(node);
  }

  drawLine() {
    this.line.hidden = this.cutRow === null;
    if (this.line.hidden) return;
    this.line.style.transform = `translateY(${this.cutRow * this.row - GAP / 2 + this.scroll.shift}px)`;
    this.line.firstElementChild.textContent = this.on.cutLine();
  }

  /** Ask for rows and thumbnails of what is on the screen, and for rows of the next two screens. */
  load() {
    if (!this.shown) return;
    const [from, to] = this.shown;
    this.source.ensure(from, Math.min(this.source.total, to + 2 * (to - from)));
    for (const [index, node] of this.nodes) loadTile(node, this.source.get(index), this.side);
  }

  /** Make a tile the one under the keyboard, and show it. */
  moveTo(index, { focus = true } = {}) {
    if (!this.source.total) return;
    this.current = Math.max(0, Math.min(index, this.source.total - 1));
    this.scroll.show(this.placeOf(this.current).top, this.row);
    this.draw();
    if (focus) this.nodes.get(this.current)?.focus({ preventScroll: true });
    this.on.current(this.current);
  }

  onFocus(event, tile, index) {
    this.current = index;
    this.draw();
    this.on.current(index);
  }

  /** Bring what can be done to the tile under the mouse. */
  onOver(event, tile) {
    if (event.pointerType !== "mouse" || this.acts.parentNode === tile) return;
    nameActs(this.acts);
    tile.append(this.acts);
  }

  onClick(event, tile, index) {
    if (tile.dataset.dragged) return;
    const act = event.target.closest("[data-act]")?.dataset.act;
    const held = event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "select" : "like";
    this.on.act(act ?? held, index, event);
  }

  onPointer(event, tile, index) {
    if (!event.target.closest("[data-act]")) this.on.drag?.(event, tile, index);
  }
}
