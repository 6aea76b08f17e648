// Owed work after a change of a member, pool, monitor, name or vantage point. It is written in the same transaction. Right after the commit a worker
// evaluates members and plans names. The transaction itself can't do it, because members must be locked before names, and a service has already
// locked the objects that it changes.
import type { Transaction } from '../../../../platform/database/database.ts';
import { type OwedKey, owe, oweAll } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { poolsOfMembersTouched, poolsOfNamesTouched } from './pool-targets-store.ts';

/** Owed for a member (UUID) whose votes, admin state or monitors changed, or whose verdict depends on time. */
export const evaluationKind = 'gslb-judge';
/** Owed for a name (UUID) whose settings or members have changed. */
export const planKind = 'gslb-plan';
/** Owed for a vantage point (UUID) whose votes began or ceased to count. */
export const vantageKind = 'gslb-vantage';
/** Owed for a vantage point (UUID) that an administrator created, changed or deleted, because each member may have another quorum. */
export const vantageChangeKind = 'gslb-vantage-change';

/** Wakes the sessions of checkers after a change of targets. */
export const targetsTopic = 'gslb-targets';

/** Called for members that were created, changed or deleted, or whose monitors were. */
export async function membersTouched(tx: Transaction, wake: Wake, memberIds: readonly string[]): Promise<void> {
  await poolsOfMembersTouched(tx, memberIds);
  await oweAll(tx, evaluationKind, keysOf(memberIds), wake);
  tx.afterCommit(() => wake.notify(targetsTopic));
}

/** Called for names that were created, changed, frozen, released or deleted, or whose pools were. */
export async function namesTouched(tx: Transaction, wake: Wake, gslbIds: readonly string[]): Promise<void> {
  await poolsOfNamesTouched(tx, gslbIds);
  await oweAll(tx, planKind, keysOf(gslbIds), wake);
  // The flavor of a name decides which vantage points check its members.
  tx.afterCommit(() => wake.notify(targetsTopic));
}

/** Called for a vantage point that was created, changed or deleted: its checkers get other rules, and the set of voters changes. */
export async function vantagePointTouched(tx: Transaction, wake: Wake, id: string): Promise<void> {
  await owe(tx, vantageChangeKind, id, {}, wake);
  tx.afterCommit(() => wake.notify(targetsTopic));
}

function keysOf(ids: readonly string[]): readonly OwedKey[] {
  return [...new Set(ids)].map((key) => ({ key }));
}
