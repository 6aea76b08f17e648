// A migrated database is made once per run and copied for each test file: copying tables is faster than
// running all migrations again.
import { createConnection } from 'mariadb';
import { ownersOf } from '../../bin/compose/owners.ts';
import type { EmbeddedMariadb } from '../../embedded/mariadb.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

export const TEMPLATE_DATABASE = 'tidegate_template';

/** With the tables of all owners. Returns the template's name. */
export async function layOutTemplate(mariadb: EmbeddedMariadb): Promise<string> {
  const root = await createConnection({ ...mariadb.rootConnection, connectTimeout: 60_000 });
  try {
    await root.query(`CREATE DATABASE \`${TEMPLATE_DATABASE}\``);
  } finally {
    await root.end();
  }
  const owners = ownersOf(
    subgraphRows.map(({ name }) => name),
    subgraphRows,
  );
  await migrate({ ...mariadb.application, database: TEMPLATE_DATABASE }, owners);
  return TEMPLATE_DATABASE;
}
