// Migrations by owner: each database has only the tables of its roles, and one from before owners is taken over with its rows.
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ownersOf } from '../../../bin/compose/owners.ts';
import { Database } from '../../../platform/database/database.ts';
import { type MigrationOwner, migrate, ownersIn, pendingMigrations } from '../../../platform/database/migrate.ts';
import { newUuid } from '../../../platform/ids.ts';
import { migrationsOf } from '../../../platform/subgraph-row.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { shapesOfDatabase } from './table-shapes.ts';

/** The owners of an earlier version's tables. */
const all = ownersOf(['system', 'relay'], subgraphRows);
const every = migrationsOf(subgraphRows);
let place: TestDatabase;
let db: Database;

beforeEach(async () => {
  place = await testDatabase({ migrated: false });
  db = new Database({ connection: place.connection, connectionLimit: 2 });
});

afterEach(async () => {
  await db.close();
  await place.drop();
});

/** A database of an earlier version: its own migrations, recorded by name without owner. */
async function earlierDatabase(options: { readonly before?: string } = {}): Promise<void> {
  const { before = 'z' } = options;
  const all = join(import.meta.dirname, 'before-owners');
  const folder = await temporaryFolder();
  try {
    for (const name of await readdir(all))
      if (name < before) await cp(join(all, name), join(folder.path, name), { recursive: true });
    await migrate(place.connection, [{ owner: 'early', folder: folder.path }]);
  } finally {
    await folder.remove();
  }
  await db.execute("UPDATE _prisma_migrations SET migration_name = REPLACE(migration_name, 'early/', '')");
}

async function fill(): Promise<{ project: string; backend: string }> {
  const [project, backend] = [newUuid(), newUuid()];
  await db.prisma.project.create({ data: { id: project, name: 'kept' } });
  await db.execute(
    `INSERT INTO backend (id, project_id, name, driver, family, ordinal, host, port, options, allow_init, crypto_profile,
      provisioning_status, operating_status, circuit_state, concurrency, queue_limit, deadline_ms)
    VALUES (?, ?, 'fw', 'linux-nftables', 'FIREWALL', 1, '127.0.0.1', 22, '{}', 0, 'modern', 'ENABLED', 'UNKNOWN', 'CLOSED', 4, 10, 1000)`,
    [backend, project],
  );
  return { project, backend };
}

async function rowsKept({ project, backend }: { project: string; backend: string }): Promise<void> {
  expect(await db.query('SELECT name FROM project WHERE id = ?', [project])).toEqual([{ name: 'kept' }]);
  expect(await db.query('SELECT name, project_id FROM backend WHERE id = ?', [backend])).toEqual([
    { name: 'fw', project_id: project },
  ]);
}

const names = (owners: readonly MigrationOwner[]): string[] => owners.map(({ owner }) => owner);

test('a database of an earlier version is taken over with its rows, and then equals a new one', async () => {
  await earlierDatabase();
  const rows = await fill();
  expect(await pendingMigrations(db, all)).not.toEqual([]);
  const applied = await migrate(place.connection, all);
  // Applied migrations of the earlier version are not repeated.
  expect(applied.filter((name) => name.endsWith('_foundation'))).toEqual([]);
  await rowsKept(rows);
  expect(await pendingMigrations(db, all)).toEqual([]);
  expect([...(await ownersIn(db))].filter((owner) => owner !== '').sort()).toEqual(names(all).sort());
  expect(await migrate(place.connection, all)).toEqual([]);
  const fresh = await testDatabase({ migrated: false });
  const other = new Database({ connection: fresh.connection, connectionLimit: 2 });
  try {
    await migrate(fresh.connection, all);
    expect(await shapesOfDatabase(db)).toEqual(await shapesOfDatabase(other));
  } finally {
    await other.close();
    await fresh.drop();
  }
});

test('an earlier version with pending migrations: the missing ones are applied', async () => {
  await earlierDatabase({ before: '20261120140000' });
  expect(await migrate(place.connection, all)).toEqual(
    expect.arrayContaining(['relay/20261120140000_operation_claim', 'relay/20261120150000_operation_names']),
  );
});

test('an edited or failed migration of an earlier version is refused, and nothing is taken over', async () => {
  await earlierDatabase();
  const first = "WHERE migration_name = '20261120080000_foundation'";
  await db.execute(`UPDATE _prisma_migrations SET finished_at = NULL ${first}`);
  await expect(migrate(place.connection, all)).rejects.toThrow(/20261120080000_foundation failed half-way before/);
  await db.execute(`UPDATE _prisma_migrations SET finished_at = NOW(), checksum = 'x' ${first}`);
  await expect(migrate(place.connection, all)).rejects.toThrow(/20261120080000_foundation was edited/);
});

test("migrating for one role also migrates the database's tables of others", async () => {
  await earlierDatabase();
  await migrate(place.connection, ownersOf(['system'], subgraphRows), every);
  expect(await pendingMigrations(db, all)).toEqual([]);
});

test('a new database has only the tables of its roles; those of another role are added with it', async () => {
  await migrate(place.connection, ownersOf(['system'], subgraphRows), every);
  expect([...(await ownersIn(db))].sort()).toEqual(['platform', 'system']);
  expect(Object.keys(await shapesOfDatabase(db))).not.toContain('backend');
  await migrate(place.connection, ownersOf(['relay'], subgraphRows), every);
  expect([...(await ownersIn(db))].sort()).toEqual(names(all).sort());
  expect(await pendingMigrations(db, all)).toEqual([]);
});
