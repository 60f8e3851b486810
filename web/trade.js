// The trading page on one page: state, wire, views. What each does stands in its own module.

import { Api } from "./io/api.js";
import { Bets } from "./io/bets.js";
import { VenueClock } from "./io/clock.js";
import { followLinks } from "./io/deep_link.js";
import { Follower } from "./io/follow.js";
import { recallView, rememberView } from "./io/preferences.js";
import { Sessions } from "./io/session.js";
import { followToday } from "./io/today.js";
import { Wallets } from "./io/wallets.js";
import { welcome } from "./io/welcome.js";
import { initialState } from "./state/state.js";
import { Store } from "./state/store.js";
import { reduce } from "./state/trading.js";
import { mountBanner } from "./view/banner.js";
import { mountBottomBar } from "./view/bottom_bar.js";
import { byId } from "./view/dom.js";
import { mountFeel } from "./view/feel.js";
import { mountGrid } from "./view/grid_canvas.js";
import { mountPanels } from "./view/panels.js";
import { mountTable } from "./view/table.js";
import { mountTheme } from "./view/theme.js";
import { mountTold } from "./view/told.js";
import { mountTopLine } from "./view/top_line.js";

/** @import { Page } from "./page.js" */

const clock = new VenueClock();
const store = new Store(reduce, initialState(recallView()));
const api = new Api(() => sessions.token(), { ended: (token) => void sessions.ended(token) });
const sessions = new Sessions({
  show: (session) => store.dispatch({ type: "page:session", session }),
  api,
  clock,
});
const follower = new Follower({
  store,
  api,
  clock,
  sessions,
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  chance: Math.random,
  caughtUp: () => bets.askAfter(),
});
const bets = new Bets({
  store,
  socket: follower.socket,
  api,
  clock,
  sessions,
  newNonce: () => crypto.randomUUID(),
});

/** @type {Page} */
const page = {
  store,
  clock,
  api,
  wallets: new Wallets(),
  actions: {
    tap: (cellId) => bets.tap(cellId),
    look: (view) => store.dispatch({ type: "page:view", view }),
    openEvidence: (betId) =>
      store.dispatch({ type: "page:view", view: { panel: "evidence", betId } }),
    closePanel: () => store.dispatch({ type: "page:view", view: { panel: "none", betId: null } }),
    signInDemo: async () => void (await sessions.signInDemo()),
    signInWith: (wallet, caps) => sessions.signInWith(wallet, caps),
    cancelSignIn: () => sessions.cancel(),
    signOut: () => sessions.signOut(),
  },
};

rememberView(store);
followToday(page);
mountTheme(page);
mountTopLine(byId("top"), page);
mountBanner(byId("banner"), page);
mountGrid(byId("chart"), page);
mountTable(byId("table"), page);
mountPanels(byId("panel"), page);
mountBottomBar(byId("bottom"), page);
followLinks(page);
mountTold(byId("told"), page);
mountFeel(page);

sessions.watch(page.wallets);
const restored = sessions.restore();
store.watch((_state, _before, event) => {
  if (event.type === "page:rules" && event.demo) {
    void restored.then(() => welcome(sessions));
  }
});

setInterval(() => store.dispatch({ type: "page:tick", nowMs: clock.nowMs() }), 1000);
for (const event of ["online", "pageshow", "focus"]) {
  addEventListener(event, () => follower.socket.hasten());
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    void sessions.reread();
    follower.socket.hasten();
  }
});
follower.socket.connect();
