// Prints what each action of the operators' page would send, for the venue's own forms to judge.

import { ACTIONS } from "../../../web/domain/ops_actions.js";

/** What an operator types, by the field's name. */
const TYPED = /** @type {Record<string, string>} */ ({
  wallet: "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf",
  user: "17",
  amount_micros: "1,000.50",
  reference: "wire-17",
  destination: "",
  bet_id: "",
  withdrawal_id: "01HZX3Y4Z5A6B7C8D9E0F1G2H3",
  week: "2026-11-15",
  start: "1795191595_6492000_6493000",
  name: "venue/batcher",
});

const sent = ACTIONS.map((action) => {
  const read = action.fields.map(({ name, kind }) => ({
    name,
    ...kind.read(TYPED[name] ?? ""),
  }));
  const values = Object.fromEntries(read.map(({ name, value }) => [name, value]));
  const problems = read.filter(({ problem }) => problem !== "").map(({ name }) => name);
  const body = { ...action.body?.(values), reason: "drill" };
  return { name: action.name, path: action.path(values), body, problems };
});

process.stdout.write(JSON.stringify(sent));
