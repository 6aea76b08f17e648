// What a change of a member, pool, monitor, name or vantage point owes in its own transaction: a worker judges members and plans names
// anew, at once after the commit. Not in the transaction itself: members are locked before names, and a service has locked what it changes.
import type { Transaction } from '../../../platform/database/database.ts';
import { type OwedKey, owe, oweAll } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { poolsOfMembersTouched, poolsOfNamesTouched } from './pool-targets-store.ts';

/** Owed for a member (UUID): its votes, admin state or monitors changed, or time decides. */
export const judgeKind = 'gslb-judge';
/** Owed for a name (UUID): what it wants or what its members are has changed. */
export const planKind = 'gslb-plan';
/** Owed for a vantage point (UUID): all its votes began or ceased to count. */
export const vantageKind = 'gslb-vantage';
/** Owed for a vantage point (UUID): an administrator made, changed or deleted it. */
export const vantageChangeKind = 'gslb-vantage-change';

/** Wakes the sessions of checkers: what is to be checked has changed. */
export const targetsTopic = 'gslb-targets';

/** Members were made, changed or deleted, or what monitors them was. */
export async function membersTouched(tx: Transaction, wake: Wake, memberIds: readonly string[]): Promise<void> {
  await poolsOfMembersTouched(tx, memberIds);
  await oweAll(tx, judgeKind, keysOf(memberIds), wake);
  tx.afterCommit(() => wake.notify(targetsTopic));
}

/** Names were made, changed, frozen, released or deleted, or the pools that they use were. */
export async function namesTouched(tx: Transaction, wake: Wake, gslbIds: readonly string[]): Promise<void> {
  await poolsOfNamesTouched(tx, gslbIds);
  await oweAll(tx, planKind, keysOf(gslbIds), wake);
  // Which vantage points check a name's members is its flavor's to say.
  tx.afterCommit(() => wake.notify(targetsTopic));
}

/** A vantage point was made, changed or deleted: its checkers get other rules, and other vantage points judge. */
export async function vantagePointTouched(tx: Transaction, wake: Wake, id: string): Promise<void> {
  await owe(tx, vantageChangeKind, id, {}, wake);
  tx.afterCommit(() => wake.notify(targetsTopic));
}

function keysOf(ids: readonly string[]): readonly OwedKey[] {
  return [...new Set(ids)].map((key) => ({ key }));
}
