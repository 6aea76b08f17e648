// The record of one of our own name servers, which administrators set: the addresses that zones may publish for it. It belongs to
// the machine's record, because anybody with the server's certificate decides what it reports. `machineCreate` writes it, GSLB
// reads and changes it.
import { isIP } from 'node:net';
import type { Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { quoted } from '../errors/errors.ts';
import type { InputCheck } from '../input/input.ts';
import { canonicalText } from '../net/address-block.ts';

/** Machines of this role have such a record. */
export const nameServerRole = 'dns';

export interface NameServerRecord {
  /** In canonical spelling. */
  readonly addresses: readonly string[];
}

const mostAddresses = 16;

/** Adds a fault for each address that is invalid. `at`: the path of the record in the input, with a dot at the end. */
export function checkNameServerRecord(check: InputCheck, given: NameServerRecord, at = ''): NameServerRecord {
  const { addresses } = given;
  check.list(`${at}addresses`, addresses, { max: mostAddresses }, (address, field, index) => {
    if (address.length > 45 || isIP(address) === 0 || isEverywhere(canonicalText(address)))
      check.fault(
        field,
        `addresses.${index} is ${quoted(address)}; give an IP address at which clients reach the name server`,
      );
  });
  return check.errors.length > 0 ? given : { addresses: [...new Set(addresses.map(canonicalText))] };
}

/** All addresses of a machine. */
export function isEverywhere(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Replaces the record, or makes one. */
export async function setNameServerRecord(
  tx: Transaction,
  machineId: string,
  { addresses }: NameServerRecord,
): Promise<void> {
  await tx.execute(
    'INSERT INTO name_server_record (machine_id, addresses) VALUES (?, ?) ON DUPLICATE KEY UPDATE addresses = VALUES(addresses)',
    [machineId, JSON.stringify(addresses)],
  );
}

/** By machine. `lock`: until the transaction ends, as they are now and not as the transaction saw them first. */
export async function nameServerRecordsOf(
  sql: Sql,
  machineIds: readonly string[],
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<ReadonlyMap<string, NameServerRecord>> {
  if (machineIds.length === 0) return new Map();
  const rows = await sql.query<{ readonly id: string; readonly addresses: string }>(
    `SELECT machine_id AS id, addresses FROM name_server_record
    WHERE machine_id IN (${marksFor(machineIds)}) ORDER BY machine_id${lock ? ' FOR UPDATE' : ''}`,
    machineIds,
  );
  return new Map(rows.map(({ id, addresses }) => [id, { addresses: readAddresses(addresses) }]));
}

/** A migration has copied the addresses that servers had reported. */
function readAddresses(text: string): readonly string[] {
  const addresses = (JSON.parse(text) as readonly string[]).map(canonicalText);
  return [...new Set(addresses)].filter((address) => !isEverywhere(address));
}

/** The machine never joined. */
export async function deleteNameServerRecord(tx: Transaction, machineId: string): Promise<void> {
  await tx.execute('DELETE FROM name_server_record WHERE machine_id = ?', [machineId]);
}
