import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Api, Refused, Unreachable } from "../../../web/io/api.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { AddressInfo } from "node:net" */

/**
 * @param {import("node:test").TestContext} t
 * @param {(request: IncomingMessage, response: ServerResponse) => void} answer
 */
async function venue(t, answer) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `http://127.0.0.1:${/** @type {AddressInfo} */ (server.address()).port}`;
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 */
function say(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/**
 * Why a call failed.
 *
 * @param {Promise<unknown>} call
 * @returns {Promise<any>}
 */
async function failureOf(call) {
  return call.then(
    () => assert.fail("it was answered"),
    (failure) => failure,
  );
}

test("what is asked and answered is JSON, with the token of the session", async (t) => {
  const origin = await venue(t, async (request, response) => {
    const body = await new Response(/** @type {any} */ (request)).text();
    const { authorization = null } = request.headers;
    say(response, 202, { path: request.url, method: request.method, body, authorization });
  });
  const api = new Api(() => "secret", { origin });
  assert.deepEqual(await api.get("/api/bets?limit=5"), {
    path: "/api/bets?limit=5",
    method: "GET",
    body: "",
    authorization: "Bearer secret",
  });
  assert.equal((await api.post("/api/bets", { amount: "1" })).body, '{"amount":"1"}');
  assert.equal((await new Api(() => null, { origin }).get("/")).authorization, null);
  assert.equal((await api.get("/", null)).authorization, null);
});

test("nobody but the venue is asked: the token goes with it", async (t) => {
  const origin = await venue(t, (_request, response) => say(response, 200, {}));
  const api = new Api(() => "secret", { origin });
  for (const path of ["//evil.example/api", "http://evil.example/", "/\\evil.example"]) {
    const failure = await failureOf(api.get(path));
    assert.ok(!(failure instanceof Unreachable) && !(failure instanceof Refused), path);
  }
});

test("a refusal has its code and all that came with it", async (t) => {
  const said = { error: "rate_limited", message: "Too many requests.", retry_after: 12 };
  const origin = await venue(t, (_request, response) => say(response, 429, said));
  const failure = await failureOf(new Api(() => null, { origin }).get("/api/grid"));
  assert.ok(failure instanceof Refused);
  assert.equal(failure.code, "rate_limited");
  assert.equal(failure.message, "Too many requests.");
  assert.deepEqual(failure.details, { retry_after: 12 });
});

test("no answer within the deadline, none in JSON, or no venue at all is no answer", async (t) => {
  const silent = await venue(t, () => {});
  const slow = await venue(t, (_request, response) => void response.writeHead(200).write("{"));
  const proxy = await venue(t, (_request, response) => void response.writeHead(502).end("<html>"));
  const other = await venue(t, (_request, response) => say(response, 500, null));
  const balancer = await venue(t, (_request, response) =>
    say(response, 504, { error: "Gateway Timeout", message: "upstream" }),
  );
  const odd = await venue(t, (_request, response) => say(response, 500, { error: "toString" }));
  const elsewhere = await venue(t, (_request, response) => {
    response.writeHead(302, { Location: proxy }).end();
  });
  const nobody = "http://127.0.0.1:9";
  for (const origin of [silent, slow, proxy, other, balancer, odd, elsewhere, nobody]) {
    const api = new Api(() => "secret", { origin, deadlineMs: 200 });
    const failure = await failureOf(api.get("/api/account"));
    assert.ok(failure instanceof Unreachable, origin);
    assert.ok(!failure.message.includes("secret"));
  }
});

test("a token that opens nothing any more is told of, and only that", async (t) => {
  /** @type {Record<string, [number, object]>} */
  const answers = {
    "/ended": [401, { error: "unauthorized", message: "A valid bearer token is needed." }],
    "/nonce": [401, { error: "unauthorized", message: "", field: "nonce" }],
    "/key": [401, { error: "unauthorized", message: "", key_id: "00" }],
    "/signature": [401, { error: "invalid_signature", message: "" }],
    "/busy": [503, { error: "overloaded", message: "" }],
  };
  const origin = await venue(t, (request, response) => {
    say(response, .../** @type {[number, object]} */ (answers[request.url ?? ""]));
  });
  /** @type {string[]} */
  const ended = [];
  const api = new Api(() => "mine", { origin, ended: (token) => ended.push(token) });
  for (const path of Object.keys(answers)) {
    await failureOf(api.get(path));
    await failureOf(api.get(path, null));
  }
  assert.deepEqual(ended, ["mine"]);
});
