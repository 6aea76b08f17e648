// The outcome of a request: a name is ACTIVE or DELETED once all servers answer accordingly, and ERROR with the reason if that
// takes too long. Attempts continue either way, and an ERROR ends when the request is answered.
import { giveBackName } from '../../../../dns/ownership/name-claims.ts';
import { staticAnswer } from '../../../../dns/policy/static-answer.ts';
import { isPublished } from '../../../../dns/records/record-set.ts';
import { readRecordSet } from '../../../../dns/records/record-store.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { storedCmpObject } from '../../../../platform/graph/cmp-object.ts';
import { owe } from '../../../../platform/work/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type ProvisioningEvent, provisioningAfter } from '../../rules/states.ts';
import { gslbEvents } from '../events.ts';
import { databaseNow } from '../stores/checker-store.ts';
import { behindOf } from '../stores/name-server-store.ts';
import { lockNames, type PlannedName, storeProvisioning } from '../stores/name-store.ts';
import { planKind } from '../stores/touched.ts';
import { isAnswered, lastChangeOf, readZonesNamed } from '../stores/zone-store.ts';
import { ownerOf } from './static-names.ts';

export interface SettlingDependencies {
  readonly wake: Wake;
  /** A name that waits for so long is an ERROR. At most an hour. */
  readonly pendingMs: number;
  /** Another project gets a deleted name after so long. */
  readonly nameRestMs: number;
}

/** In the transaction that has planned the name. */
export async function settleName(tx: Transaction, dependencies: SettlingDependencies, id: string): Promise<void> {
  const [name] = await lockNames(tx, [id], { gone: true });
  if (name === undefined || name.provisioningStatus === 'ACTIVE' || name.provisioningStatus === 'DELETED') return;
  const lack = await lackOf(tx, name);
  if (lack === undefined) return tell(tx, dependencies, name, 'DONE', null);
  if (name.provisioningStatus === 'ERROR') {
    if (lack !== name.provisioningReason) await tell(tx, dependencies, name, 'FAILED', lack);
    return;
  }
  const leftMs = name.waitsSince.getTime() + dependencies.pendingMs - (await databaseNow(tx));
  if (leftMs <= 0) return tell(tx, dependencies, name, 'FAILED', lack);
  await owe(tx, planKind, id, { dueInMs: Math.min(leftMs, dependencies.pendingMs) }, dependencies.wake);
}

async function tell(
  tx: Transaction,
  { wake, nameRestMs }: SettlingDependencies,
  name: PlannedName,
  event: ProvisioningEvent,
  reason: string | null,
): Promise<void> {
  const { id, projectId, fqdn, version, action, provisioningStatus: status } = name;
  const after = provisioningAfter({ status, action }, event);
  await storeProvisioning(tx, id, after, reason);
  if (after.status === 'DELETED') await giveBackName(tx, { name: fqdn, owner: ownerOf({ id }) }, nameRestMs);
  const subject = { projectId, subjectId: id, subjectVersion: version + 1, cmpObject: storedCmpObject(name) };
  await appendStatus(
    tx,
    gslbEvents,
    [{ ...subject, kind: 'gslb.provisioningStatus', from: status, to: after.status, reason }],
    wake,
  );
}

/** Why not everyone answers the name as was requested, in words; undefined: everyone does. */
async function lackOf(tx: Transaction, name: PlannedName): Promise<string | undefined> {
  const { id, zone, fqdn, plan, action, operatingStatus, statusMessage } = name;
  if (plan === null && action !== 'DELETE' && operatingStatus === 'ERROR' && statusMessage !== null)
    return statusMessage;
  if ((plan === null) !== (action === 'DELETE')) return 'its answer is not made yet';
  const row = (await readZonesNamed(tx, [zone])).get(zone);
  if (isAnswered(row)) {
    const changed = await lastChangeOf(tx, zone, id);
    // No server ever received it.
    if (changed === undefined) return action === 'DELETE' ? undefined : `there is no zone ${zone} any more`;
    const { heard, behind } = await behindOf(tx, zone, changed);
    if (heard === 0) return 'none of our own name servers is connected: start one with the role dns';
    const [first] = behind;
    return first === undefined
      ? undefined
      : `${behind.length} of ${heard} name servers do not answer it yet, the first is ${first}`;
  }
  if (plan !== null && operatingStatus === 'ERROR') return statusMessage ?? 'the DNS backend of the zone refuses it';
  const set = await readRecordSet(tx, { zone, name: fqdn });
  const own = set?.owner === ownerOf(name) ? set : undefined;
  if (own === undefined) return plan === null || hasNoRecords(plan) ? undefined : 'its records are not declared yet';
  if (isPublished(own)) return undefined;
  return own.error?.message ?? `the servers of the zone ${zone} do not have it yet`;
}

function hasNoRecords(plan: NonNullable<PlannedName['plan']>): boolean {
  const answer = staticAnswer(plan);
  return answer.supported && answer.sets.length === 0;
}
