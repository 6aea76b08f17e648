// A migrated database is made once for a run and copied for each test file: copying tables is cheaper than running every
// migration again.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mariadb';
import type { EmbeddedMariadb } from '../../embedded/mariadb.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MIGRATE_MODULE = join(ROOT, 'platform', 'database', 'migrate.ts');
const MIGRATIONS = join(ROOT, 'prisma', 'migrations');

export const TEMPLATE_DATABASE = 'tidegate_template';

interface MigrateModule {
  migrate(
    connection: { socketPath: string; user: string; password: string; database: string },
    options: { folder: string },
  ): Promise<unknown>;
}

/** Returns the template's name, or undefined while there is no migration runner. */
export async function layOutTemplate(mariadb: EmbeddedMariadb): Promise<string | undefined> {
  const there = await access(MIGRATE_MODULE).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  const root = await createConnection({ ...mariadb.rootConnection });
  try {
    await root.query(`CREATE DATABASE \`${TEMPLATE_DATABASE}\``);
  } finally {
    await root.end();
  }
  const { migrate } = (await import(MIGRATE_MODULE)) as MigrateModule;
  await migrate({ ...mariadb.application, database: TEMPLATE_DATABASE }, { folder: MIGRATIONS });
  return TEMPLATE_DATABASE;
}
