// A migrated database is made once per run, and one SQL text copies it for each test file. That is faster than running
// all migrations again, or reading every table's definition.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mariadb';
import { ownersOf } from '../../../compose/owners.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { copyingText } from './database.ts';
import type { TestServers } from './servers.ts';

const templateDatabase = 'tidegate_template';

/** Lays out the tables of all owners. Returns the file with the SQL. */
export async function layOutTemplate({ mariadb, sharedFolder }: TestServers): Promise<string> {
  const owners = ownersOf(
    subgraphRows.map(({ name }) => name),
    subgraphRows,
  );
  const root = await createConnection({ ...mariadb.rootConnection, connectTimeout: 60_000 });
  try {
    await root.query(`CREATE DATABASE \`${templateDatabase}\``);
    await migrate({ ...mariadb.application, database: templateDatabase }, owners);
    const file = join(sharedFolder, 'template.sql');
    await writeFile(file, await copyingText(root, templateDatabase));
    return file;
  } finally {
    await root.end();
  }
}
