// The actor tree: a row an actor, and one for each further channel that it reads.

import { wantsOf } from "../../domain/ops_attention.js";
import {
  ageOfSeconds,
  msText,
  shareOf,
  shortCountText,
  uptimeText,
} from "../../domain/ops_words.js";
import { channelKey, handlingMs } from "../../state/operate.js";
import { make, setText } from "../dom.js";
import { bar } from "./bar.js";
import { detailsOf } from "./details.js";
import { spark } from "./spark.js";

/** @import { OperateState } from "../../state/operate.js" */
/** @import { Actor, Channel, OpsStatus } from "../../types/wire.js" */
/** @import { OperatePage } from "./page.js" */

/** Heading, and what of the table is left out where there is little room. */
const COLUMNS = [
  ["Actor", ""],
  ["State", ""],
  ["Up", "op-wide op-number"],
  ["Restarts", "op-number"],
  ["Mailbox", "op-wide"],
  ["Waiting", ""],
  ["Peak", "op-wide op-number"],
  ["Lost", "op-wide op-number"],
  ["p50/p99 ms", "op-wide op-number"],
  ["Trend", "op-wide"],
  ["Failed", "op-wide op-number"],
];

/** @typedef {{actor: Actor, channel: Channel | null, isFirst: boolean}} Line */
/** @typedef {{elements: readonly HTMLElement[], show: (line: Line, state: OperateState, status: OpsStatus) => void}} Row */

/**
 * @param {HTMLElement} place
 * @param {OperatePage} page
 */
export function mountTree(place, page) {
  const body = make("tbody");
  const headings = COLUMNS.map(([text = "", name]) =>
    make("th", { scope: "col", class: name || null }, text),
  );
  place.append(
    make(
      "div",
      { class: "op-scroll", tabindex: "0", role: "group", "aria-label": "Actor tree" },
      make(
        "table",
        { class: "op-tree" },
        make("caption", { class: "unseen" }, "Actors with their mailboxes"),
        make("thead", {}, make("tr", {}, ...headings)),
        body,
      ),
    ),
  );
  /** @type {Map<string, Row>} */
  let rows = new Map();

  page.store.show(
    ({ status, samples, opened }) => [status, samples, opened],
    (status, _samples, _opened) => {
      const lines = status === null ? [] : linesOf(status.actors);
      if (lines.length !== rows.size || lines.some((line) => !rows.has(keyOf(line)))) {
        rows = new Map(lines.map((line) => [keyOf(line), rowOf(line, page)]));
        body.replaceChildren(...[...rows.values()].flatMap(({ elements }) => elements));
      }
      for (const line of lines) {
        if (status !== null) {
          rows.get(keyOf(line))?.show(line, page.store.state, status);
        }
      }
    },
  );
}

/**
 * @param {readonly Actor[]} actors
 * @returns {Line[]}
 */
function linesOf(actors) {
  return actors.flatMap((actor) => {
    const channels = actor.channels ?? [];
    /** @type {Line} */
    const first = { actor, channel: channels[0] ?? null, isFirst: true };
    return [first, ...channels.slice(1).map((channel) => ({ actor, channel, isFirst: false }))];
  });
}

/** @param {Line} line */
function keyOf({ actor, channel, isFirst }) {
  return isFirst ? actor.path : channelKey(actor.path, channel?.name ?? "");
}

/**
 * @param {Line} line
 * @param {OperatePage} page
 * @returns {Row}
 */
function rowOf(line, page) {
  return line.isFirst ? actorRow(line, page) : channelRow(line);
}

/**
 * @param {Line} line
 * @param {OperatePage} page
 * @returns {Row}
 */
function actorRow({ actor: { path } }, { store, actions }) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const open = make(
    "button",
    {
      class: "op-actor",
      type: "button",
      "aria-expanded": "false",
      onclick: () => actions.openActor(store.state.opened === path ? null : path),
    },
    name,
  );
  const heading = make("th", { scope: "row", class: "op-name" }, open);
  heading.style.paddingInlineStart = `${8 + 12 * path.split("/").slice(1).length}px`;
  const [state, restarts] = [cell(), cell("op-number")];
  const [up, failure] = [cell("op-wide op-number"), cell("op-wide op-number")];
  const mail = mailCells();
  const element = make("tr", {}, heading, state, up, restarts, ...mail.cells, failure);
  const details = detailsOf(path, COLUMNS.length, actions);
  return {
    elements: [element, details.element],
    show(line, at, { attention }) {
      const { actor } = line;
      open.setAttribute("aria-expanded", String(at.opened === path));
      element.dataset.kind = actor.kind;
      state.dataset.wants = wantsOf(
        attention.filter(({ where }) => where === `actors.${path}`),
        `actors.${path}`,
      );
      setText(state, actor.state);
      setText(up, upText(actor));
      setText(restarts, restartsText(actor));
      setText(failure, failureText(actor));
      mail.show(line, at, attention);
      details.element.hidden = at.opened !== path;
      if (at.opened === path) {
        details.show(actor);
      }
    },
  };
}

/**
 * @param {Line} line
 * @returns {Row}
 */
function channelRow({ actor: { path } }) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const heading = make("th", { scope: "row" }, make("span", { class: "unseen" }, name));
  const mail = mailCells();
  const wide = [cell("op-wide"), cell("op-wide")];
  const cells = [heading, cell(), wide[0] ?? null, cell(), ...mail.cells, wide[1] ?? null];
  return {
    elements: [make("tr", { class: "op-further" }, ...cells)],
    show: (line, at, { attention }) => mail.show(line, at, attention),
  };
}

/** The cells of a mailbox. */
function mailCells() {
  const depth = bar();
  const waiting = make("span", { class: "op-waiting" });
  const [box, full] = [cell("op-wide op-quiet"), cell("op-mail")];
  full.append(depth.element, waiting);
  const [peak, lost, times] = [
    cell("op-wide op-number"),
    cell("op-wide op-number"),
    cell("op-number"),
  ];
  const handling = spark();
  const line = cell("op-wide");
  line.append(handling.element);
  return {
    cells: [box, full, peak, lost, times, line],
    /**
     * @param {Line} shown
     * @param {OperateState} state
     * @param {OpsStatus["attention"]} attention
     */
    show({ actor, channel }, { samples, status }, attention) {
      depth.element.hidden = channel === null;
      handling.element.classList.toggle("op-gone", channel === null || channel.handled === 0);
      if (channel === null || status === null) {
        return;
      }
      const { thresholds } = status;
      const wants = wantsOf(attention, `actors.${actor.path}.${channel.name}`);
      const marks = [thresholds.mailbox_look_percent / 100, thresholds.mailbox_act_percent / 100];
      depth.show(shareOf(channel.depth, channel.capacity), marks, wants);
      full.dataset.wants = wants;
      setText(box, channel.name.slice(channel.name.lastIndexOf("/") + 1));
      setText(waiting, `${shortCountText(channel.depth)} / ${shortCountText(channel.capacity)}`);
      setText(peak, shortCountText(channel.peak));
      setText(lost, shortCountText(channel.refused + channel.dropped));
      setText(times, timesText(channel));
      handling.show(handlingMs(samples, channelKey(actor.path, channel.name)));
    },
  };
}

/** How long it has run; of one that is down, when it is tried again. @param {Actor} actor */
function upText({ uptime_s: uptimeS, retry_in_s: retryInS }) {
  return retryInS === null ? uptimeText(uptimeS) : `in ${Math.ceil(retryInS)}s`;
}

/** @param {Actor} actor */
function restartsText({ restarts, restarts_in_window: lately, restarts_max: most }) {
  // Of a supervisor those below it count: more than its most within its period end it.
  if (most !== undefined) {
    return `${lately} of ${most}`;
  }
  return lately === 0 ? String(restarts) : `${restarts} (${lately})`;
}

/** @param {Actor} actor */
function failureText({ last_failure: failure }) {
  return failure === null ? "" : `${ageOfSeconds(failure.ago_s)} ago`;
}

/** @param {Channel} channel */
function timesText({ handled, handling_p50_ms: p50Ms, handling_p99_ms: p99Ms }) {
  return handled === 0 ? "" : `${msText(p50Ms)} / ${msText(p99Ms)}`;
}

/** @param {string} [name] */
function cell(name) {
  return make("td", { class: name ?? null });
}
