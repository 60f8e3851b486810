// A bet that has ended: the result as the venue tells it, why, and what this browser makes of it.

import { checksOf } from "../../domain/checks.js";
import { sceneOfProof } from "../../domain/evidence_scene.js";
import { STATUS_WORDS, whyText } from "../../domain/evidence_words.js";
import { rateText, signedUsdText, usdText } from "../../domain/numbers.js";
import { recompute } from "../../domain/verdict.js";
import { evidenceLink } from "../../io/deep_link.js";
import { proofPath, sha256Of } from "../../io/proofs.js";
import { make } from "../dom.js";
import { makeChart } from "../evidence_chart.js";
import { icon } from "../icons.js";
import { copyButton } from "./copy.js";
import { cellFigures, figureList, idFigure, recordFigures, stakeFigures } from "./figures.js";
import { doubt, report } from "./recheck.js";
import { tickTable } from "./tick_table.js";

/** @import { Found } from "../../io/proofs.js" */
/** @import { Bet, BetStatus } from "../../types/wire.js" */

/**
 * @param {HTMLElement} section
 * @param {string} betId
 * @param {Extract<Found, {kind: "proof"}>} found
 */
export function mountSettled(section, betId, { proof, sha256, bet }) {
  const doubts = doubt(checksOf(proof, { betId, sha256, bet }));
  const why = whyText(proof, recompute(proof));
  const chart = makeChart();
  const place = make("div", { class: "evidence-recheck", role: "status" });
  const recheck = async () => {
    // The hash, too, is made anew: what is shown is what has just been done.
    const again = { betId, sha256: await sha256Of(proof), bet };
    place.replaceChildren(report(checksOf(proof, again)), origin(betId));
  };
  section.replaceChildren(
    heading(proof.status, bet, doubts !== null),
    ...(doubts === null ? [make("p", { class: "evidence-why" }, why)] : [doubts]),
    chart.element,
    ...(doubts === null ? [] : [make("p", { class: "evidence-why" }, `By its ticks: ${why}`)]),
    make(
      "div",
      { class: "evidence-actions" },
      make(
        "button",
        { type: "button", class: "evidence-button evidence-main", onclick: recheck },
        "Check it yourself",
      ),
      copyButton("Copy link", () => evidenceLink(betId), "Copy link to this evidence"),
    ),
    place,
    figureList([
      ...stakeFigures(bet),
      ...cellFigures({
        range: proof,
        startMs: proof.window_start_ms,
        endMs: proof.window_end_ms,
        rule: proof.rule,
      }),
      ...recordFigures(proof),
      idFigure(betId),
    ]),
    ...(bet === null ? [whose()] : []),
    tickTable(proof),
  );
  chart.show(sceneOfProof(proof), `Chart of the price in the window. ${why}`);
}

/**
 * What came of it: `Won +4.25 USD`, and how it comes about.
 *
 * @param {BetStatus} status
 * @param {Bet | null} bet
 * @param {boolean} isDoubtful then it is only what the venue says
 */
function heading(status, bet, isDoubtful) {
  const sign = status === "won" || status === "void" ? status : "lost";
  const head = make("h3", { class: "evidence-head", "data-status": isDoubtful ? null : status });
  const word = STATUS_WORDS[status];
  head.append(icon(isDoubtful ? "look" : sign), isDoubtful ? `${word}, says the venue` : word);
  if (bet === null) {
    return head;
  }
  const result = make("span", { class: "evidence-result" }, resultText(bet));
  const sum = make("p", { class: "evidence-sum" }, sumText(bet));
  head.append(result);
  return make("div", { class: "evidence-top" }, head, sum);
}

/** @param {Bet} bet */
function resultText({ status, stake_micros: stake, payout_micros: payout }) {
  return `${signedUsdText(status === "void" ? 0 : (payout ?? 0) - stake)} USD`;
}

/** @param {Bet} bet */
function sumText({ status, stake_micros: stake, reward_bps: rate, payout_micros: payout }) {
  if (status === "won") {
    return `${usdText(stake)} at ${rateText(rate)} paid ${usdText(payout ?? 0)}`;
  }
  return status === "void"
    ? `${usdText(stake)} came back`
    : `${usdText(stake)} at ${rateText(rate)}`;
}

/** What the check was made from, and how to make it without this page. */
function origin(/** @type {string} */ betId) {
  const link = make("a", { href: proofPath(betId), target: "_blank", rel: "noopener" });
  link.append("the proof itself");
  return make(
    "p",
    { class: "evidence-note" },
    "Done in this browser, from the ticks alone. To check without this page, take ",
    link,
    ".",
  );
}

function whose() {
  return make(
    "p",
    { class: "evidence-note" },
    "A proof names no trader. Stake and payout are shown to the one who placed the bet.",
  );
}
