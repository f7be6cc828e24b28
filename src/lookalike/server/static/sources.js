// Lists of pictures for the grid: one that is fetched by blocks as it is looked at, and one that is there.
import { api, of } from "./api.js";

const BLOCK = 400;
const MOST_BLOCKS = 40;
const PAUSE_MS = 1500; // before rows that did not come are asked for again

/** A list that is whole: hits of a search, members of a group. */
export class ListSource {
  constructor(pictures, cut = null, keeps = false) {
    this.pictures = pictures;
    this.keeps = keeps; // the one that was shown, with another order behind what was clicked
    this.total = pictures.length;
    this.cut = cut;
  }

  get(index) {
    return this.pictures[index] ?? null;
  }

  ensure() {}
}

/** All pictures under a filter, in an order. told: called when rows came, with an error, or {} to draw once more. */
export class PagedSource {
  constructor({ where, order }, told) {
    Object.assign(this, { where, order, told, total: 0, cut: null, version: null });
    this.blocks = new Map(); // in the order in which they were used last
    this.asked = new Map();
    this.paused = new Set();
  }

  get(index) {
    return this.blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK] ?? null;
  }

  ensure(from, to) {
    if (!this.total) return;
    for (let block = Math.floor(from / BLOCK); block <= Math.floor(Math.max(from, to - 1) / BLOCK); block++) {
      const found = this.blocks.get(block);
      if (!found) {
        if (!this.paused.has(block)) this.fetch(block);
      } else {
        this.blocks.delete(block);
        this.blocks.set(block, found);
      }
    }
    for (const [block, abort] of this.asked) {
      const isNear = (block + 1) * BLOCK > from - BLOCK && block * BLOCK < to + BLOCK;
      if (!isNear) abort.abort();
    }
  }

  /** Fetch a block, the first of which says how many there are. */
  async fetch(block = 0) {
    if (this.asked.has(block) || this.closed) return;
    const abort = new AbortController();
    this.asked.set(block, abort);
    const params = new URLSearchParams({ offset: block * BLOCK, limit: BLOCK, order: this.order || "file" });
    if (this.where) params.set("where", this.where);
    try {
      const page = await api(of(`/pictures?${params}`), { signal: abort.signal });
      if (this.closed) return;
      if (this.version !== null && page.version !== this.version) this.blocks.clear();
      this.version = page.version;
      this.blocks.set(block, page.pictures);
      if (this.blocks.size > MOST_BLOCKS) this.blocks.delete(this.blocks.keys().next().value);
      const isNew = this.total !== page.total;
      this.total = page.total;
      this.told({ isNew, total: page.total });
    } catch (error) {
      if (error.code === "aborted" || this.closed) return;
      this.paused.add(block);
      setTimeout(() => this.paused.delete(block) && this.told({}), PAUSE_MS);
      this.told({ error });
    } finally {
      this.asked.delete(block);
    }
  }

  close() {
    this.closed = true;
    for (const abort of this.asked.values()) abort.abort();
  }
}
