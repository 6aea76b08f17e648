// Finds objects by an address or host name, or the beginning of one: by indexes, in the projects that the caller may see, and a bounded number.
import type { Sql, SqlValue } from '../database/database.ts';
import { CodedError } from '../errors/errors.ts';
import { canonicalAddressBlock } from '../net/address-block.ts';

/** A column with addresses. */
export interface AddressColumn {
  readonly table: string;
  readonly column: string;
  /** The column with the UUID of the object that is found. */
  readonly id: string;
  /** An index that begins with the column, and one that begins with project_id and the column. */
  readonly index: string;
  readonly ofProject: string;
  /** Further conditions, without values. */
  readonly where?: string;
}

const mostFoundByAddress = 50;
const longestAddress = 255;

/** The address as it is stored, to compare with. Throws INVALID_INPUT. */
function patternOf(address: string): string {
  const text = address.trim().toLowerCase().replace(/\.$/, '');
  if (text.length < 2 || text.length > longestAddress)
    throw new CodedError('INVALID_INPUT', `address: give 2 to ${longestAddress} characters.`);
  return `${(canonicalAddressBlock(text) ?? text).replaceAll(/[\\%_]/g, '\\$&')}%`;
}

/** UUIDs in the order of the addresses, exact ones first; at most `limit`. Throws INVALID_INPUT. */
export async function foundByAddress(
  sql: Sql,
  columns: readonly AddressColumn[],
  {
    address,
    projects,
    limit,
  }: { readonly address: string; readonly projects: 'all' | readonly string[]; readonly limit: number },
): Promise<readonly string[]> {
  const pattern = patternOf(address);
  if (limit < 1 || limit > mostFoundByAddress)
    throw new CodedError('INVALID_INPUT', `limit: give 1 to ${mostFoundByAddress}.`);
  if (projects !== 'all' && projects.length === 0) return [];
  const found: { readonly id: string; readonly address: string }[] = [];
  for (const { table, column, id, index, ofProject, where = 'TRUE' } of columns) {
    const of = projects === 'all' ? 'TRUE' : `project_id IN (${projects.map(() => '?').join(', ')})`;
    const values: SqlValue[] = projects === 'all' ? [pattern] : [...projects, pattern];
    found.push(
      ...(await sql.query<{ id: string; address: string }>(
        `SELECT ${id} AS id, ${column} AS address FROM ${table} FORCE INDEX (${projects === 'all' ? index : ofProject})
        WHERE ${of} AND ${column} LIKE ? AND ${where} LIMIT ${limit}`,
        values,
      )),
    );
  }
  // A shorter one is nearer to what was asked for.
  const sorted = found.toSorted((a, b) => a.address.length - b.address.length || (a.address < b.address ? -1 : 1));
  return [...new Set(sorted.map((each) => each.id))].slice(0, limit);
}
