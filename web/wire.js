// The WebSocket: subscribes, hands frames over, and comes back when it is lost.

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const SILENT_MS = 5_000; // the venue's heartbeat comes every second

/**
 * Talk to the venue for as long as the page lives.
 *
 * `on(frame)` gets every frame; `onState("connected" | "lost")` what the connection is doing.
 */
export function talk(channels, on, onState) {
  let retryMs = FIRST_RETRY_MS;
  let toldMs = null; // how long a draining venue asked us to wait

  function open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    let watchdog = null;

    function alive() {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => socket.close(), SILENT_MS);
    }

    socket.addEventListener("open", () => {
      retryMs = FIRST_RETRY_MS;
      socket.send(JSON.stringify({ op: "subscribe", channels }));
      onState("connected");
      alive();
    });
    socket.addEventListener("message", (event) => {
      alive();
      const frame = JSON.parse(event.data);
      if (frame.type === "drain") {
        toldMs = frame.reconnect_in_ms;
      }
      on(frame);
    });
    socket.addEventListener("close", () => {
      clearTimeout(watchdog);
      onState("lost");
      // Full jitter, so that a thousand pages do not come back in one moment.
      const waitMs = toldMs ?? Math.random() * retryMs;
      toldMs = null;
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
      setTimeout(open, waitMs);
    });
  }

  open();
}
