// Makes session_key_bets.json: bets signed by session keys as a browser signs them, by the WebCrypto
// of Node. Signatures are other ones each time, so this was run once:
//
//     node make_session_key_bets.mjs > session_key_bets.json

import { webcrypto } from "node:crypto";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const BETS = [
  {
    cell_id: "1770100015_4200000_4201000", amount: 1000000, chain_id: 31337, version: 1,
    nonce: "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab", timestamp: 1770100003,
  },
  {
    cell_id: "1770100020_4199000_4200000", amount: 25000000, chain_id: 31337, version: 2,
    nonce: "00000000-0000-4000-8000-000000000001", timestamp: 1770100003, rate: 18500, quote: 812,
  },
];

const hex = (bytes) => Buffer.from(bytes).toString("hex");

function textOf(bet) {
  const odds = bet.version === 2 ? [`Rate: ${bet.rate}`, `Quote: ${bet.quote}`] : [];
  return [
    "Tap Trading Bet", "Action: place_bet", `Cell: ${bet.cell_id}`, `Amount: ${bet.amount}`,
    `Nonce: ${bet.nonce}`, `Timestamp: ${bet.timestamp}`, `Chain: ${bet.chain_id}`,
    ...odds, `Version: ${bet.version}`,
  ].join("\n");
}

async function sign(key, text) {
  const how = { name: "ECDSA", hash: "SHA-256" };
  return new Uint8Array(await webcrypto.subtle.sign(how, key, new TextEncoder().encode(text)));
}

const halfOf = (signature) =>
  BigInt("0x" + hex(signature.slice(32))) > ORDER / 2n ? "high" : "low";

// WebCrypto makes either half of s at random: sign until both have come.
async function signInBothHalves(key, text) {
  const found = {};
  while (!(found.low && found.high)) {
    const signature = await sign(key, text);
    found[halfOf(signature)] ??= "0x" + hex(signature);
  }
  return { low_s: found.low, high_s: found.high };
}

const keys = [];
for (let number = 0; number < 2; number += 1) {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await webcrypto.subtle.generateKey(curve, false, ["sign", "verify"]);
  const point = new Uint8Array(await webcrypto.subtle.exportKey("raw", pair.publicKey));
  const digest = new Uint8Array(await webcrypto.subtle.digest("SHA-256", point));
  const bets = [];
  for (const bet of BETS) {
    const text = textOf(bet);
    bets.push({ ...bet, text, signatures: await signInBothHalves(pair.privateKey, text) });
  }
  keys.push({
    public_key: hex(point),
    public_key_base64url: Buffer.from(point).toString("base64url"),
    key_id: hex(digest).slice(0, 32),
    bets,
  });
}
const made_by = `WebCrypto of Node ${process.version}, by make_session_key_bets.mjs`;
console.log(JSON.stringify({ made_by, keys }, null, 1));
