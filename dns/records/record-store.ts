// SQL of zones and wanted record sets. A name is declared and withdrawn in its object's transaction, so that neither exists without the other.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { invariant, refuse } from '../../platform/errors/errors.ts';
import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import { owe } from '../../platform/owed/owed-work.ts';
import { newToken, newUuid } from '../../platform/values/ids.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { nameFault, targetFault, zoneFault } from '../names.ts';
import { type BackendType, unsupported } from './backend-types.ts';
import { type FollowUp, type NameRecord, type RecordSet, sortedRecords, type ZoneName } from './record-set.ts';

/** Owed for a record set (UUID) that must be published. */
export const publishKind = 'dns-publish';
/** Owed for a zone (its name): the next check of its servers' answers. */
export const driftKind = 'dns-look';
/** Owed for a zone (its name) that must be created at its backend. */
export const zoneKind = 'dns-zone';

/** BIND allows no more of one type (max-records-per-type). */
export const mostRecords = 100;
const longestTtlSeconds = 604_800;
const ownerPattern = /^[a-z0-9-]{1,40}\/[A-Za-z0-9-]{1,59}$/;

export interface Declaration extends ZoneName {
  /** Owner of the name, for example `loadbalancer/UUID`. */
  readonly owner: string;
  /** Addresses, or one alias. If empty, the name keeps its records, and a new name is only reserved. */
  readonly records: readonly NameRecord[];
  readonly ttlSeconds: number;
  readonly followUp?: FollowUp;
  /** Input field that contains the name, for a refusal. */
  readonly field?: readonly string[];
}

/**
 * Declares the desired records of a name, in the transaction of its owner. Replaces the owner's earlier declaration. Repeating the same
 * one changes nothing. Returns the resulting record set.
 *
 * Refuses NAME_TAKEN if the name belongs to another owner, INVALID_INPUT for records that can't be published, NOT_SUPPORTED for records
 * that the zone's backend can't express.
 *
 * @example
 * const set = await declareRecords(tx, wake, {
 *   zone: 'lb.example.com', name: 'web.default.lb.example.com', owner: `loadbalancer/${id}`,
 *   records: [{ type: 'A', value: '192.0.2.10' }], ttlSeconds: 5, followUp: { kind: 'lb-reconcile', key: id },
 * });
 * isPublished(set) || 'the follow-up work is owed when it is';
 */
export async function declareRecords(tx: Transaction, wake: Wake, wanted: Declaration): Promise<RecordSet> {
  const { zone, name, owner, ttlSeconds, followUp, field = [] } = wanted;
  check(wanted);
  const backend = await ensureZone(tx, zone);
  const missing = backend === null ? undefined : unsupported(backend, wanted);
  if (missing !== undefined) refuse('NOT_SUPPORTED', missing, { field });
  const before = (await lockName(tx, wanted)) ?? (await reserve(tx, wanted));
  if (before.owner !== owner && !before.withdrawn)
    refuse('NAME_TAKEN', `the name ${name} belongs to another object: choose another name`, { field });
  const isNew = before.owner !== owner || before.withdrawn;
  const kept = isNew ? [] : before.records;
  const records = wanted.records.length === 0 ? kept : sortedRecords(wanted.records);
  const isReserved = before.generation === 0 && records.length === 0;
  const isSame = !isNew && before.ttlSeconds === ttlSeconds && textOf(before.records) === textOf(records);
  const generation = isReserved || isSame ? before.generation : before.generation + 1;
  await tx.execute(
    `UPDATE dns_record_set SET owner = ?, records = ?, ttl_seconds = ?, generation = ?, withdrawn = 0, follow_up_kind = ?,
      follow_up_key = ? WHERE id = ?`,
    [owner, textOf(records), ttlSeconds, generation, followUp?.kind ?? null, followUp?.key ?? null, before.id],
  );
  if (generation !== before.generation) await owe(tx, publishKind, before.id, {}, wake);
  // The owner that withdrew the name waits for its removal, and gets no more notices of its publication.
  if (before.withdrawn && before.owner !== owner) await oweFollowUp(tx, wake, before);
  return { ...before, owner, records, ttlSeconds, generation, withdrawn: false, followUp: followUp ?? null };
}

/**
 * Withdraws a name, in the transaction of its owner: its records are removed at the servers, and then its row. Does nothing when the
 * name does not belong to that owner (any more).
 */
export async function withdrawRecords(
  tx: Transaction,
  wake: Wake,
  { owner, ...name }: ZoneName & { readonly owner: string },
): Promise<void> {
  const set = await lockName(tx, name);
  if (set?.owner !== owner || set.withdrawn) return;
  // No server has ever had the name, so its owner learns of the withdrawal at once.
  if (set.generation === 0) {
    await tx.execute('DELETE FROM dns_record_set WHERE id = ?', [set.id]);
    return oweFollowUp(tx, wake, set);
  }
  await tx.execute(
    "UPDATE dns_record_set SET records = '[]', withdrawn = 1, generation = generation + 1 WHERE id = ?",
    [set.id],
  );
  await owe(tx, publishKind, set.id, {}, wake);
}

export async function oweFollowUp(tx: Transaction, wake: Wake, { followUp: work }: RecordSet): Promise<void> {
  if (work !== null) await owe(tx, work.kind, work.key, {}, wake);
}

/** Undefined if nobody has declared the name, or it was withdrawn and removed from all servers. */
export async function readRecordSet(db: Sql, { zone, name }: ZoneName): Promise<RecordSet | undefined> {
  const sql = `SELECT ${columns} FROM dns_record_set WHERE zone = ? AND name = ?`;
  const [raw] = await db.query<Raw>(sql, [zone, name]);
  return raw === undefined ? undefined : toRecordSet(raw);
}

function check({ zone, name, owner, records, ttlSeconds }: Declaration): void {
  invariant(ownerPattern.test(owner), `the owner of a name is KIND/ID, not ${owner}`);
  const fault = zoneFault(zone) ?? nameFault(zone, name);
  if (fault !== undefined) refuse('INVALID_INPUT', fault);
  const wrong = recordsFault(name, records);
  if (wrong !== undefined) refuse('INVALID_INPUT', wrong);
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > longestTtlSeconds)
    refuse('INVALID_INPUT', `the TTL is ${ttlSeconds}; give 1 to ${longestTtlSeconds} seconds`);
}

/** Error message for invalid records of a name. Undefined if they are valid. */
function recordsFault(name: string, records: readonly NameRecord[]): string | undefined {
  if (records.length > mostRecords)
    return `${name} would have ${records.length} addresses; at most ${mostRecords} are allowed`;
  const alias = records.find(({ type }) => type === 'CNAME');
  // RFC 1034 section 3.6.2.
  if (alias !== undefined && records.length > 1)
    return `${name} would have an alias (CNAME ${alias.value}) and other records: give only the alias`;
  if (alias?.value === name) return `${name} would be an alias for itself`;
  for (const { type, value } of records) {
    const fault = type === 'CNAME' ? targetFault(value) : addressFault(type, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function addressFault(type: 'A' | 'AAAA', value: string): string | undefined {
  const isAddress =
    canonicalAddressBlock(value) === value && !value.includes('/') && value.includes(':') === (type === 'AAAA');
  return isAddress ? undefined : `${JSON.stringify(value)} is not an address for a record of type ${type}`;
}

/** Type of the zone's backend, which can't change until the transaction ends. Null for the servers in the settings. */
async function ensureZone(tx: Transaction, zone: string): Promise<BackendType | null> {
  const sql = 'SELECT backend_id AS backendId FROM dns_zone WHERE name = ? LOCK IN SHARE MODE';
  const [row] = await tx.query<{ backendId: string | null }>(sql, [zone]);
  if (row === undefined) {
    await tx.execute('INSERT IGNORE INTO dns_zone (name, writer) VALUES (?, ?)', [zone, newToken()]);
    await owe(tx, driftKind, zone);
    return null;
  }
  if (row.backendId === null) return null;
  const [backend] = await tx.query<{ type: BackendType }>('SELECT type FROM dns_backend WHERE id = ?', [row.backendId]);
  return backend?.type ?? null;
}

async function lockName(tx: Transaction, { zone, name }: ZoneName): Promise<RecordSet | undefined> {
  const sql = `SELECT ${columns} FROM dns_record_set WHERE zone = ? AND name = ? FOR UPDATE`;
  const [raw] = await tx.query<Raw>(sql, [zone, name]);
  return raw === undefined ? undefined : toRecordSet(raw);
}

/** Two owners may try concurrently. The later one waits, and finds the row of the first. */
async function reserve(tx: Transaction, { zone, name, owner, ttlSeconds }: Declaration): Promise<RecordSet> {
  const sql = 'INSERT IGNORE INTO dns_record_set (id, zone, name, owner, ttl_seconds) VALUES (?, ?, ?, ?, ?)';
  await tx.execute(sql, [newUuid(), zone, name, owner, ttlSeconds]);
  const made = await lockName(tx, { zone, name });
  invariant(made !== undefined, `the name ${name} was reserved`);
  return made;
}

/** JSON. */
export function textOf(records: readonly NameRecord[]): string {
  return JSON.stringify(records);
}

export const columns = `id, zone, name, owner, records, ttl_seconds AS ttlSeconds, generation, withdrawn, published_generation AS
  publishedGeneration, answered_generation AS answeredGeneration, published_records AS publishedRecords, published_at AS publishedAt, error_code AS errorCode, error AS message,
  failing_since AS since, follow_up_kind AS followUpKind, follow_up_key AS followUpKey`;

export interface Raw
  extends Pick<
    RecordSet,
    | 'id'
    | 'zone'
    | 'name'
    | 'owner'
    | 'ttlSeconds'
    | 'generation'
    | 'publishedGeneration'
    | 'answeredGeneration'
    | 'publishedAt'
  > {
  readonly records: string;
  readonly withdrawn: number;
  readonly publishedRecords: string;
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly since: Date | null;
  readonly followUpKind: string | null;
  readonly followUpKey: string | null;
}

export function toRecordSet(raw: Raw): RecordSet {
  const { errorCode: code, message, since, followUpKind: kind, followUpKey: key, ...row } = raw;
  return {
    ...row,
    records: JSON.parse(raw.records),
    withdrawn: raw.withdrawn === 1,
    publishedRecords: JSON.parse(raw.publishedRecords),
    error: code === null || message === null || since === null ? null : { code, message, since },
    followUp: kind === null || key === null ? null : { kind, key },
  };
}
