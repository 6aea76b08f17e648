// SQL of the mapping table: which backend object belongs to which CMP object. The set of an object's live mappings changes only
// under the object's claim (claim-store.ts); one mapping's row only from the version that was read.
import { always, both, type Condition, type Sql, type Transaction } from '../../../../platform/database/database.ts';
import { mustChangeOneRow } from '../../../../platform/database/statement-batch.ts';
import type { CallSubject } from '../model/operation.ts';
import type { MappingRow, MappingState, VerifyResult } from './mapping.ts';

const columns = `m.id, m.project_id AS projectId, m.namespace, m.cmp_type AS cmpType, m.cmp_id AS cmpId, m.role, m.backend_id
  AS backendId, m.resource, m.scope, m.object_key AS objectKey, m.object_hash AS objectHash, m.uuid, m.shared,
  m.state, m.desired, m.verified_at AS verifiedAt, m.verify_result AS verifyResult, m.verify_diff AS verifyDiff,
  m.operation_id AS operationId, m.last_operation_id AS lastOperationId, m.version, m.created_at AS createdAt,
  m.updated_at AS updatedAt`;

/** TINYINT(1) is returned as a number. */
type Raw = Omit<MappingRow, 'shared'> & { readonly shared: number };

function toRow(raw: Raw): MappingRow {
  return { ...raw, shared: raw.shared === 1 };
}

/** The mappings of one backend object that are not deleted, at most 1000. */
export async function liveMappings(sql: Sql, backendId: string, objectHash: string): Promise<MappingRow[]> {
  const rows = await sql.query<Raw>(
    `SELECT ${columns} FROM mapping m WHERE backend_id = ? AND object_hash = ? AND owner_slot IS NOT NULL LIMIT 1000`,
    [backendId, objectHash],
  );
  return rows.map(toRow);
}

export interface MappingsToSettle {
  readonly rows: readonly MappingRow[];
  readonly backendDeleted: boolean;
  /** The oldest other call on the object whose outcome is not known: only a forced call, or a failover, leaves one beside another. */
  readonly unsettled: string | null;
  /** Live mappings of other objects of this kind, in the scopes where ids are unique, that have the id which the device has just given to this one. */
  readonly namesakes: readonly MappingRow[];
}

export const noMappings: MappingsToSettle = { rows: [], backendDeleted: false, unsettled: null, namesakes: [] };

/** Like `liveMappings`, with whether the backend is deleted, in one statement; for a call that is not forced. */
export async function mappingsToSettle(sql: Sql, call: CallSubject): Promise<MappingsToSettle> {
  const { backendId, objectHash } = call;
  // Such a call does not affect mappings.
  if (call.mapping === null) return noMappings;
  // No derived table: MariaDB would put it on disk because of its text columns.
  const found = await sql.query<Raw & { readonly backendStatus: string; readonly id: string | null }>(
    `SELECT ${columns}, b.provisioning_status AS backendStatus FROM backend b
      LEFT JOIN mapping m ON m.backend_id = b.id AND m.object_hash = ? AND m.owner_slot IS NOT NULL
    WHERE b.id = ? LIMIT 1000`,
    [objectHash, backendId],
  );
  return {
    rows: found.filter((row) => row.id !== null).map(toRow),
    backendDeleted: found[0]?.backendStatus === 'DELETED',
    unsettled: null,
    namesakes: [],
  };
}

function namesakesOf({ backendId, object, objectHash, idScopes }: CallSubject, uuid: string): Condition {
  const places = idScopes ?? object.scope;
  return {
    sql: `FROM mapping m WHERE backend_id = ? AND uuid = ? AND resource = ? AND object_hash <> ? AND state = 'ACTIVE'
      AND ${idScopes === undefined ? 'scope' : 'LEFT(scope, CHAR_LENGTH(?))'} = ?`,
    values: [backendId, uuid, object.resource, objectHash, ...(idScopes === undefined ? [] : [places]), places],
  };
}

/** The condition that no mapping of another object has this id of the device. */
export function noNamesake(call: CallSubject, uuid: string | undefined): Condition {
  if (call.mapping === null || uuid === undefined) return always;
  const namesakes = namesakesOf(call, uuid);
  return { sql: `NOT EXISTS (SELECT 1 ${namesakes.sql})`, values: namesakes.values };
}

/**
 * For a batch: like `mappingsToSettle`, and neither the mappings nor the backend's status change until the transaction ends.
 * `uuid`: the id that the device gave to the object, if any.
 */
export async function lockMappings(batch: Sql, call: CallSubject, uuid?: string): Promise<MappingsToSettle> {
  if (call.mapping === null) return noMappings;
  const namesakes = uuid === undefined ? undefined : namesakesOf(call, uuid);
  // The backend first, like its deletion.
  const [backends, found, others, sameId] = await Promise.all([
    batch.query<{ status: string }>(
      'SELECT provisioning_status AS status FROM backend WHERE id = ? LOCK IN SHARE MODE',
      [call.backendId],
    ),
    batch.query<Raw>(
      `SELECT ${columns} FROM mapping m WHERE backend_id = ? AND object_hash = ? AND owner_slot IS NOT NULL LIMIT 1000
      FOR UPDATE`,
      [call.backendId, call.objectHash],
    ),
    batch.query<{ id: string | null }>(
      `SELECT MIN(id) AS id FROM operation
      WHERE backend_id = ? AND object_hash = ? AND state IN ('UNKNOWN', 'ACCEPTED') AND id <> ?`,
      [call.backendId, call.objectHash, call.id],
    ),
    namesakes === undefined
      ? []
      : batch.query<Raw>(`SELECT ${columns} ${namesakes.sql} LIMIT 100 FOR UPDATE`, namesakes.values),
  ]);
  return {
    rows: found.map(toRow),
    backendDeleted: backends[0]?.status === 'DELETED',
    unsettled: others[0]?.id ?? null,
    namesakes: sameId.map(toRow),
  };
}

/**
 * The condition that the mappings are still as they were found. Whether the backend is still as it was found matters only to a
 * new mapping: see insertMapping.
 */
export function stillAsFound(call: CallSubject, found: MappingsToSettle): Condition {
  if (call.mapping === null) return always;
  const live = 'FROM mapping WHERE backend_id = ? AND object_hash = ? AND owner_slot IS NOT NULL';
  const object = [call.backendId, call.objectHash];
  if (found.rows.length === 0) return { sql: `NOT EXISTS (SELECT 1 ${live})`, values: object };
  const versions = found.rows.map((row) => `${row.id}:${row.version}`).sort();
  return {
    sql: `? <=> (SELECT GROUP_CONCAT(id, ':', version ORDER BY id) ${live})`,
    values: [versions.join(','), ...object],
  };
}

/** Live mappings of other objects of this kind that have the device's id which the call addresses. */
export async function mappingsAddressed(sql: Sql, call: CallSubject): Promise<readonly MappingRow[]> {
  const { addressedId, mapping } = call;
  if (mapping === null || addressedId === undefined) return [];
  const { sql: of, values } = addressed(call, addressedId);
  return (await sql.query<Raw>(`SELECT ${columns} FROM mapping m WHERE ${of} LIMIT 1`, values)).map(toRow);
}

function addressed({ backendId, object, objectHash }: CallSubject, id: string): Condition {
  return {
    sql: 'backend_id = ? AND uuid = ? AND resource = ? AND object_hash <> ? AND owner_slot IS NOT NULL',
    values: [backendId, id, object.resource, objectHash],
  };
}

/** The condition that the device's id which the call addresses is the id of its object, as far as mappings know. */
function addressesItsOwn(call: CallSubject, addressedId: string): Condition {
  const { backendId, objectHash } = call;
  const others = addressed(call, addressedId);
  const own = 'backend_id = ? AND object_hash = ? AND owner_slot IS NOT NULL AND uuid <> ?';
  return both(
    { sql: `NOT EXISTS (SELECT 1 FROM mapping WHERE ${others.sql})`, values: others.values },
    { sql: `NOT EXISTS (SELECT 1 FROM mapping WHERE ${own})`, values: [backendId, objectHash, addressedId] },
  );
}

/** The condition under which `refuseForeignMapping` (mapping-rules.ts) does not refuse a call. */
export function noForeignMapping(call: CallSubject): Condition {
  if (call.mapping === null) return always;
  const unmapped = noOthersMapping(call);
  return call.addressedId === undefined ? unmapped : both(addressesItsOwn(call, call.addressedId), unmapped);
}

function noOthersMapping(call: CallSubject): Condition {
  const live = 'FROM mapping foreign_one WHERE backend_id = ? AND object_hash = ? AND owner_slot IS NOT NULL';
  const object = [call.backendId, call.objectHash];
  if (call.mapping === 'creates' && call.effect === 'NON_IDEMPOTENT' && !call.forced)
    return { sql: `NOT EXISTS (SELECT 1 ${live})`, values: object };
  if (call.cmp === null) return always;
  const sharing = call.mapping === 'creates' && call.shared ? ' AND shared = 0' : '';
  return {
    sql: `NOT EXISTS (SELECT 1 ${live} AND NOT (namespace = ? AND cmp_type = ? AND cmp_id = ?)${sharing})`,
    values: [...object, call.cmp.namespace, call.cmp.type, call.cmp.externalId],
  };
}

export type NewMapping = Omit<
  MappingRow,
  'version' | 'createdAt' | 'updatedAt' | 'shared' | 'verifiedAt' | 'verifyResult' | 'verifyDiff'
> & {
  readonly shared: boolean;
};

/**
 * For a batch, under the object's claim. The batch ends if the backend is deleted and the mapping is not an orphan, or the other
 * way round. Otherwise the backend can't be deleted before the transaction ends, so its deletion finds the mapping.
 */
export async function insertMapping(batch: Transaction, row: NewMapping): Promise<void> {
  await batch.execute(
    `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, role, backend_id, resource, scope, object_key,
      object_hash, owner_slot, uuid, shared, state, desired, operation_id, last_operation_id)
    SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM backend
    WHERE id = ? AND (provisioning_status = 'DELETED') = ? LOCK IN SHARE MODE${mustChangeOneRow}`,
    [
      row.id,
      row.projectId,
      row.namespace,
      row.cmpType,
      row.cmpId,
      row.role,
      row.backendId,
      row.resource,
      row.scope,
      row.objectKey,
      row.objectHash,
      row.shared ? row.id : '',
      row.uuid,
      row.shared,
      row.state,
      row.desired,
      row.operationId,
      row.lastOperationId,
      row.backendId,
      row.state === 'ORPHAN',
    ],
  );
}

/**
 * Sets the state. If `operationId`, `uuid` or `desired` is absent, its value is kept. The verification result is cleared. For a
 * batch. It ends the batch if the mapping has changed since it was read.
 */
export async function updateMapping(
  batch: Transaction,
  row: MappingRow,
  change: {
    readonly state: MappingState;
    readonly lastOperationId: string | null;
    readonly operationId?: string | undefined;
    readonly uuid?: string | undefined;
    readonly desired?: string | undefined;
  },
): Promise<void> {
  await batch.execute(
    `UPDATE mapping SET state = ?, operation_id = ?, last_operation_id = ?, uuid = ?, desired = ?, version = version + 1,
      updated_at = NOW(3), verified_at = NULL, verify_result = NULL, verify_diff = NULL,
      owner_slot = ${change.state === 'DELETED' ? 'NULL' : 'owner_slot'}
    WHERE id = ? AND version = ?${mustChangeOneRow}`,
    [
      change.state,
      change.operationId ?? row.operationId,
      change.lastOperationId,
      change.uuid ?? row.uuid,
      change.desired ?? row.desired,
      row.id,
      row.version,
    ],
  );
}

export async function readMapping(sql: Sql, id: string, lock: '' | 'FOR UPDATE' = ''): Promise<MappingRow | undefined> {
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM mapping m WHERE id = ? ${lock}`, [id]);
  return rows[0] && toRow(rows[0]);
}

export interface Found {
  readonly result: VerifyResult;
  /** JSON text of a list of differences. Null if there are none to list. */
  readonly diff: string | null;
  /** The device's present id of the object, if it differs from the mapping's. Otherwise null. */
  readonly uuid: string | null;
  /** The mapping's new state. Null if it stays. */
  readonly state: 'ACTIVE' | null;
}

/**
 * Stores the finding of a read of the backend object. Returns false if the mapping has changed since it was read. The same finding
 * again is not a change.
 */
export async function writeVerification(tx: Transaction, row: MappingRow, found: Found): Promise<boolean> {
  const { affectedRows } = await tx.execute(
    `UPDATE mapping SET verified_at = NOW(3), verify_result = ?, verify_diff = ?, uuid = COALESCE(?, uuid),
      state = COALESCE(?, state), version = version + ?
    WHERE id = ? AND version = ?`,
    [found.result, found.diff, found.uuid, found.state, isAsBefore(row, found) ? 0 : 1, row.id, row.version],
  );
  return affectedRows === 1;
}

/** Whether the finding is the same as the previous one. */
export function isAsBefore(row: MappingRow, found: Found): boolean {
  return (
    found.result === row.verifyResult && found.diff === row.verifyDiff && found.uuid === null && found.state === null
  );
}

/** Sets whether several CMP objects may own the backend object. Returns false if the mapping has changed since it was read. */
export async function writeShared(tx: Transaction, row: MappingRow, shared: boolean): Promise<boolean> {
  const { affectedRows } = await tx.execute(
    `UPDATE mapping SET shared = ?, owner_slot = ?, version = version + 1, updated_at = NOW(3)
    WHERE id = ? AND version = ? AND owner_slot IS NOT NULL`,
    [shared, shared ? row.id : '', row.id, row.version],
  );
  return affectedRows === 1;
}
