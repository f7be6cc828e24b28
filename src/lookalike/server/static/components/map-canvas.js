// The map's canvas: points written into one image, pictures where few are in view; pan, zoom, lasso.
import { drawPath, drawPictures, drawPoints, MOST_PICTURES } from "./map-drawing.js";

const MOVE_MS = 600;

/** on: {hover(index or null, x, y), pick(index), lasso(indices)}. */
export class MapCanvas {
  constructor(canvas, names, on) {
    Object.assign(this, { canvas, names, on, xy: new Float32Array(0), view: { x: 0.5, y: 0.5, zoom: 0.92 }, images: new Map(), chosen: new Set(), path: null });
    this.context = canvas.getContext("2d");
    this.watch = new ResizeObserver(() => this.size());
    this.watch.observe(canvas);
    this.listeners = { pointerdown: (e) => this.down(e), pointermove: (e) => this.move(e), pointerup: (e) => this.up(e), pointerleave: () => on.hover(null), wheel: (e) => this.wheel(e) };
    for (const [name, act] of Object.entries(this.listeners)) canvas.addEventListener(name, act, { passive: false });
  }

  destroy() {
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    for (const [name, act] of Object.entries(this.listeners)) this.canvas.removeEventListener(name, act);
  }

  size() {
    const ratio = devicePixelRatio;
    this.canvas.width = Math.max(1, this.canvas.clientWidth * ratio);
    this.canvas.height = Math.max(1, this.canvas.clientHeight * ratio);
    this.paint();
  }

  /** Show other places; where there are as many, the points move there. */
  setPlaces(xy) {
    const from = this.xy;
    const still = from.length !== xy.length || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) this.xy = xy;
    const started = performance.now();
    const step = (now) => {
      const share = Math.min(1, (now - started) / MOVE_MS);
      const eased = share * share * (3 - 2 * share);
      this.xy = share === 1 ? xy : xy.map((value, i) => from[i] + (value - from[i]) * eased);
      this.draw();
      if (share < 1) this.frame = requestAnimationFrame(step);
    };
    if (still) this.paint();
    else requestAnimationFrame(step);
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  zoom(by, at = [this.canvas.width / 2, this.canvas.height / 2]) {
    const [x, y] = this.toMap(...at);
    this.view.zoom = Math.max(0.5, Math.min(400, this.view.zoom * by));
    const [x2, y2] = this.toMap(...at);
    this.view.x += x - x2;
    this.view.y += y - y2;
    this.paint();
  }

  whole() {
    this.view = { x: 0.5, y: 0.5, zoom: 0.92 };
    this.paint();
  }

  get scale() {
    return Math.min(this.canvas.width, this.canvas.height) * this.view.zoom;
  }

  toMap(x, y) {
    return [(x - this.canvas.width / 2) / this.scale + this.view.x, (y - this.canvas.height / 2) / this.scale + this.view.y];
  }

  toScreen(i) {
    return [(this.xy[2 * i] - this.view.x) * this.scale + this.canvas.width / 2, (this.xy[2 * i + 1] - this.view.y) * this.scale + this.canvas.height / 2];
  }

  inView() {
    const found = [];
    const { width, height } = this.canvas;
    for (let i = 0; i < this.xy.length / 2; i++) {
      const [x, y] = this.toScreen(i);
      if (x > -40 && y > -40 && x < width + 40 && y < height + 40) found.push(i);
    }
    return found;
  }

  draw() {
    const { width, height } = this.canvas;
    this.context.clearRect(0, 0, width, height);
    const seen = this.inView();
    if (seen.length <= MOST_PICTURES) drawPictures(this, seen);
    else drawPoints(this, seen);
    if (this.path) drawPath(this);
  }

  at(event) {
    return [event.offsetX * devicePixelRatio, event.offsetY * devicePixelRatio];
  }

  nearest([x, y]) {
    let [best, found] = [(24 * devicePixelRatio) ** 2, null];
    for (let i = 0; i < this.xy.length / 2; i++) {
      const [px, py] = this.toScreen(i);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < best) [best, found] = [far, i];
    }
    return found;
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.start = { at: this.at(event), view: { ...this.view }, moved: false };
    if (event.shiftKey) this.path = [this.start.at];
  }

  move(event) {
    const at = this.at(event);
    if (!this.start) return this.on.hover(this.nearest(at), event.offsetX, event.offsetY);
    const [dx, dy] = [at[0] - this.start.at[0], at[1] - this.start.at[1]];
    if (Math.hypot(dx, dy) > 5) this.start.moved = true;
    if (this.path) this.path.push(at);
    else Object.assign(this.view, { x: this.start.view.x - dx / this.scale, y: this.start.view.y - dy / this.scale });
    this.on.hover(null);
    return this.paint();
  }

  up(event) {
    const { start, path } = this;
    this.start = this.path = null;
    if (!start) return;
    if (path) this.on.lasso(this.within(path));
    else if (!start.moved) this.on.pick(this.nearest(this.at(event)));
    this.paint();
  }

  within(path) {
    const shape = new Path2D();
    for (const [x, y] of path) shape.lineTo(x, y);
    shape.closePath();
    return this.inView().filter((i) => this.context.isPointInPath(shape, ...this.toScreen(i)));
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 500), this.at(event));
  }
}
