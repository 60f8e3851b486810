// What every view of the operators' page is given. Types only.

/** @import { Action, Values } from "../../domain/ops_actions.js" */
/** @import { Desk, OperateEvent, OperateState } from "../../state/operate.js" */
/** @import { Store } from "../../state/store.js" */

/**
 * What an operator can do. None of it throws; what came of it shows in the state.
 *
 * @typedef {object} OperateActions
 * @property {(token: string, keep: boolean) => boolean} enter false if it can't be a token
 * @property {() => void} leave
 * @property {(desk: Partial<Desk>) => void} turnTo
 * @property {(path: string | null) => void} openActor
 * @property {(action: Action, values: Values, reason: string) => Promise<void>} order
 * @property {() => Promise<void>} loadWithdrawals
 * @property {(user: string) => Promise<void>} loadAccount
 * @property {() => Promise<void>} moreLedger
 */

/**
 * @typedef {object} OperatePage
 * @property {Store<OperateState, OperateEvent>} store
 * @property {OperateActions} actions
 */

export {};
