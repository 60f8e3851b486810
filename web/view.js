// What is shown. Text only ever goes in as text; nothing from the wire becomes markup.

import { columnStartsMs, holds, priceText, rateText, rowsOf, step, untilText } from "/grid.js";

const element = (id) => document.getElementById(id);

function state(id, text, kind) {
  const item = element(id);
  item.textContent = text;
  item.dataset.state = kind;
}

/** The table of rates; its elements are made once for a shape, and only written to after that. */
export class GridView {
  constructor() {
    this.frame = null;
    this.priceCents = null;
    this.skewMs = 0; // the venue's clock less ours
    this.table = null;
  }

  /** A new quote, or none. */
  show(frame) {
    this.frame = frame.n === null ? null : frame;
    element("empty").hidden = this.frame !== null;
    element("grid").hidden = this.frame === null;
    this.draw();
  }

  /** A new price moves the line and not the rates. */
  moveTo(priceCents) {
    this.priceCents = priceCents;
    this.draw();
  }

  draw() {
    if (this.frame === null) {
      return;
    }
    const rows = rowsOf(this.frame);
    const starts = columnStartsMs(this.frame);
    this.shape(rows.length, starts.length);
    const nowMs = Date.now() + this.skewMs;
    starts.forEach((startMs, column) => {
      this.table.heads[column].textContent = untilText(startMs, nowMs);
    });
    rows.forEach((row, index) => {
      const line = this.table.lines[index];
      const here = this.priceCents !== null && holds(row, this.priceCents);
      line.head.textContent = priceText(row.lowCents);
      line.head.className = here ? "here" : "";
      row.cells.forEach((rewardBps, column) => {
        const cell = line.cells[column];
        cell.textContent = rateText(rewardBps);
        cell.className = `step-${step(rewardBps)}${here ? " here" : ""}`;
      });
    });
  }

  shape(rows, columns) {
    if (this.table && this.table.rows === rows && this.table.columns === columns) {
      return;
    }
    const grid = element("grid");
    grid.replaceChildren();
    grid.style.gridTemplateColumns = `repeat(${columns}, 1fr) 6em`;
    grid.style.gridTemplateRows = `auto repeat(${rows}, minmax(0, 1fr))`;
    const top = add(grid, "row");
    const heads = Array.from({ length: columns }, () => add(top, "columnheader"));
    add(top, "columnheader");
    const lines = Array.from({ length: rows }, () => {
      const line = add(grid, "row");
      const cells = Array.from({ length: columns }, () => add(line, "cell"));
      return { cells, head: add(line, "rowheader") };
    });
    this.table = { rows, columns, heads, lines };
  }
}

function add(parent, role) {
  const child = document.createElement("div");
  child.setAttribute("role", role);
  parent.append(child);
  return child;
}

/** The price as text. */
export function showPrice(frame) {
  element("price").textContent = priceText(frame.price_cents);
}

/** Whether we hear from the venue at all. */
export function showConnection(connection) {
  const lost = connection === "lost";
  state("connection", lost ? "offline" : "live", lost ? "bad" : "good");
  document.body.classList.toggle("stale", lost);
  if (lost) {
    banner("No connection to the venue: what you see is old. Trying again.");
  }
}

/** Feed age, breaker and hold, from a heartbeat. */
export function showStatus(status) {
  const age = status.feed_age_ms === null ? "–" : `${(status.feed_age_ms / 1000).toFixed(1)} s`;
  state("feed", `feed ${status.level}, ${age}`, status.level === "healthy" ? "good" : "bad");
  const why = suspension(status);
  state("breaker", why ? "betting suspended" : "betting open", why ? "bad" : "good");
  banner(why);
}

function suspension(status) {
  if (status.draining) {
    return "The venue is stopping. Betting comes back with it.";
  }
  if (status.held || status.override === "open") {
    return "Betting is held by an operator. It comes back when they release it.";
  }
  if (status.breaker === "open") {
    return "Betting is suspended: the price feed is stale. It comes back after 30 steady seconds.";
  }
  return "";
}

function banner(text) {
  element("banner").textContent = text;
  element("banner").hidden = text === "";
}
