// The ticks of a window in a table: what the chart shows, to be read.

import { momentText, placeText } from "../../domain/evidence_words.js";
import { priceText } from "../../domain/numbers.js";
import { inForce, recompute } from "../../domain/verdict.js";
import { make } from "../dom.js";

/** @import { Proof, Tick } from "../../types/wire.js" */

/**
 * A table that is made when it is first asked for: a busy window has hundreds of rows.
 *
 * @param {Proof} proof
 */
export function tickTable(proof) {
  const details = make("details", { class: "evidence-details" });
  details.append(make("summary", {}, "All ticks as a table"));
  details.addEventListener(
    "toggle",
    () => {
      const scroller = make("div", { class: "evidence-scroller", tabindex: 0, role: "region" });
      scroller.setAttribute("aria-label", "Ticks");
      scroller.append(tableOf(proof));
      details.append(scroller);
    },
    { once: true },
  );
  return details;
}

/** @param {Proof} proof */
function tableOf(proof) {
  const { decidingTick } = recompute(proof);
  const heads = ["Time", "Price", "To the cell", "Trade"].map((name) =>
    make("th", { scope: "col" }, name),
  );
  return make(
    "table",
    { class: "evidence-ticks" },
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...inForce(proof).map((tick) => rowOf(proof, tick, tick === decidingTick))),
  );
}

/**
 * @param {Proof} proof
 * @param {Tick} tick
 * @param {boolean} decided
 */
function rowOf(proof, tick, decided) {
  const notes = [
    tick === proof.carry_in ? "in force at the opening" : "",
    decided ? "decided it" : "",
  ].filter((note) => note !== "");
  const place = [placeText(proof, tick), ...notes].join(", ");
  return make(
    "tr",
    { class: decided ? "evidence-deciding-row" : null },
    make("td", {}, momentText(tick.ts_ms)),
    make("td", {}, priceText(tick.price_cents)),
    make("td", { class: "evidence-place" }, place),
    make("td", {}, String(tick.trade_id)),
  );
}
