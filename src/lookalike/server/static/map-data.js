// The map's data: places as the server sends them, and which picture each point is.
import { api, ask, of } from "./api.js";

const HEADER_BYTES = 8; // n and the table's version
const BLOCK = 500;

/** {xy: Float32Array of n pairs, version}, or {job} while it is laid out; waits: what to do meanwhile. */
export async function loadMap(lens, signal) {
  const params = lens ? `?lens=${encodeURIComponent(lens)}` : "";
  const answer = await ask(of(`/map${params}`), { signal });
  if (answer.status === 202) return { job: (await answer.json()).job };
  const buffer = await answer.arrayBuffer();
  const [n, version] = new Uint32Array(buffer, 0, 2);
  const xy = new Float32Array(buffer.slice(HEADER_BYTES, HEADER_BYTES + 8 * n));
  return { xy: scaled(xy), version };
}

/** The same places between 0 and 1, as wide as high. */
function scaled(xy) {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    left = Math.min(left, xy[i]);
    right = Math.max(right, xy[i]);
    top = Math.min(top, xy[i + 1]);
    bottom = Math.max(bottom, xy[i + 1]);
  }
  const size = Math.max(right - left, bottom - top) || 1;
  const found = new Float32Array(xy.length);
  for (let i = 0; i < xy.length; i += 2) {
    found[i] = 0.5 + (xy[i] - (left + right) / 2) / size;
    found[i + 1] = 0.5 + (xy[i + 1] - (top + bottom) / 2) / size;
  }
  return found;
}

/** Which picture lies at which point: fetched by blocks when somebody looks. */
export class Names {
  constructor(told) {
    Object.assign(this, { told, blocks: new Map() });
  }

  get(index) {
    const block = Math.floor(index / BLOCK);
    if (!this.blocks.has(block)) {
      this.blocks.set(block, []);
      api(of(`/pictures?offset=${block * BLOCK}&limit=${BLOCK}&order=file`)).then(
        (page) => {
          this.blocks.set(block, page.pictures);
          this.told();
        },
        () => this.blocks.delete(block),
      );
    }
    return this.blocks.get(block)?.[index % BLOCK] ?? null;
  }
}
