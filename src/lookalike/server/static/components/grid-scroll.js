// Scrolling of the grid: heights beyond what browsers can lay out, and how fast it moves.
const MOST = 6_000_000; // px; browsers end at 17.9 to 33.5 million
const STILL_MS = 90;
const FAST_MS = 50;

/** top: px from the first row, whatever the height; shift: what is added to a row's place to lie in the sheet. */
export class Scroll {
  constructor(root, sheet, draw, still) {
    Object.assign(this, { root, sheet, draw, still, top: 0, height: 0, isFast: false, before: [0, 0], own: null });
    this.onScroll = () => this.moved();
    this.onWheel = (event) => this.wheel(event);
    root.addEventListener("scroll", this.onScroll, { passive: true });
    root.addEventListener("wheel", this.onWheel, { passive: false });
  }

  destroy() {
    clearTimeout(this.timer);
    this.root.removeEventListener("scroll", this.onScroll);
    this.root.removeEventListener("wheel", this.onWheel);
  }

  get view() {
    return this.root.clientHeight;
  }

  /** How many px of rows one px of the bar stands for. */
  get scale() {
    const room = Math.min(this.height, MOST) - this.view;
    return this.height > MOST && room > 0 ? (this.height - this.view) / room : 1;
  }

  get shift() {
    return this.scale === 1 ? 0 : this.root.scrollTop - this.top;
  }

  setHeight(height) {
    this.height = height;
    this.sheet.style.height = `${Math.min(height, MOST)}px`;
    this.hold(this.top);
  }

  /** Within the rows: below them is a margin, which a scale would make long. */
  hold(top) {
    this.top = Math.max(0, Math.min(top, this.height - this.view));
  }

  to(top) {
    this.hold(top);
    this.own = Math.round(this.top / this.scale);
    this.root.scrollTop = this.own;
  }

  /** Scroll as little as shows a row. */
  show(top, row) {
    if (top < this.top) this.to(top);
    else if (top + row > this.top + this.view) this.to(top + row - this.view);
  }

  wheel(event) {
    if (this.scale === 1 || event.ctrlKey) return; // the browser does it
    event.preventDefault();
    this.to(this.top + event.deltaY * (event.deltaMode === 1 ? 40 : 1));
    this.speed();
    this.draw();
  }

  moved() {
    const { scrollTop } = this.root;
    if (this.own === null || Math.abs(scrollTop - this.own) > 1) {
      this.hold(scrollTop * this.scale);
      this.speed();
    }
    this.own = null;
    this.draw();
  }

  /** Fast is more than half a screen in 50 ms, until it was still for 90 ms. */
  speed() {
    const now = performance.now();
    const [then, where] = this.before;
    const passed = Math.min(Math.max(now - then, 1), FAST_MS); // a leap is fast, however long it was still before
    if ((Math.abs(this.top - where) / passed) * FAST_MS > this.view / 2) this.isFast = true;
    this.before = [now, this.top];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.isFast = false;
      this.still();
    }, STILL_MS);
  }
}
