// SQL of flavors: an administrator's.
import type { Sql } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import type { FlavorSpec } from '../objects/specs.ts';

export interface FlavorRow {
  /** UUID. */
  readonly id: string;
  readonly name: string;
  readonly spec: FlavorSpec;
  readonly version: number;
  readonly createdAt: Date;
}

const columns = 'id, name, spec, version, created_at AS createdAt';

type Raw = Omit<FlavorRow, 'spec'> & { readonly spec: string };

function toRow(raw: Raw): FlavorRow {
  return { ...raw, spec: JSON.parse(raw.spec) as FlavorSpec };
}

/** Those that are not deleted. */
export async function readFlavors(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, FlavorRow>> {
  if (ids.length === 0) return new Map();
  const text = `SELECT ${columns} FROM gslb_flavor WHERE id IN (${marksFor(ids)}) AND deleted_at IS NULL`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow(raw)]));
}
