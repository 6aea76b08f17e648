// A GSLB checker's record, which administrators set: the vantage point for which it votes. It belongs to the machine's record,
// because anybody with the checker's certificate decides what it reports. `machineCreate` writes it, GSLB reads and changes it.
import type { Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import type { InputCheck } from '../input/input.ts';

/** Machines of this role have such a record. */
export const checkerRole = 'checker';

export interface CheckerRecord {
  /** By name. */
  readonly vantagePoint: string;
}

const vantagePointName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Adds a fault if it is invalid. `at`: the path of the record in the input, with a dot at the end. */
export function checkCheckerRecord(check: InputCheck, { vantagePoint }: CheckerRecord, at = ''): CheckerRecord {
  const wants = 'the name of a vantage point: lower-case letters, digits and inner hyphens';
  check.text(`${at}vantagePoint`, vantagePoint, { required: true, min: 1, max: 63, pattern: vantagePointName, wants });
  return { vantagePoint };
}

/** Replaces the record, or makes one. */
export async function setCheckerRecord(
  tx: Transaction,
  machineId: string,
  { vantagePoint }: CheckerRecord,
): Promise<void> {
  await tx.execute(
    `INSERT INTO checker_record (machine_id, vantage_point) VALUES (?, ?)
    ON DUPLICATE KEY UPDATE vantage_point = VALUES(vantage_point)`,
    [machineId, vantagePoint],
  );
}

/** By machine. `lock`: until the transaction ends, as they are now and not as the transaction saw them first. */
export async function checkerRecordsOf(
  sql: Sql,
  machineIds: readonly string[],
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<ReadonlyMap<string, CheckerRecord>> {
  if (machineIds.length === 0) return new Map();
  const rows = await sql.query<CheckerRecord & { readonly id: string }>(
    `SELECT machine_id AS id, vantage_point AS vantagePoint FROM checker_record
    WHERE machine_id IN (${marksFor(machineIds)}) ORDER BY machine_id${lock ? ' FOR UPDATE' : ''}`,
    machineIds,
  );
  return new Map(rows.map(({ id, ...record }) => [id, record]));
}

/** The machine never joined. */
export async function deleteCheckerRecord(tx: Transaction, machineId: string): Promise<void> {
  await tx.execute('DELETE FROM checker_record WHERE machine_id = ?', [machineId]);
}
