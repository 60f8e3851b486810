// The geometry of a quote and how its numbers are written. Pure: no DOM, no clock.

const CENTS_PER_USD = 100;
const BPS_PER_UNIT = 10_000;
const STEPS = 9;
const BRIGHTEST_BPS = 1_000_000; // 100x, the most that is ever offered

/** Rows of the grid frame from the highest price down, each with its cells in order of time. */
export function rowsOf(frame) {
  const columns = frame.rows ? frame.rates.length / frame.rows : 0;
  const rows = [];
  for (let row = frame.rows - 1; row >= 0; row -= 1) {
    const lowCents = frame.lowest_row_cents + row * frame.row_cents;
    const cells = [];
    for (let column = 0; column < columns; column += 1) {
      cells.push(frame.rates[column * frame.rows + row]);
    }
    rows.push({ lowCents, highCents: lowCents + frame.row_cents, cells });
  }
  return rows;
}

/** When each column begins, in ms since the epoch. */
export function columnStartsMs(frame) {
  const columns = frame.rows ? frame.rates.length / frame.rows : 0;
  return Array.from(
    { length: columns },
    (_, column) => (frame.first_column_s + column * frame.column_s) * 1000,
  );
}

/** Which row a price lies in: the one at whose low edge it stands, if on an edge. */
export function holds(row, priceCents) {
  return row.lowCents <= priceCents && priceCents < row.highCents;
}

/** "1.85x"; nothing where a cell is not offered. */
export function rateText(rewardBps) {
  if (!rewardBps) {
    return "";
  }
  const digits = rewardBps < 10 * BPS_PER_UNIT ? 2 : rewardBps < 100 * BPS_PER_UNIT ? 1 : 0;
  // Down, never up: a trader is never shown more than he is paid.
  const scale = 10 ** digits;
  const shown = Math.floor((rewardBps * scale) / BPS_PER_UNIT) / scale;
  return `${shown.toFixed(digits)}x`;
}

/** How bright a cell is, 1 to 9 by the logarithm of its rate; 0 where it is not offered. */
export function step(rewardBps) {
  if (!rewardBps) {
    return 0;
  }
  const part = Math.log(rewardBps / BPS_PER_UNIT) / Math.log(BRIGHTEST_BPS / BPS_PER_UNIT);
  return Math.min(STEPS, Math.max(1, Math.ceil(part * STEPS)));
}

/** "42,005.12". */
export function priceText(cents) {
  const whole = Math.floor(cents / CENTS_PER_USD).toLocaleString("en-US");
  return `${whole}.${String(cents % CENTS_PER_USD).padStart(2, "0")}`;
}

/** "in 7 s", or "now". */
export function untilText(startMs, nowMs) {
  const seconds = Math.ceil((startMs - nowMs) / 1000);
  return seconds > 0 ? `${seconds} s` : "now";
}
