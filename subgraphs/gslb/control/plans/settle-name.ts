// The outcome of a request: a name is ACTIVE or DELETED once all servers answer accordingly. A refusal makes it an ERROR with the reason after a
// while. A slow change, for example on a busy machine, becomes one after a longer time. Attempts continue either way, and an ERROR ends when all
// servers answer as requested.
import { giveBackName } from '../../../../dns/ownership/name-claims.ts';
import { staticAnswer } from '../../../../dns/policy/static-answer.ts';
import { isPublished } from '../../../../dns/records/record-set.ts';
import { readRecordSet } from '../../../../dns/records/record-store.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import { storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
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
  /** A name is an ERROR after it was refused for this long. At most an hour. */
  readonly pendingMs: number;
  /** Time after which another project may get a deleted name. */
  readonly nameRestMs: number;
}

/** The reason why a request is not finished. */
interface Lack {
  readonly reason: string;
  /** Whether a server refuses it, or none can answer it. Otherwise it is only under way. */
  readonly failed: boolean;
}

/** A name that is not answered after `pendingMs` is late. It becomes an ERROR after this many times `pendingMs`. */
const mostPendings = 5;

/** Runs in the transaction that has planned the name. */
export async function settleName(tx: Transaction, dependencies: SettlingDependencies, id: string): Promise<void> {
  const [name] = await lockNames(tx, [id], { gone: true });
  if (name === undefined || name.provisioningStatus === 'ACTIVE' || name.provisioningStatus === 'DELETED') return;
  const lack = await lackOf(tx, name);
  if (lack === undefined) return tell(tx, dependencies, name, 'DONE', null);
  const { reason, failed } = lack;
  if (name.provisioningStatus === 'ERROR') {
    if (reason !== name.provisioningReason) await tell(tx, dependencies, name, 'FAILED', reason);
    return;
  }
  const { pendingMs, wake } = dependencies;
  const waitedMs = (await databaseNow(tx)) - name.waitsSince.getTime();
  const mostMs = failed ? pendingMs : mostPendings * pendingMs;
  if (waitedMs >= mostMs) return tell(tx, dependencies, name, 'FAILED', reason);
  if (waitedMs >= pendingMs) {
    const late = `${reason}. It takes longer than usual`;
    const { provisioningStatus: status, action, provisioningReason } = name;
    if (late !== provisioningReason) await storeProvisioning(tx, id, { status, action }, late);
  }
  const nextMs = waitedMs < pendingMs ? pendingMs : mostMs;
  await owe(tx, planKind, id, { dueInMs: Math.min(nextMs - waitedMs, nextMs) }, wake);
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

/** Explains why some server does not answer the name as requested. Undefined if all do. */
async function lackOf(tx: Transaction, name: PlannedName): Promise<Lack | undefined> {
  const { id, zone, fqdn, plan, action, operatingStatus, statusMessage } = name;
  if (plan === null && action !== 'DELETE' && operatingStatus === 'ERROR' && statusMessage !== null)
    return refused(statusMessage);
  if ((plan === null) !== (action === 'DELETE')) return slow('its answer is not made yet');
  const row = (await readZonesNamed(tx, [zone])).get(zone);
  if (isAnswered(row)) {
    const changed = await lastChangeOf(tx, zone, id);
    // No server ever received it.
    if (changed === undefined) return action === 'DELETE' ? undefined : refused(`there is no zone ${zone} any more`);
    const { heard, behind } = await behindOf(tx, zone, changed);
    if (heard === 0) return refused('none of our own name servers is connected: start one with the role dns');
    const [first] = behind;
    return first === undefined
      ? undefined
      : slow(`${behind.length} of ${heard} name servers do not answer it yet, the first is ${first}`);
  }
  if (plan !== null && operatingStatus === 'ERROR')
    return refused(statusMessage ?? 'the DNS backend of the zone refuses it');
  const set = await readRecordSet(tx, { zone, name: fqdn });
  const own = set?.owner === ownerOf(name) ? set : undefined;
  if (own === undefined)
    return plan === null || hasNoRecords(plan) ? undefined : slow('its records are not declared yet');
  if (isPublished(own)) return undefined;
  return own.error === null ? slow(`the servers of the zone ${zone} do not have it yet`) : refused(own.error.message);
}

const refused = (reason: string): Lack => ({ reason, failed: true });
const slow = (reason: string): Lack => ({ reason, failed: false });

function hasNoRecords(plan: NonNullable<PlannedName['plan']>): boolean {
  const answer = staticAnswer(plan);
  return answer.supported && answer.sets.length === 0;
}
