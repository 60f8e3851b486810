// What the trader looks at stays where it is while rows and columns come and go around it.

/**
 * Change the table, then scroll so that what stays in it has not moved on the screen.
 *
 * @param {HTMLElement} scroll what scrolls
 * @param {HTMLTableElement} table
 * @param {() => boolean} change true: a row or a column has come or gone
 * @returns {boolean} has it moved all the same, for want of room to scroll?
 */
export function keepPlace(scroll, table, change) {
  const row = markOf(table.tBodies[0]?.children, scroll.scrollTop, "offsetTop");
  const column = markOf(table.tHead?.rows[0]?.children, scroll.scrollLeft, "offsetLeft", 1);
  if (!change()) {
    return false;
  }
  const down = moved(row, "offsetTop");
  const right = moved(column, "offsetLeft");
  const top = scroll.scrollTop + down;
  const left = scroll.scrollLeft + right;
  scroll.scrollTop = top;
  scroll.scrollLeft = left;
  return Math.abs(scroll.scrollTop - top) > 1 || Math.abs(scroll.scrollLeft - left) > 1;
}

/**
 * @typedef {object} Mark
 * @property {readonly {element: HTMLElement, at: number}[]} seen those in sight, first to last
 */

/**
 * Where the rows or columns in sight are.
 *
 * @param {HTMLCollection | undefined} all
 * @param {number} scrolled
 * @param {"offsetTop" | "offsetLeft"} side
 * @param {number} [first] those before it stay where they are
 * @returns {Mark}
 */
function markOf(all, scrolled, side, first = 0) {
  const elements = [...(all ?? [])].slice(first).filter((each) => each instanceof HTMLElement);
  return {
    seen: elements
      .map((element) => ({ element, at: element[side] }))
      .filter(({ at }) => at >= scrolled),
  };
}

/**
 * How far the first of them that is still there has moved.
 *
 * @param {Mark} mark
 * @param {"offsetTop" | "offsetLeft"} side
 */
function moved({ seen }, side) {
  const stays = seen.find(({ element }) => element.isConnected);
  return stays === undefined ? 0 : stays.element[side] - stays.at;
}
