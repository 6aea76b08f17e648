// SQL of the names' answers: rows under lock, each name's pools, and its plan.
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import type { Condition, Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { type CmpObjectKey, storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { Action, OperatingStatus, Provisioning, ProvisioningStatus } from '../../rules/states.ts';
import type { GslbSpec, PoolSpec } from '../../spec/specs.ts';
import { inPages } from './vote-store.ts';
import { shareOf } from './zone-room.ts';
import { zonePositions } from './zone-store.ts';

export interface PlannedName {
  readonly id: string;
  readonly projectId: string;
  /** Without a final dot. */
  readonly fqdn: string;
  readonly zone: string;
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
  readonly spec: GslbSpec;
  readonly action: Action;
  readonly provisioningStatus: ProvisioningStatus;
  readonly provisioningReason: string | null;
  /** Time at which the present change was accepted. */
  readonly waitsSince: Date;
  readonly operatingStatus: OperatingStatus | null;
  readonly statusMessage: string | null;
  readonly frozenAt: Date | null;
  readonly frozenUntil: Date | null;
  /** Null if it is not answered. */
  readonly plan: NamePlan | null;
  readonly generation: number;
  readonly version: number;
}

type Raw = Omit<PlannedName, 'spec' | 'plan'> & { readonly spec: string; readonly plan: string | null };

const columns = `id, project_id AS projectId, fqdn, zone, cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId, spec, action, provisioning_status AS provisioningStatus, provisioning_reason AS
  provisioningReason, COALESCE(pending_since, created_at) AS waitsSince, operating_status AS operatingStatus, status_message AS
  statusMessage, frozen_at AS frozenAt, frozen_until AS frozenUntil, plan, generation, version`;

function toRow(raw: Raw): PlannedName {
  return { ...raw, spec: JSON.parse(raw.spec), plan: raw.plan === null ? null : JSON.parse(raw.plan) };
}

/** Locks names in the order of their IDs. Leaves out deleted names that are no longer answered, unless `gone` includes them. */
export async function lockNames(
  tx: Transaction,
  ids: readonly string[],
  { gone = false }: { readonly gone?: boolean } = {},
): Promise<readonly PlannedName[]> {
  return inPages([...new Set(ids)].sort(), async (page) => {
    const answered = gone ? '' : 'AND (live_fqdn IS NOT NULL OR plan IS NOT NULL)';
    const sql = `SELECT ${columns} FROM gslb FORCE INDEX (PRIMARY) WHERE id IN (${marksFor(page)}) ${answered} ORDER BY id FOR UPDATE`;
    return (await tx.query<Raw>(sql, page)).map(toRow);
  });
}

/** Reads names by id, without locks. Includes deleted ones. */
export async function readNames(db: Sql, ids: readonly string[]): Promise<readonly PlannedName[]> {
  return inPages([...new Set(ids)].sort(), async (page) => {
    const sql = `SELECT ${columns} FROM gslb WHERE id IN (${marksFor(page)}) ORDER BY fqdn`;
    return (await db.query<Raw>(sql, page)).map(toRow);
  });
}

/** The names' projects by name id, in the order of their names. */
export async function projectsOfNames(
  db: Sql,
  ids: readonly string[],
): Promise<readonly Pick<PlannedName, 'id' | 'projectId' | 'fqdn'>[]> {
  const rows = await inPages([...new Set(ids)], (page) =>
    db.query<Pick<PlannedName, 'id' | 'projectId' | 'fqdn'>>(
      `SELECT id, project_id AS projectId, fqdn FROM gslb WHERE id IN (${marksFor(page)})`,
      page,
    ),
  );
  return rows.toSorted((one, other) => (one.fqdn < other.fqdn ? -1 : 1));
}

/** Finds a name by its FQDN without a final dot. */
export async function nameOfFqdn(db: Sql, fqdn: string): Promise<PlannedName | undefined> {
  return (await db.query<Raw>(`SELECT ${columns} FROM gslb WHERE live_fqdn = ?`, [fqdn])).map(toRow)[0];
}

/**
 * The name that answers for `asked`: the name itself, or the wildcard at its closest encloser (RFC 4592 section 3.3.1). Without a final dot, in lower
 * case. `at`: the name that answered at that time, even if it was deleted since. Null for now.
 */
export async function nameAnswering(db: Sql, asked: string, at: Date | null): Promise<PlannedName | undefined> {
  const [column, there, moment] =
    at === null
      ? (['live_fqdn', 'live_fqdn IS NOT NULL', []] as const)
      : (['fqdn', 'created_at <= ? AND (deleted_at IS NULL OR deleted_at > ?)', [at, at]] as const);
  const among = async (fqdns: readonly string[]) =>
    (
      await db.query<Raw>(
        `SELECT ${columns} FROM gslb WHERE ${column} IN (${marksFor(fqdns)}) AND ${there} ORDER BY LENGTH(fqdn) DESC, created_at DESC LIMIT 1`,
        [...fqdns, ...moment],
      )
    ).map(toRow)[0];
  const own = await among([asked]);
  if (own !== undefined) return own;
  const labels = asked.split('.');
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
  const found = wildcards.length === 0 ? undefined : await among(wildcards);
  if (found === undefined) return undefined;
  // A name between the two exists, even if only names below it have records.
  const between = labels.slice(-found.fqdn.split('.').length).join('.');
  const taken = await db.query(
    `SELECT 1 FROM gslb WHERE zone = ? AND (${column} = ? OR RIGHT(${column}, ?) = ?) AND ${there} LIMIT 1`,
    [found.zone, between, between.length + 1, `.${between}`, ...moment],
  );
  return taken.length === 0 ? found : undefined;
}

/** Locks the members of a name's pools, in the order of their IDs. Waits for concurrent changes of these members. */
export async function lockMembersOfName(tx: Transaction, gslbId: string): Promise<void> {
  const ids = await tx.query<{ id: string }>(
    `SELECT m.id FROM gslb_pool_use u JOIN gslb_pool_member m ON m.pool_id = u.pool_id AND m.deleted_at IS NULL WHERE u.gslb_id = ?
    ORDER BY m.id`,
    [gslbId],
  );
  await inPages(ids, (page) =>
    tx.query(
      `SELECT id FROM gslb_pool_member FORCE INDEX (PRIMARY) WHERE id IN (${marksFor(page)}) ORDER BY id LOCK IN SHARE MODE`,
      page.map(({ id }) => id),
    ),
  );
}

/** Called when the request is fulfilled, or has failed for a reason. */
export async function storeProvisioning(
  tx: Transaction,
  id: string,
  { status, action }: Provisioning,
  reason: string | null,
): Promise<void> {
  await tx.execute(
    `UPDATE gslb SET provisioning_status = ?, action = ?, provisioning_reason = ?, pending_since = IF(action = 'NONE', NULL, pending_since),
      version = version + 1, updated_at = NOW(3),
      live_fqdn = IF(? = 'DELETED', NULL, live_fqdn), deleted_at = IF(? = 'DELETED', COALESCE(deleted_at, NOW(3)), deleted_at)
    WHERE id = ?`,
    [status, action, reason?.slice(0, 1_024) ?? null, status, status, id],
  );
}

/** UUIDs of the names that use any of the pools, by id. */
export async function namesOfPools(db: Sql, poolIds: readonly string[]): Promise<readonly string[]> {
  const rows = await inPages(poolIds, (page) =>
    db.query<{ id: string }>(
      `SELECT DISTINCT gslb_id AS id FROM gslb_pool_use WHERE pool_id IN (${marksFor(page)})`,
      page,
    ),
  );
  return [...new Set(rows.map(({ id }) => id))].sort();
}

/**
 * Maps each pool to the one CMP object of the names that use it. Names without a CMP object don't count. Pools whose names belong to several CMP
 * objects, or to none, are left out.
 */
export async function cmpObjectsOfPools(
  db: Sql,
  poolIds: readonly string[],
): Promise<ReadonlyMap<string, CmpObjectKey>> {
  const rows = await inPages([...new Set(poolIds)], (page) =>
    db.query<{ readonly poolId: string } & Pick<PlannedName, 'cmpNamespace' | 'cmpType' | 'cmpId'>>(
      `SELECT DISTINCT u.pool_id AS poolId, n.cmp_namespace AS cmpNamespace, n.cmp_type AS cmpType, n.cmp_id AS cmpId
        FROM gslb_pool_use u JOIN gslb n ON n.id = u.gslb_id AND n.live_fqdn IS NOT NULL AND n.cmp_id IS NOT NULL
      WHERE u.pool_id IN (${marksFor(page)})`,
      page,
    ),
  );
  const found = new Map<string, CmpObjectKey>();
  for (const [poolId, [row, ...others]] of Map.groupBy(rows, (each) => each.poolId)) {
    const cmpObject = row === undefined || others.length > 0 ? null : storedCmpObject(row);
    if (cmpObject !== null) found.set(poolId, cmpObject);
  }
  return found;
}

/** UUIDs of the names that are LABEL.ZONE in a zone of our own name servers, by id. */
export async function namesAtServer(db: Sql, label: string): Promise<readonly string[]> {
  const zones = (await zonePositions(db)).map(({ name }) => `${label}.${name}`);
  const rows = await inPages(zones, (page) =>
    db.query<{ id: string }>(`SELECT id FROM gslb WHERE live_fqdn IN (${marksFor(page)})`, page),
  );
  return rows.map(({ id }) => id).sort();
}

export interface UsedPool {
  readonly gslbId: string;
  readonly poolId: string;
  readonly fallback: boolean;
  readonly spec: PoolSpec;
}

/** In each name's order. */
export async function poolsOfNames(db: Sql, gslbIds: readonly string[]): Promise<readonly UsedPool[]> {
  const rows = await inPages(gslbIds, (page) =>
    db.query<Omit<UsedPool, 'fallback' | 'spec'> & { fallback: number; spec: string }>(
      `SELECT u.gslb_id AS gslbId, u.pool_id AS poolId, u.fallback, p.spec FROM gslb_pool_use u
        JOIN gslb_pool p ON p.id = u.pool_id AND p.deleted_at IS NULL WHERE u.gslb_id IN (${marksFor(page)})
      ORDER BY u.gslb_id, u.position`,
      page,
    ),
  );
  return rows.map((row) => ({ ...row, fallback: row.fallback === 1, spec: JSON.parse(row.spec) }));
}

export type NameChange = Pick<PlannedName, 'plan' | 'generation' | 'operatingStatus' | 'statusMessage' | 'version'>;

export interface ChangedPlan {
  readonly name: PlannedName;
  readonly change: NameChange;
}

/** Runs in the transaction that has locked the names. Their rows exist, so one statement updates many of them. */
export async function storeNames(tx: Transaction, changed: readonly ChangedPlan[]): Promise<void> {
  await inPages(
    changed,
    async (page) => {
      const values = page.flatMap(({ name, change }): SqlValue[] => {
        const { plan, generation, operatingStatus, statusMessage, version } = change;
        const text = plan === null ? null : JSON.stringify(plan);
        return [
          ...[name.id, name.projectId, name.fqdn, name.zone, '', '', name.action, name.provisioningStatus],
          ...[text, text === null ? 0 : shareOf(text, name.spec.clientBlocks)],
          ...[generation, operatingStatus, statusMessage, version],
        ];
      });
      const rows = page.map(() => `(${marksFor({ length: values.length / page.length })})`).join(', ');
      await tx.execute(
        `INSERT INTO gslb (id, project_id, fqdn, zone, flavor_id, spec, action, provisioning_status, plan, plan_bytes, generation,
          operating_status, status_message, version) VALUES ${rows}
        ON DUPLICATE KEY UPDATE plan = VALUES(plan), plan_bytes = VALUES(plan_bytes), generation = VALUES(generation),
          operating_status = VALUES(operating_status), status_message = VALUES(status_message),
          updated_at = IF(version = VALUES(version), updated_at, NOW(3)), version = VALUES(version)`,
        values,
      );
      return [];
    },
    // A plan may be large.
    100,
  );
}

/** Keyed by id. Omits names that are not answered. */
export async function plansOf(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, NamePlan>> {
  const rows = await inPages(ids, (page) =>
    db.query<{ id: string; plan: string }>(
      `SELECT id, plan FROM gslb WHERE id IN (${marksFor(page)}) AND plan IS NOT NULL`,
      page,
    ),
  );
  return new Map(rows.map(({ id, plan }) => [id, JSON.parse(plan)]));
}

/** A name that is answered. Its blocks may be newer than its plan. */
export interface AnsweredName {
  /** UUID. */
  readonly id: string;
  readonly plan: NamePlan;
  readonly blocks: GslbSpec['clientBlocks'];
}

/** Sorted by FQDN. */
export function answeredOfZone(db: Sql, zone: string): Promise<readonly AnsweredName[]> {
  return answered(db, { sql: 'zone = ?', values: [zone] });
}

export function answeredAmong(db: Sql, ids: readonly string[]): Promise<readonly AnsweredName[]> {
  return inPages(ids, (page) => answered(db, { sql: `id IN (${marksFor(page)})`, values: page }));
}

async function answered(db: Sql, { sql, values }: Condition): Promise<readonly AnsweredName[]> {
  const rows = await db.query<{ id: string; plan: string; spec: string | null }>(
    `SELECT id, plan, IF(JSON_LENGTH(spec, '$.clientBlocks') > 0, spec, NULL) AS spec FROM gslb
    WHERE ${sql} AND plan IS NOT NULL ORDER BY fqdn`,
    values,
  );
  return rows.map(({ id, plan, spec }) => ({
    ...{ id, plan: JSON.parse(plan) },
    blocks: spec === null ? [] : (JSON.parse(spec) as GslbSpec).clientBlocks,
  }));
}

interface BlocksOfName {
  /** UUID of the name. */
  readonly id: string;
  readonly blocks: GslbSpec['clientBlocks'];
}

/** Client blocks of a zone's answered names. */
export async function clientBlocksOfZone(db: Sql, zone: string): Promise<readonly BlocksOfName[]> {
  return clientBlocks(db, { sql: 'zone = ? AND plan IS NOT NULL', values: [zone] });
}

/** Client blocks of those of these names that have any. */
export async function clientBlocksOfNames(db: Sql, ids: readonly string[]): Promise<readonly BlocksOfName[]> {
  return inPages([...new Set(ids)], (page) => clientBlocks(db, { sql: `id IN (${marksFor(page)})`, values: page }));
}

async function clientBlocks(db: Sql, { sql, values }: Condition): Promise<readonly BlocksOfName[]> {
  const rows = await db.query<{ id: string; spec: string }>(
    `SELECT id, spec FROM gslb WHERE ${sql} AND JSON_LENGTH(spec, '$.clientBlocks') > 0 ORDER BY id`,
    values,
  );
  return rows.map(({ id, spec }) => ({ id, blocks: (JSON.parse(spec) as GslbSpec).clientBlocks }));
}
