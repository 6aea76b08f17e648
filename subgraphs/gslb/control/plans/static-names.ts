// Names in zones of a backend without a policy of its own: their record sets are declared in the transaction of the plan, and the
// publisher brings them to the servers (dns/records).
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import { staticAnswer } from '../../../../dns/policy/static-answer.ts';
import type { NameRecord } from '../../../../dns/records/record-set.ts';
import { declareRecords, withdrawRecords } from '../../../../dns/records/record-store.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { Refusal } from '../../../../platform/errors/errors.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { PlannedName } from '../stores/name-store.ts';
import { planKind } from '../stores/touched.ts';

type Named = Pick<PlannedName, 'id' | 'fqdn' | 'zone'>;

/** Reason why the backend can't answer according to the plan. Null if it can. */
export async function declareStatic(tx: Transaction, wake: Wake, name: Named, plan: NamePlan): Promise<string | null> {
  const answer = staticAnswer(plan);
  if (!answer.supported) return `NOT_SUPPORTED by the DNS backend of the zone: ${answer.reason}`;
  const records = answer.sets.flatMap(({ type, values }) =>
    values.map((value): NameRecord => (type === 'CNAME' ? { type, value: value.replace(/\.$/, '') } : { type, value })),
  );
  const [first] = answer.sets;
  if (first === undefined) {
    await withdrawStatic(tx, wake, name);
    return null;
  }
  try {
    await declareRecords(tx, wake, {
      ...{ zone: name.zone, name: name.fqdn, owner: ownerOf(name), records },
      ttlSeconds: first.ttlSeconds,
      followUp: { kind: planKind, key: name.id },
    });
  } catch (error) {
    // A name that another owner has can't stop the verdicts of a whole batch.
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return null;
}

export function withdrawStatic(tx: Transaction, wake: Wake, name: Named): Promise<void> {
  return withdrawRecords(tx, wake, { zone: name.zone, name: name.fqdn, owner: ownerOf(name) });
}

/** Owner of its record sets. */
export function ownerOf({ id }: Pick<Named, 'id'>): string {
  return `gslb/${id}`;
}
