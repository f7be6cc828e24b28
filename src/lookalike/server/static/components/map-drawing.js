// What a map looks like: points written into one image, or pictures where few are in view, and the lasso.
import { thumbUrl } from "../api.js";

export const MOST_PICTURES = 400; // in view, from which on they are drawn as pictures

export function drawPoints(map, seen) {
  const { width, height } = map.canvas;
  const image = map.context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const size = Math.max(2, Math.round((seen.length > 20_000 ? 2 : 4) * devicePixelRatio));
  const dark = getComputedStyle(map.canvas).colorScheme.includes("dark") || matchMedia("(prefers-color-scheme: dark)").matches;
  const [plain, chosen] = dark && document.documentElement.dataset.theme !== "light" ? [0xffffb09d, 0xff6fd39b] : [0xffc95136, 0xff1a7ae0];
  for (const i of seen) {
    const [x, y] = map.toScreen(i).map(Math.round);
    const color = map.chosen.has(i) ? chosen : plain;
    for (let row = Math.max(0, y); row < Math.min(height, y + size); row++) {
      if (x >= 0 && x + size < width) pixels.fill(color, row * width + x, row * width + x + size);
    }
  }
  map.context.putImageData(image, 0, 0);
}

export function drawPictures(map, seen) {
  const side = Math.max(24, Math.min(96, 900 / Math.sqrt(seen.length + 1))) * devicePixelRatio;
  for (const i of seen) {
    const item = map.names.get(i);
    const [x, y] = map.toScreen(i);
    const image = item && imageOf(map, item);
    if (image?.complete && image.naturalWidth) {
      const fit = side / Math.max(image.naturalWidth, image.naturalHeight);
      const [w, h] = [image.naturalWidth * fit, image.naturalHeight * fit];
      map.context.drawImage(image, x - w / 2, y - h / 2, w, h);
    } else {
      map.context.fillStyle = "#8886";
      map.context.fillRect(x - side / 4, y - side / 4, side / 2, side / 2);
    }
    if (map.chosen.has(i)) {
      map.context.strokeStyle = "#4c6ef5";
      map.context.lineWidth = 4;
      map.context.strokeRect(x - side / 2, y - side / 2, side, side);
    }
  }
}

function imageOf(map, item) {
  if (!map.images.has(item.id)) {
    const image = new Image();
    image.onload = () => map.paint();
    image.src = thumbUrl(item, 160);
    map.images.set(item.id, image);
    if (map.images.size > 3 * MOST_PICTURES) map.images.delete(map.images.keys().next().value);
  }
  return map.images.get(item.id);
}

export function drawPath(map) {
  map.context.beginPath();
  for (const [x, y] of map.path) map.context.lineTo(x, y);
  map.context.closePath();
  map.context.strokeStyle = "#4c6ef5";
  map.context.fillStyle = "#4c6ef522";
  map.context.lineWidth = 2;
  map.context.fill();
  map.context.stroke();
}
