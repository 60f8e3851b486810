// The operators' page on one page: state, wire, views.

import { OpsVenue, Poller, Token } from "./io/ops.js";
import { OpsDesk } from "./io/ops_desk.js";
import { initialOperate, isStale, reduceOperate } from "./state/operate.js";
import { Store } from "./state/store.js";
import { byId } from "./view/dom.js";
import { mountAttention } from "./view/operate/attention.js";
import { mountBoard } from "./view/operate/board.js";
import { mountDesk } from "./view/operate/desk.js";
import { mountEntry } from "./view/operate/entry.js";
import { mountHead } from "./view/operate/head.js";
import { mountLog } from "./view/operate/log.js";
import { mountTree } from "./view/operate/tree.js";

/** @import { OperateEvent } from "./state/operate.js" */
/** @import { OperatePage } from "./view/operate/page.js" */

/** How often the age of what is shown is looked at. */
const TICK_MS = 500;
const WITHDRAWALS_MS = 30_000;
/** Actions after which what is looked up is another. */
const OF_WITHDRAWALS = new Set(["paid", "reject", "bankroll"]);

const store = new Store(reduceOperate, initialOperate());
const token = new Token();
const venue = new OpsVenue(token);
const poller = new Poller(venue, tell);
const desk = new OpsDesk(venue, tell);

/** @type {OperatePage} */
const page = {
  store,
  actions: {
    enter(text, keep) {
      if (!token.enter(text, keep)) {
        return false;
      }
      begin();
      return true;
    },
    leave() {
      poller.stop();
      tell({ type: "ops:turned_away", problem: "" });
    },
    turnTo(where) {
      store.dispatch({ type: "ops:desk", desk: where });
      if (where.page === "withdrawals") {
        desk.loadWithdrawals();
      }
    },
    openActor: (path) => store.dispatch({ type: "ops:opened", path }),
    async order(action, values, reason) {
      const mayBeDone = await desk.order(action, values, reason);
      poller.hasten({ audit: true });
      if (mayBeDone && OF_WITHDRAWALS.has(action.name)) {
        desk.loadWithdrawals();
      }
      const { found } = store.state.account;
      if (mayBeDone && found !== null) {
        desk.loadAccount(String(found.user.user_id));
      }
    },
    loadWithdrawals: () => desk.loadWithdrawals(),
    loadAccount: (user) => desk.loadAccount(user),
    async moreLedger() {
      const { found } = store.state.account;
      if (found !== null) {
        await desk.moreLedger(found);
      }
    },
  },
};

mountHead(byId("head"), page);
mountEntry(byId("entry"), page);
mountAttention(byId("attention"), page);
mountTree(byId("tree"), page);
mountBoard(byId("figures"), page);
mountDesk(byId("desk"), page);
mountLog(byId("log"), page);

store.show(
  (state) => [state.status === null, isStale(state)],
  (isEmpty, stale) => {
    byId("venue").hidden = isEmpty;
    byId("venue").toggleAttribute("data-stale", stale);
  },
);

store.show(
  ({ entry }) => [entry.phase],
  (phase) => {
    if (phase === "in") {
      desk.loadWithdrawals();
    }
  },
);
setInterval(() => {
  if (store.state.entry.phase === "in" && !isStale(store.state)) {
    desk.loadWithdrawals({ quietly: true });
  }
}, WITHDRAWALS_MS);
setInterval(() => store.dispatch({ type: "ops:tick", atMs: performance.now() }), TICK_MS);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    poller.hasten();
  }
});
addEventListener("online", () => poller.hasten());

if (token.recall()) {
  begin();
}

function begin() {
  store.dispatch({ type: "ops:entering" });
  poller.start();
}

/** @param {OperateEvent} event */
function tell(event) {
  if (event.type === "ops:turned_away") {
    token.forget();
  }
  store.dispatch(event);
}
