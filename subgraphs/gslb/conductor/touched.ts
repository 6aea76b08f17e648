// What a change of a member, pool, monitor or name owes in its own transaction: members are judged anew, names get a new plan.
import type { Transaction } from '../../../platform/database/database.ts';
import { owe } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';

/** Owed for a member (UUID): its votes, admin state or monitors changed, or time decides. */
export const judgeKind = 'gslb-judge';

/** Owed for a name (UUID): what it wants or what its members are has changed. */
export const planKind = 'gslb-plan';

export async function membersTouched(tx: Transaction, wake: Wake, memberIds: readonly string[]): Promise<void> {
  for (const id of [...memberIds].sort()) await owe(tx, judgeKind, id, {}, wake);
}

export async function namesTouched(tx: Transaction, wake: Wake, gslbIds: readonly string[]): Promise<void> {
  for (const id of [...gslbIds].sort()) await owe(tx, planKind, id, {}, wake);
}
