// The record of a machine for which another team's subgraph sends status events: the subgraph that it speaks for. It belongs to the
// machine's record, because anybody with the machine's token decides what it sends. `machineCreate` writes it, and nothing changes it.
import type { Sql, Transaction } from '../database/database.ts';
import { quoted } from '../errors/errors.ts';
import type { InputCheck } from '../input/input.ts';
import { outsideName } from './outside-subgraphs.ts';

/** Machines of this role have such a record. No process of the product has this role. */
export const subgraphRole = 'subgraph';

export interface SubgraphRecord {
  /** As in `subgraphs.NAME` of the settings. */
  readonly name: string;
}

/** Adds a fault if it is invalid. `at`: the path of the record in the input, with a dot at the end. */
export function checkSubgraphRecord(check: InputCheck, { name }: SubgraphRecord, at = ''): SubgraphRecord {
  if (!outsideName.test(name))
    check.fault(`${at}name`, `${at}name is ${quoted(name)}; give the name of the subgraph in the settings`);
  return { name };
}

/** The machine has no record yet. */
export async function insertSubgraphRecord(
  tx: Transaction,
  machineId: string,
  { name }: SubgraphRecord,
): Promise<void> {
  await tx.execute('INSERT INTO subgraph_record (machine_id, name) VALUES (?, ?)', [machineId, name]);
}

/** Undefined if the machine has none. */
export async function subgraphRecordOf(sql: Sql, machineId: string): Promise<SubgraphRecord | undefined> {
  const [row] = await sql.query<SubgraphRecord>('SELECT name FROM subgraph_record WHERE machine_id = ?', [machineId]);
  return row;
}

/** The machine never joined. */
export async function deleteSubgraphRecord(tx: Transaction, machineId: string): Promise<void> {
  await tx.execute('DELETE FROM subgraph_record WHERE machine_id = ?', [machineId]);
}
