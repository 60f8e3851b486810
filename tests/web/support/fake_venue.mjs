// A venue of the tests' own on a real port: it says what the test has it say, over real HTTP and a
// real WebSocket, and nothing by itself.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;

/** @typedef {{op: string, id: number} & Record<string, any>} Request */

/** What is put in now or later comes out in its order. @template T */
class Queue {
  /** @type {T[]} */
  #there = [];
  /** @type {((one: T) => void)[]} */
  #waiting = [];

  /** @param {T} one */
  put(one) {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#there.push(one);
    } else {
      waiting(one);
    }
  }

  /** @returns {Promise<T>} */
  take() {
    const one = this.#there.shift();
    return one === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(one);
  }

  /** What is there and nobody has taken. */
  get left() {
    return [...this.#there];
  }
}

export class FakeVenue {
  #http = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    this.asked.push(request.url ?? "");
    const missing = { http_status: 404, error: "not_found", message: "No." };
    const { http_status = 200, ...body } = this.answers[path] ?? missing;
    response.writeHead(http_status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  });
  /** @type {Queue<Connection>} */
  #joined = new Queue();
  /** @type {Set<import("node:stream").Duplex>} */
  #sockets = new Set();
  /** By path. @type {Record<string, any>} */
  answers = {};
  /** Paths with their queries. @type {string[]} */
  asked = [];

  /** @returns {Promise<FakeVenue>} */
  static async open() {
    const venue = new FakeVenue();
    venue.#http.on("upgrade", (request, socket) => venue.#upgrade(request, socket));
    venue.#http.listen(0, "127.0.0.1");
    await once(venue.#http, "listening");
    return venue;
  }

  get host() {
    const at = /** @type {import("node:net").AddressInfo} */ (this.#http.address());
    return `127.0.0.1:${at.port}`;
  }

  /** The next client that connects, or has connected. */
  joined() {
    return this.#joined.take();
  }

  async close() {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:stream").Duplex} socket
   */
  #upgrade(request, socket) {
    const key = `${request.headers["sec-websocket-key"]}${ACCEPT}`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    this.#sockets.add(socket);
    this.#joined.put(new Connection(socket));
  }
}

/** One client's end of the venue. */
export class Connection {
  #socket;
  /** @type {Map<string, Queue<Request>>} */
  #requests = new Map();

  /** @param {import("node:stream").Duplex} socket */
  constructor(socket) {
    this.#socket = socket;
    let buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      buffer = Buffer.concat([buffer, data]);
      for (let frame = unframed(buffer); frame !== null; frame = unframed(buffer)) {
        buffer = buffer.subarray(frame.size);
        this.#heard(frame);
      }
    });
  }

  /**
   * The next request of that operation.
   *
   * @param {string} op
   */
  request(op) {
    return this.#of(op).take();
  }

  /**
   * Requests of that operation that came and were not taken.
   *
   * @param {string} op
   */
  left(op) {
    return this.#of(op).left;
  }

  /** @param {object} frame */
  send(frame) {
    const body = Buffer.from(JSON.stringify(frame));
    const long = body.length > 125;
    const head = Buffer.alloc(long ? 4 : 2);
    head[0] = 0x80 | TEXT;
    head[1] = long ? 126 : body.length;
    if (long) {
      head.writeUInt16BE(body.length, 2);
    }
    this.#socket.write(Buffer.concat([head, body]));
  }

  /**
   * @param {Request} request
   * @param {object} body
   */
  reply({ id }, body) {
    this.send({ type: "reply", id, ok: true, ...body });
  }

  /**
   * @param {Request} request
   * @param {string} error
   * @param {object} [details]
   */
  refuse({ id }, error, details = {}) {
    this.send({ type: "reply", id, ok: false, error, message: "No.", ...details });
  }

  /** As a network does that breaks. */
  cut() {
    this.#socket.destroy();
  }

  /** @param {string} op */
  #of(op) {
    const found = this.#requests.get(op) ?? new Queue();
    this.#requests.set(op, found);
    return found;
  }

  /** @param {{opcode: number, body: Buffer}} frame */
  #heard({ opcode, body }) {
    if (opcode === TEXT) {
      const request = JSON.parse(body.toString());
      this.#of(request.op).put(request);
    } else if (opcode === CLOSE) {
      this.#socket.end(Buffer.from([0x80 | CLOSE, 0]));
    }
  }
}

/**
 * The first frame of a client, which masks each; null while it is not whole.
 *
 * @param {Buffer} data
 */
function unframed(data) {
  if (data.length < 6) {
    return null;
  }
  const short = data.readUInt8(1) & 0x7f;
  const at = short === 126 ? 4 : 2;
  const length = short === 126 ? data.readUInt16BE(2) : short;
  if (data.length < at + 4 + length) {
    return null;
  }
  const mask = data.subarray(at, at + 4);
  const body = Buffer.from(data.subarray(at + 4, at + 4 + length));
  for (const [index, byte] of body.entries()) {
    body[index] = byte ^ /** @type {number} */ (mask[index % 4]);
  }
  return { opcode: data.readUInt8(0) & 0xf, body, size: at + 4 + length };
}
