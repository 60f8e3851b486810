// A bet that has not ended: its window, counted down, and the price as the page hears it. Nothing
// here says how it stands; that is the record's to say.

import { sceneOfOpen } from "../../domain/evidence_scene.js";
import { countdownText, rangeText } from "../../domain/evidence_words.js";
import { clockText } from "../../domain/numbers.js";
import { evidenceLink } from "../../io/deep_link.js";
import { make, setText } from "../dom.js";
import { makeChart } from "../evidence_chart.js";
import { icon } from "../icons.js";
import { copyButton } from "./copy.js";
import { cellFigures, figureList, idFigure, stakeFigures } from "./figures.js";

/** @import { Found } from "../../io/proofs.js" */
/** @import { Page } from "../../page.js" */
/** @import { Rule } from "../../types/wire.js" */

/** Prices come ten times a second. */
const REDRAW_MS = 100;

/**
 * @param {HTMLElement} section
 * @param {Page} page
 * @param {string} betId
 * @param {Extract<Found, {kind: "open"}>} found
 * @returns {() => void} ends it
 */
export function mountOpen(section, page, betId, { open, bet }) {
  const startMs = open.column_start_s * 1000;
  const endMs = startMs + open.column_s * 1000;
  const cell = {
    columnStartS: open.column_start_s,
    columnS: open.column_s,
    loCents: open.lo_cents,
    hiCents: open.hi_cents,
  };
  const chart = makeChart();
  const countdown = make("span", { class: "evidence-countdown" });
  const head = make("h3", { class: "evidence-head" }, icon("open"), "Open", countdown);
  const why = make("p", { class: "evidence-why" });
  const range = rangeText(open);
  const window = `${clockText(startMs)} to ${clockText(endMs)}`;
  const alternative = `Chart of the price up to now, the cell from ${range} and its window from ${window}.`;
  section.replaceChildren(
    head,
    why,
    chart.element,
    make(
      "p",
      { class: "evidence-note" },
      "The price as this page hears it. The result follows from every tick on record.",
    ),
    make(
      "div",
      { class: "evidence-actions" },
      copyButton("Copy link", () => evidenceLink(betId), "Copy link to this evidence"),
    ),
    figureList([
      ...stakeFigures(bet),
      ...cellFigures({ range: open, startMs, endMs, rule: open.rule }),
      idFigure(betId),
    ]),
  );

  const draw = () => {
    const nowMs = page.clock.nowMs();
    const { trail } = page.store.state.market;
    setText(countdown, countdownText({ startMs, endMs }, nowMs));
    setText(why, whyOpen({ range, window, rule: open.rule, hasPassed: nowMs >= endMs }));
    chart.show(sceneOfOpen({ cell, trail, nowMs }), alternative);
  };
  draw();
  const timer = setInterval(draw, REDRAW_MS);
  return () => clearInterval(timer);
}

/**
 * @param {{range: string, window: string, rule: Rule, hasPassed: boolean}} bet
 */
function whyOpen({ range, window, rule, hasPassed }) {
  if (hasPassed) {
    return `Its window, ${window}, has passed. It is decided once the record of it is whole, in a few seconds.`;
  }
  const across = rule === "path" ? ", or goes across it," : "";
  return `It wins if the price is in ${range}${across} at any moment from ${window}. It is decided once its window has passed.`;
}
