// A load balancer host's record, which administrators set: its networks, its room, its site. It belongs to the machine's record,
// because anybody with the host's certificate decides what it reports. `machineCreate` writes it, load balancers read and change
// it.
import type { Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import type { InputCheck } from '../input/input.ts';
import { blockBytes } from '../net/address-block.ts';

/** Machines of this role may have such a record. */
export const hostRole = 'lbhost';

export interface HostRecord {
  readonly site: string | null;
  readonly provider: 'NETNS' | 'LOOPBACK';
  readonly publicRange: string;
  /** Null if a node uses one address for both clients and health checks. */
  readonly managementRange: string | null;
  readonly maxNodes: number;
  /** TCP port on which its nodes answer health checks. */
  readonly healthPort: number;
}

/** The record as given: ranges may be in another spelling. Missing fields have defaults, except the public range and the room. */
type GivenHostRecord = { readonly [Field in keyof HostRecord]?: HostRecord[Field] | null | undefined };

/** The record of a new machine. If `released` is true, it gets nodes as soon as it has connected. */
export type NewHostRecord = GivenHostRecord & { readonly released?: boolean };

const usualHealthPort = 8399;
const mostNodes = 1_000;
/** Shortest and longest prefix of a range, by bytes of an address: a mistake must not take the whole Internet from members. */
const prefixes: ReadonlyMap<number, readonly [number, number]> = new Map([
  [4, [8, 30]],
  [16, [32, 126]],
]);

/**
 * Adds a fault for each invalid field. Returns undefined if there is a fault. `at`: the path of the record in the input, with a dot
 * at the end.
 */
export function checkHostRecord(check: InputCheck, given: GivenHostRecord, at = ''): HostRecord | undefined {
  const before = check.errors.length;
  const publicRange = checkRange(check, `${at}publicRange`, given.publicRange);
  const { site = null, maxNodes } = given;
  const [provider, healthPort] = [given.provider ?? 'NETNS', given.healthPort ?? usualHealthPort];
  const managementRange =
    given.managementRange == null ? null : checkRange(check, `${at}managementRange`, given.managementRange);
  check.text(`${at}site`, site, { min: 1, max: 63 });
  check.integer(`${at}maxNodes`, maxNodes, { min: 1, max: mostNodes, required: true });
  check.port(`${at}healthPort`, healthPort);
  if (check.errors.length > before || publicRange === undefined || managementRange === undefined) return undefined;
  const apart = managementRange === publicRange ? null : managementRange;
  return { site, provider, publicRange, managementRange: apart, maxNodes: maxNodes ?? 0, healthPort };
}

function checkRange(check: InputCheck, field: string, text: string | null | undefined): string | undefined {
  const range = check.addressBlock(field, text);
  const block = blockBytes(range ?? '');
  if (range === undefined || block === undefined) return undefined;
  const [least, most] = prefixes.get(block.bytes.length) ?? [0, 0];
  if (block.prefix >= least && block.prefix <= most) return range;
  check.fault(field, `${field} is ${range}; give a block from /${least} to /${most}`);
  return undefined;
}

/** The machine has no record yet. `released`: see NewHostRecord. */
export async function insertHostRecord(
  tx: Transaction,
  machineId: string,
  record: HostRecord,
  released: boolean,
): Promise<void> {
  await tx.execute(
    `INSERT INTO host_record (machine_id, released, site, provider, public_range, management_range, max_nodes, health_port)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [machineId, released, ...valuesOf(record)],
  );
}

/** Replaces the record, or makes one. */
export async function setHostRecord(tx: Transaction, machineId: string, record: HostRecord): Promise<void> {
  await tx.execute(
    `INSERT INTO host_record (machine_id, site, provider, public_range, management_range, max_nodes, health_port)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE site = VALUES(site), provider = VALUES(provider),
      public_range = VALUES(public_range), management_range = VALUES(management_range), max_nodes = VALUES(max_nodes),
      health_port = VALUES(health_port)`,
    [machineId, ...valuesOf(record)],
  );
}

function valuesOf({ site, provider, publicRange, managementRange, maxNodes, healthPort }: HostRecord) {
  return [site, provider, publicRange, managementRange, maxNodes, healthPort];
}

/** By machine. `lock`: until the transaction ends, as they are now and not as the transaction saw them first. */
export async function hostRecordsOf(
  sql: Sql,
  machineIds: readonly string[],
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<ReadonlyMap<string, HostRecord>> {
  if (machineIds.length === 0) return new Map();
  const rows = await sql.query<HostRecord & { readonly id: string }>(
    `SELECT machine_id AS id, site, provider, public_range AS publicRange, management_range AS managementRange, max_nodes AS maxNodes,
      health_port AS healthPort FROM host_record WHERE machine_id IN (${marksFor(machineIds)})${lock ? ' FOR UPDATE' : ''}`,
    machineIds,
  );
  return new Map(rows.map(({ id, ...record }) => [id, record]));
}

/** The machine never joined. */
export async function deleteHostRecord(tx: Transaction, machineId: string): Promise<void> {
  await tx.execute('DELETE FROM host_record WHERE machine_id = ?', [machineId]);
}

/** Whether the machine gets nodes as soon as it is a new host. */
export async function isReleased(sql: Sql, machineId: string): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM host_record WHERE machine_id = ? AND released = 1', [machineId]);
  return rows.length > 0;
}

/** The host was removed, or its machine revoked: if it comes back, an administrator releases it again. */
export async function holdBack(tx: Transaction, machineId: string): Promise<void> {
  await tx.execute('UPDATE host_record SET released = 0 WHERE machine_id = ?', [machineId]);
}
