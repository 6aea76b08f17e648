// SQL of the objects of GSLB as the graph has them: rows by id, pages, locks and writes. What is wanted of each is one JSON column.
import type { BackendType } from '../../../dns/records/backend-types.ts';
import type { Sql, SqlValue, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { Verdict } from '../engine/quorum.ts';
import type { Action, AdminState, OperatingStatus, ProvisioningStatus } from '../engine/states.ts';
import type {
  FlavorSpec,
  GslbSpec,
  MemberSpec,
  MonitorSpec,
  PoolSpec,
  VantagePointSpec,
  ZoneSpec,
} from '../objects/specs.ts';

interface Kept<Spec> {
  /** UUID. */
  readonly id: string;
  readonly spec: Spec;
  readonly version: number;
  readonly createdAt: Date;
  /** It is kept only for repeated requests and readers of changes. */
  readonly deleted: boolean;
}

interface Owned {
  readonly projectId: string;
}

interface Named {
  readonly name: string;
}

export type FlavorRow = Kept<FlavorSpec> & Named;
export type VantagePointObject = Kept<VantagePointSpec> & Named & { readonly region: string; readonly epoch: number };
export type ZoneObject = Kept<ZoneSpec> &
  Named & { readonly generation: number; readonly backendId: string | null; readonly backendType: BackendType };
export type PoolObject = Kept<PoolSpec> & Owned & Named;
export type MonitorObject = Kept<MonitorSpec> & Owned & Named & { readonly hasAuth: boolean };

export interface MemberObject extends Kept<MemberSpec>, Owned, Named {
  readonly poolId: string;
  readonly adminState: AdminState;
  readonly adminUntil: Date | null;
  readonly adminReason: string | null;
  readonly verdict: Verdict | null;
  readonly verdictAt: Date | null;
  readonly undecidedAt: Date | null;
  readonly serving: boolean;
  readonly operatingStatus: OperatingStatus | null;
  readonly statusMessage: string | null;
  readonly lastUpAt: Date | null;
}

export interface NameRow
  extends Kept<GslbSpec & { /** As the graph has it: `gslbKind`'s settings. */ readonly given: JsonObject }>,
    Owned {
  readonly fqdn: string;
  readonly zone: string;
  readonly flavorId: string;
  readonly applianceId: string | null;
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
  readonly action: Action;
  readonly provisioningStatus: ProvisioningStatus;
  readonly provisioningReason: string | null;
  readonly operatingStatus: OperatingStatus | null;
  readonly statusMessage: string | null;
  readonly frozenAt: Date | null;
  readonly frozenUntil: Date | null;
  readonly frozenReason: string | null;
  readonly generation: number;
}

export interface ObjectRows {
  readonly Gslb: NameRow;
  readonly GslbPool: PoolObject;
  readonly GslbPoolMember: MemberObject;
  readonly GslbMonitor: MonitorObject;
  readonly GslbFlavor: FlavorRow;
  readonly GslbVantagePoint: VantagePointObject;
  readonly DnsZone: ZoneObject;
}
export type ObjectType = keyof ObjectRows;

interface Table {
  readonly name: string;
  /** Beside id, spec, version and created_at. */
  readonly columns: string;
  /** The column that is null once it is deleted; undefined: its row goes. */
  readonly live: 'live_name' | 'live_fqdn' | 'unique_key' | undefined;
}

const tables: Readonly<Record<ObjectType, Table>> = {
  Gslb: {
    name: 'gslb',
    columns: `project_id AS projectId, fqdn, zone, flavor_id AS flavorId, appliance_id AS applianceId, cmp_namespace AS cmpNamespace, cmp_type AS
      cmpType, cmp_id AS cmpId, action, provisioning_status AS provisioningStatus, provisioning_reason AS provisioningReason,
      operating_status AS operatingStatus, status_message AS statusMessage, frozen_at AS frozenAt, frozen_until AS frozenUntil,
      frozen_reason AS frozenReason, generation`,
    live: 'live_fqdn',
  },
  GslbPool: { name: 'gslb_pool', columns: 'project_id AS projectId, name', live: 'live_name' },
  GslbPoolMember: {
    name: 'gslb_pool_member',
    columns: `project_id AS projectId, pool_id AS poolId, name, admin_state AS adminState, admin_until AS adminUntil, admin_reason AS adminReason,
      verdict, verdict_at AS verdictAt, undecided_at AS undecidedAt, serving, operating_status AS operatingStatus, status_message AS
      statusMessage, last_up_at AS lastUpAt`,
    live: 'unique_key',
  },
  GslbMonitor: {
    name: 'gslb_monitor',
    columns: 'project_id AS projectId, name, secret IS NOT NULL AS hasAuth',
    live: 'live_name',
  },
  GslbFlavor: { name: 'gslb_flavor', columns: 'name', live: 'live_name' },
  GslbVantagePoint: { name: 'gslb_vantage_point', columns: 'name, region, epoch', live: 'live_name' },
  DnsZone: {
    name: 'gslb_zone',
    columns: 'name, generation, backend_id AS backendId, backend_type AS backendType',
    live: undefined,
  },
};

const flags = ['deleted', 'serving', 'hasAuth'];

type Raw = Readonly<Record<string, SqlValue>> & { readonly id: string };

function columnsOf({ columns, live }: Table): string {
  const deleted = live === undefined ? '0' : `${live} IS NULL`;
  return `id, spec, version, created_at AS createdAt, ${deleted} AS deleted, ${columns}`;
}

function toRow<Type extends ObjectType>(raw: Raw): ObjectRows[Type] {
  const known = flags.filter((name) => raw[name] !== undefined).map((name) => [name, Number(raw[name]) === 1]);
  return { ...raw, ...Object.fromEntries(known), spec: JSON.parse(String(raw.spec)) } as unknown as ObjectRows[Type];
}

/** Deleted ones too. */
export async function readObjects<Type extends ObjectType>(
  sql: Sql,
  type: Type,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ObjectRows[Type]>> {
  if (ids.length === 0) return new Map();
  const table = tables[type];
  const text = `SELECT ${columnsOf(table)} FROM ${table.name} WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow<Type>(raw)]));
}

export interface ObjectFilter {
  /** UUIDs; 'all': of every project, or the type has none. */
  readonly projects: 'all' | readonly string[];
  /** Columns with the values that they must have. */
  readonly equal?: Readonly<Record<string, SqlValue>>;
  /** UUIDs among which they are. */
  readonly among?: readonly string[];
}

/** Without deleted ones, oldest first. */
export async function pageOfObjects<Type extends ObjectType>(
  sql: Sql,
  type: Type,
  { projects, equal = {}, among }: ObjectFilter,
  { after, take }: PageRequest,
): Promise<readonly ObjectRows[Type][]> {
  if ((projects !== 'all' && projects.length === 0) || among?.length === 0) return [];
  const table = tables[type];
  const where = [table.live === undefined ? '1 = 1' : `${table.live} IS NOT NULL`, 'id > ?'];
  const values: SqlValue[] = [after?.[0] ?? ''];
  if (projects !== 'all') {
    where.push(`project_id IN (${marksFor(projects)})`);
    values.push(...projects);
  }
  for (const [column, value] of Object.entries(equal)) {
    where.push(`${column} = ?`);
    values.push(value);
  }
  if (among !== undefined) {
    where.push(`id IN (${marksFor(among)})`);
    values.push(...among);
  }
  const text = `SELECT ${columnsOf(table)} FROM ${table.name} WHERE ${where.join(' AND ')} ORDER BY id LIMIT ?`;
  return (await sql.query<Raw>(text, [...values, take])).map((raw) => toRow<Type>(raw));
}

/** Undefined: it is deleted. */
export async function lockObject<Type extends ObjectType>(
  tx: Transaction,
  type: Type,
  id: string,
  mode: 'FOR UPDATE' | 'LOCK IN SHARE MODE' = 'FOR UPDATE',
): Promise<ObjectRows[Type] | undefined> {
  const table = tables[type];
  const [raw] = await tx.query<Raw>(`SELECT ${columnsOf(table)} FROM ${table.name} WHERE id = ? ${mode}`, [id]);
  const row = raw === undefined ? undefined : toRow<Type>(raw);
  return row?.deleted === true ? undefined : row;
}

export type Columns = Readonly<Record<string, SqlValue>>;

export async function insertObject(tx: Transaction, type: ObjectType, columns: Columns): Promise<void> {
  const names = Object.keys(columns);
  const sql = `INSERT INTO ${tables[type].name} (${names.join(', ')}) VALUES (${marksFor(names)})`;
  await tx.execute(sql, Object.values(columns));
}

/** Its version rises by one. */
export async function updateObject(tx: Transaction, type: ObjectType, id: string, columns: Columns): Promise<void> {
  const sets = [...Object.keys(columns).map((name) => `${name} = ?`), 'version = version + 1'];
  const sql = `UPDATE ${tables[type].name} SET ${sets.join(', ')} WHERE id = ?`;
  await tx.execute(sql, [...Object.values(columns), id]);
}

/** Its name is free; a monitor's secret is gone at once. */
export async function deleteObject(tx: Transaction, type: ObjectType, id: string): Promise<void> {
  const { name, live } = tables[type];
  if (live === undefined) await tx.execute(`DELETE FROM ${name} WHERE id = ?`, [id]);
  else
    await tx.execute(
      `UPDATE ${name} SET ${live} = NULL, deleted_at = NOW(3), version = version + 1${type === 'GslbMonitor' ? ', secret = NULL' : ''}
      WHERE id = ?`,
      [id],
    );
}

/** By the database's clock. */
export async function setAdminState(
  tx: Transaction,
  id: string,
  state: { readonly state: AdminState; readonly until: Date | null; readonly reason: string | null },
): Promise<void> {
  await updateObject(tx, 'GslbPoolMember', id, {
    ...{ admin_state: state.state, admin_until: state.until, admin_reason: state.reason },
  });
}

/** Whether there was anything to release. */
export async function releaseMember(tx: Transaction, id: string): Promise<boolean> {
  const sql =
    "UPDATE gslb_pool_member SET released = 1, version = version + 1 WHERE id = ? AND verdict = 'UP' AND serving = 0";
  return (await tx.execute(sql, [id])).affectedRows > 0;
}

/** `until` undefined: it follows its members again. */
export async function freezeName(
  tx: Transaction,
  id: string,
  frozen: { readonly until: Date | null; readonly reason: string | null } | undefined,
): Promise<void> {
  const sql = `UPDATE gslb SET frozen_at = ${frozen === undefined ? 'NULL' : 'NOW(3)'}, frozen_until = ?, frozen_reason = ?,
    version = version + 1 WHERE id = ?`;
  await tx.execute(sql, [frozen?.until ?? null, frozen?.reason ?? null, id]);
}

export async function databaseTime(sql: Sql): Promise<Date> {
  const [row] = await sql.query<{ at: Date }>('SELECT NOW(3) AS at');
  return row?.at ?? new Date();
}
