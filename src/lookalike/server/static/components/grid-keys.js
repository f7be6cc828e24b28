// What the keys of the table do in a grid.

/** Handlers for useKeys, for one grid. */
export function gridKeys(grid) {
  const act = (kind) => (event) => {
    if (!grid.source.total || !isHere(grid, event)) return false;
    grid.on.act(kind, grid.current, event);
    return true;
  };
  return {
    move: (event) => isHere(grid, event) && move(grid, event.code, false),
    selectMore: (event) => isHere(grid, event) && move(grid, event.code, true),
    selectAll: act("all"),
    like: act("like"),
    look: act("look"),
    select: act("select"),
    yes: act("yes"),
    no: act("no"),
    plus: act("plus"),
    minus: act("minus"),
    crop: act("crop"),
    toGroup: (event, place) => grid.on.act("toGroup", grid.current, event, place),
    chooseGroup: act("chooseGroup"),
  };
}

/** Whether a key is meant for this grid: it has the focus, or nothing else has. */
function isHere(grid, event) {
  return grid.root.contains(event.target) || event.target === document.body;
}

function move(grid, code, isSelecting) {
  if (!grid.source.total) return false;
  const from = grid.current;
  const isFirst = !grid.root.contains(document.activeElement);
  grid.moveTo(isFirst && !isSelecting ? from : target(grid, code, from));
  if (isSelecting) grid.on.act("stretch", grid.current, null, from);
  return true;
}

function target(grid, code, from) {
  const { columns } = grid;
  const screen = Math.max(1, Math.floor(grid.root.clientHeight / grid.row));
  const { row, column } = grid.placeOf(from);
  const inRow = (wanted) => {
    const first = grid.firstOf(wanted);
    const end = Math.min(grid.source.total, grid.firstOf(wanted + 1));
    return first >= end ? from : Math.min(first + column, end - 1);
  };
  const last = grid.placeOf(grid.source.total - 1).row;
  const to = (wanted) => inRow(Math.max(0, Math.min(last, wanted)));
  const moves = {
    ArrowLeft: () => from - 1,
    ArrowRight: () => from + 1,
    ArrowUp: () => to(row - 1),
    ArrowDown: () => to(row + 1),
    PageUp: () => to(row - screen),
    PageDown: () => to(row + screen),
    Home: () => 0,
    End: () => grid.source.total - 1,
  };
  return (moves[code] ?? (() => from + (columns && 0)))();
}
