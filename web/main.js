// The page: the wire on one side, the view on the other.

import { GridView, showConnection, showPrice, showStatus } from "/view.js";
import { talk } from "/wire.js";

const grid = new GridView();

const shows = {
  price(frame) {
    showPrice(frame);
    grid.moveTo(frame.price_cents);
  },
  grid(frame) {
    grid.show(frame);
  },
  "system:status"(frame) {
    grid.skewMs = frame.server_time_ms - Date.now();
    showStatus(frame);
  },
};

talk(["price", "grid", "status"], (frame) => shows[frame.type]?.(frame), showConnection);
