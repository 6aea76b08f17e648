// SQL of the GSLB entities in the graph: rows by ID, pages, locks and writes. The desired settings of each entity are one JSON
// column.
import type { BackendType } from '../../../../dns/records/backend-types.ts';
import {
  always,
  type Condition,
  type Sql,
  type SqlValue,
  type Transaction,
} from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { inEachProject, is } from '../../../../platform/database/range-search.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { cmpObjectRanges } from '../../../../platform/pages/cmp-object.ts';
import { type PageItems, type PageRequest, pageItems } from '../../../../platform/pages/connection.ts';
import type { ListTable } from '../../../../platform/pages/entity-list.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { Verdict } from '../../rules/quorum.ts';
import type { Action, AdminState, OperatingStatus, ProvisioningStatus } from '../../rules/states.ts';
import type {
  FlavorSpec,
  GslbSpec,
  MemberSpec,
  MonitorSpec,
  PoolSpec,
  VantagePointSpec,
  ZoneSpec,
} from '../../spec/specs.ts';
import type { EvaluatedMember, RegionState } from '../stores/standing-store.ts';

interface Kept<Spec> {
  /** UUID. */
  readonly id: string;
  readonly spec: Spec;
  readonly version: number;
  /** Version after the last change of its settings. */
  readonly settingsVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Whether it is kept only for repeated requests and readers of changes. */
  readonly deleted: boolean;
}

interface Owned {
  readonly projectId: string;
}

interface Named {
  readonly name: string;
}

export type FlavorRow = Kept<FlavorSpec> & Named;
export type VantagePointEntity = Kept<VantagePointSpec> & Named & { readonly region: string; readonly epoch: number };
export type ZoneEntity = Kept<ZoneSpec> &
  Named & { readonly generation: number; readonly backendId: string | null; readonly backendType: BackendType };
export type PoolEntity = Kept<PoolSpec> & Owned & Named;
export type MonitorEntity = Kept<MonitorSpec> & Owned & Named & { readonly credentialsSet: boolean };

export interface MemberEntity extends Kept<MemberSpec>, Owned, Named {
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
  extends Kept<GslbSpec & { /** `gslbKind`'s settings under the graph's names. */ readonly given: JsonObject }>,
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

export interface EntityRows {
  readonly Gslb: NameRow;
  readonly GslbPool: PoolEntity;
  readonly GslbPoolMember: MemberEntity;
  readonly GslbMonitor: MonitorEntity;
  readonly GslbFlavor: FlavorRow;
  readonly GslbVantagePoint: VantagePointEntity;
  readonly DnsZone: ZoneEntity;
}
export type EntityType = keyof EntityRows;

interface Table {
  readonly name: string;
  /** Columns other than id, spec, version and created_at. */
  readonly columns: string;
  /** The column that becomes null at deletion. Undefined if the row itself is deleted. */
  readonly live: 'live_name' | 'live_fqdn' | 'unique_key' | undefined;
}

const tables: Readonly<Record<EntityType, Table>> = {
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
    columns: 'project_id AS projectId, name, secret IS NOT NULL AS credentialsSet',
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

const flags = ['deleted', 'serving', 'credentialsSet'];

type Raw = Readonly<Record<string, SqlValue>> & { readonly id: string };

function columnsOf({ columns, live }: Table): string {
  const deleted = live === undefined ? '0' : `${live} IS NULL`;
  return `id, spec, version, settings_version AS settingsVersion, created_at AS createdAt, updated_at AS updatedAt, ${deleted} AS deleted, ${columns}`;
}

function toRow<Type extends EntityType>(raw: Raw): EntityRows[Type] {
  const known = flags.filter((name) => raw[name] !== undefined).map((name) => [name, Number(raw[name]) === 1]);
  return { ...raw, ...Object.fromEntries(known), spec: JSON.parse(String(raw.spec)) } as unknown as EntityRows[Type];
}

/** Includes deleted ones. */
export async function readEntities<Type extends EntityType>(
  sql: Sql,
  type: Type,
  ids: readonly string[],
): Promise<ReadonlyMap<string, EntityRows[Type]>> {
  if (ids.length === 0) return new Map();
  const table = tables[type];
  const text = `SELECT ${columnsOf(table)} FROM ${table.name} WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow<Type>(raw)]));
}

/** Finds entities by name. Omits deleted ones. */
export async function readNamed<Type extends 'GslbVantagePoint' | 'DnsZone' | 'GslbFlavor'>(
  sql: Sql,
  type: Type,
  names: readonly string[],
): Promise<ReadonlyMap<string, EntityRows[Type]>> {
  if (names.length === 0) return new Map();
  const table = tables[type];
  const text = `SELECT ${columnsOf(table)} FROM ${table.name} WHERE ${table.live ?? 'name'} IN (${marksFor(names)})`;
  const rows = (await sql.query<Raw>(text, names)).map((raw) => toRow<Type>(raw));
  return new Map(rows.map((row) => [row.name, row]));
}

/** Finds a monitor of a project by name, and locks it against deletion until the transaction ends. */
export async function liveMonitor(
  tx: Transaction,
  projectId: string,
  name: string,
): Promise<MonitorEntity | undefined> {
  const table = tables.GslbMonitor;
  const text = `SELECT ${columnsOf(table)} FROM ${table.name} WHERE project_id = ? AND live_name = ? LOCK IN SHARE MODE`;
  const [raw] = await tx.query<Raw>(text, [projectId, name]);
  return raw && toRow<'GslbMonitor'>(raw);
}

/** UUIDs of flavors, at most two. */
export async function someFlavors(sql: Sql): Promise<readonly string[]> {
  const text = 'SELECT id FROM gslb_flavor WHERE deleted_at IS NULL ORDER BY id LIMIT 2';
  return (await sql.query<{ id: string }>(text)).map(({ id }) => id);
}

export type ListedType = Exclude<EntityType, 'GslbPoolMember'>;

const ownGslbs = ownedList('gslb', 'live_fqdn');
const gslbList: ListTable = {
  ...ownGslbs,
  noStatus: 'UNKNOWN',
  all: { ...ownGslbs.all, status: 'gslb_status_idx' },
  ofProject: { ...ownGslbs.ofProject, status: 'gslb_project_status_idx' },
};

/** Lists of the graph's root. */
export const entityLists: Readonly<Record<ListedType, ListTable>> = {
  Gslb: gslbList,
  GslbPool: ownedList('gslb_pool', 'live_name'),
  GslbMonitor: ownedList('gslb_monitor', 'live_name'),
  GslbFlavor: sharedList('gslb_flavor'),
  GslbVantagePoint: sharedList('gslb_vantage_point'),
  DnsZone: {
    ...{ table: 'gslb_zone', name: 'name', shown: always },
    all: { name: 'gslb_zone_list_idx', time: 'gslb_zone_id_key' },
  },
};

function ownedList(table: string, name: string) {
  return {
    ...{ table, name },
    all: { name: `${table}_list_idx`, time: `${table}_time_idx` },
    ofProject: { name: `${table}_project_list_idx`, time: `${table}_project_time_idx` },
  } satisfies ListTable;
}

function sharedList(table: string): ListTable {
  return { table, name: 'live_name', all: { name: `${table}_list_idx`, time: `${table}_time_idx` } };
}

/** A list below another object, oldest first. */
export interface ChildList<Type extends EntityType> {
  /** Identifies the batch in which its pages are read. */
  readonly owner: symbol;
  readonly type: Type;
  readonly index: string;
  readonly ranges: (parent: string) => readonly Condition[];
}

/** `column` has the parent's UUID or name. */
const below = (column: string) => (parent: string) => [{ sql: `${column} = ?`, values: [parent] }];

const namesOfCmpObjects = Symbol('GSLBs of CMP objects');

/** GSLBs of CMP objects in these projects. The parents are global ids. */
export function cmpObjectGslbs(projects: 'all' | readonly string[]): ChildList<'Gslb'> {
  return {
    ...{ owner: namesOfCmpObjects, type: 'Gslb' },
    index: projects === 'all' ? 'gslb_cmp_idx' : 'gslb_project_cmp_idx',
    ranges: (id) => cmpObjectRanges(id, projects),
  };
}

const membersOfBalancers = Symbol('members that follow load balancers');

/** Members that follow load balancers, in these projects. The parents are UUIDs of load balancers. */
export function followingMembers(projects: 'all' | readonly string[]): ChildList<'GslbPoolMember'> {
  return {
    ...{ owner: membersOfBalancers, type: 'GslbPoolMember' },
    index: projects === 'all' ? 'gslb_pool_member_balancer_idx' : 'gslb_pool_member_project_balancer_idx',
    ranges: (id) => inEachProject(projects, is('load_balancer_id', id)),
  };
}

export const childLists = {
  projectGslbs: {
    ...{ owner: Symbol('GSLBs of projects'), type: 'Gslb' },
    ...{ index: 'gslb_project_time_idx', ranges: below('project_id') },
  },
  zoneGslbs: { owner: Symbol('GSLBs of zones'), type: 'Gslb', index: 'gslb_zone_time_idx', ranges: below('zone') },
  poolMembers: {
    ...{ owner: Symbol('members of pools'), type: 'GslbPoolMember' },
    ...{ index: 'gslb_pool_member_pool_idx', ranges: below('pool_id') },
  },
  backendZones: {
    ...{ owner: Symbol('zones of backends'), type: 'DnsZone' },
    ...{ index: 'gslb_zone_backend_idx', ranges: below('backend_id') },
  },
} as const satisfies Readonly<Record<string, ChildList<EntityType>>>;

/** The same page of each parent, with one statement. */
export async function pagesOfChildren<Type extends EntityType>(
  sql: Sql,
  list: ChildList<Type>,
  parents: readonly string[],
  { first, take, after }: PageRequest,
): Promise<ReadonlyMap<string, PageItems<EntityRows[Type]>>> {
  const found = await rowsOfParents<Raw>(sql, parents, {
    ...{ columns: columnsOf(tables[list.type]), ...rangesOfChildren(list) },
    ...{ key: 'id', order: 'ASC', after: after?.[0], take },
  });
  return new Map(
    [...found].map(([of, raws]) => {
      const rows = raws.map(toRow<Type>).sort((one, other) => (one.id < other.id ? -1 : 1));
      return [of, pageItems(rows.slice(0, take), first, ({ id }) => [id])];
    }),
  );
}

/** Counts with one statement. Null for more than 10,000. */
export function countsOfChildren(
  sql: Sql,
  list: ChildList<EntityType>,
  parents: readonly string[],
): Promise<ReadonlyMap<string, number | null>> {
  return countsOfParents(sql, parents, rangesOfChildren(list));
}

function rangesOfChildren({ type, index, ranges }: ChildList<EntityType>) {
  const { name: table, live } = tables[type];
  const shown = live === undefined ? '' : ' AND deleted_at IS NULL';
  const shownOf = (parent: string) => ranges(parent).map(({ sql, values }) => ({ sql: `${sql}${shown}`, values }));
  return { table, index, ranges: shownOf };
}

/** Undefined if it is deleted. */
export async function lockEntity<Type extends EntityType>(
  tx: Transaction,
  type: Type,
  id: string,
  mode: 'FOR UPDATE' | 'LOCK IN SHARE MODE' = 'FOR UPDATE',
): Promise<EntityRows[Type] | undefined> {
  const table = tables[type];
  const [raw] = await tx.query<Raw>(`SELECT ${columnsOf(table)} FROM ${table.name} WHERE id = ? ${mode}`, [id]);
  const row = raw === undefined ? undefined : toRow<Type>(raw);
  return row?.deleted === true ? undefined : row;
}

type Columns = Readonly<Record<string, SqlValue>>;

export async function insertEntity(tx: Transaction, type: EntityType, columns: Columns): Promise<void> {
  const names = Object.keys(columns);
  const sql = `INSERT INTO ${tables[type].name} (${names.join(', ')}) VALUES (${marksFor(names)})`;
  await tx.execute(sql, Object.values(columns));
}

/** A change of its settings. Its version rises by one. */
export async function updateEntity(tx: Transaction, type: EntityType, id: string, columns: Columns): Promise<void> {
  const sets = [
    ...Object.keys(columns).map((name) => `${name} = ?`),
    'settings_version = version + 1, version = version + 1, updated_at = NOW(3)',
  ];
  const sql = `UPDATE ${tables[type].name} SET ${sets.join(', ')} WHERE id = ?`;
  await tx.execute(sql, [...Object.values(columns), id]);
}

/** Releases its name, and deletes a monitor's secret at once. */
export async function deleteEntity(tx: Transaction, type: EntityType, id: string): Promise<void> {
  const { name, live } = tables[type];
  if (live === undefined) await tx.execute(`DELETE FROM ${name} WHERE id = ?`, [id]);
  else
    await tx.execute(
      `UPDATE ${name} SET ${live} = NULL, deleted_at = NOW(3), version = version + 1, updated_at = NOW(3)${type === 'GslbMonitor' ? ', secret = NULL' : ''}
      WHERE id = ?`,
      [id],
    );
}

/** Times are by the database's clock. */
export async function setAdminState(
  tx: Transaction,
  id: string,
  state: { readonly state: AdminState; readonly until: Date | null; readonly reason: string | null },
): Promise<void> {
  await updateEntity(tx, 'GslbPoolMember', id, {
    ...{ admin_state: state.state, admin_until: state.until, admin_reason: state.reason },
  });
}

/** Releases the member for all clients, and for those of each region in which it waits. Returns whether it was waiting. */
export async function releaseMember(tx: Transaction, id: string): Promise<boolean> {
  const sql = 'SELECT verdict, serving, region_states AS regionStates FROM gslb_pool_member WHERE id = ? FOR UPDATE';
  const [row] = await tx.query<{ verdict: Verdict | null; serving: number; regionStates: string }>(sql, [id]);
  if (row === undefined) return false;
  const regions = Object.entries(JSON.parse(row.regionStates) as EvaluatedMember['regionStates']);
  const overall = waits({ verdict: row.verdict, serving: row.serving === 1 });
  if (!overall && !regions.some(([, state]) => waits(state))) return false;
  const states = regions.map(([region, state]) => [region, waits(state) ? { ...state, released: true } : state]);
  await updateEntity(tx, 'GslbPoolMember', id, {
    ...(overall ? { released: true } : {}),
    region_states: JSON.stringify(Object.fromEntries(states)),
  });
  return true;
}

function waits({ verdict, serving }: Pick<RegionState, 'verdict' | 'serving'>): boolean {
  return verdict === 'UP' && !serving;
}

/** `until`: undefined to follow its members again. */
export async function freezeName(
  tx: Transaction,
  id: string,
  frozen: { readonly until: Date | null; readonly reason: string | null } | undefined,
): Promise<void> {
  const sql = `UPDATE gslb SET frozen_at = ${frozen === undefined ? 'NULL' : 'NOW(3)'}, frozen_until = ?, frozen_reason = ?,
    settings_version = version + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?`;
  await tx.execute(sql, [frozen?.until ?? null, frozen?.reason ?? null, id]);
}

export async function databaseTime(sql: Sql): Promise<Date> {
  const [row] = await sql.query<{ at: Date }>('SELECT NOW(3) AS at');
  return row?.at ?? new Date();
}
