// Makes sign_in_texts.json: what the page has wallets sign, to be read by the venue's own parser.
// Run again when the words change:
//
//     node make_sign_in_texts.mjs > sign_in_texts.json

import { signInText } from "../../web/domain/sign_in_text.js";

const POINT =
  "BO1Dp4fWutzaOGCWLuFeeFTy-3V7fjSQPPu43nBZaCjwbW22mzAufHo-l4EAYesgQKeVaVYE-WzqvnVuPn9Hz5w";

const CASES = [
  {
    message: {
      domain: "127.0.0.1:8080",
      address: "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
      uri: "http://127.0.0.1:8080",
      chainId: 31337,
      nonce: "0123456789abcdef0123456789abcdef",
      issuedAtMs: 1795190909161,
    },
    key: { point: POINT, betMaxMicros: 25000000, dayMaxMicros: 500000000, untilS: 1795219709 },
  },
  {
    message: {
      domain: "tap.example",
      address: "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
      uri: "https://tap.example",
      chainId: 1,
      nonce: "ffffffffffffffffffffffffffffffff",
      issuedAtMs: 1770100003000,
    },
    key: { point: POINT, betMaxMicros: 1500000, dayMaxMicros: 5000000000, untilS: 1770103603 },
  },
];

const texts = CASES.map(({ message, key }) => ({ message, key, text: signInText(message, key) }));
console.log(JSON.stringify({ made_by: "make_sign_in_texts.mjs", texts }, null, 1));
