// The tables that the migrations of an owner create match the owner's files of the Prisma schema.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ownersOf } from '../../../compose/owners.ts';
import { platformMigrations } from '../../../compose/places.ts';
import { Database } from '../../../platform/database/database.ts';
import { type MigrationOwner, migrate } from '../../../platform/database/migrate.ts';
import { sharedModulesOf } from '../../../platform/process/subgraph-row.ts';
import { objectClusterMigrations } from '../../../subgraphs/object-storage/engine/store/owner.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { testDatabase } from '../../support/stores/database.ts';
import { shapesOfDatabase, shapesOfSchema, type TableShapes } from './table-shapes.ts';

/** Owners for roles with a database of their own. */
const further: readonly MigrationOwner[] = [objectClusterMigrations];
const folder = join(import.meta.dirname, '..', '..', '..', 'prisma', 'schema');
const subgraphs = subgraphRows.map(({ name }) => name);
const shared = sharedModulesOf(subgraphRows).map(({ name }) => name);

async function describedBy(owners: readonly string[]): Promise<TableShapes> {
  const texts = await Promise.all(owners.map((owner) => readFile(join(folder, `${owner}.prisma`), 'utf8')));
  return shapesOfSchema(texts.join('\n'));
}

test('every folder of prisma/migrations belongs to an owner', async () => {
  const folders = await readdir(join(folder, '..', 'migrations'));
  expect(folders.sort()).toEqual(['platform', ...shared, ...subgraphs, ...further.map(({ owner }) => owner)].sort());
});

/** The possible databases: of one subgraph, of all subgraphs, of a worker without a subgraph, and of roles with a database of their own. */
const databases = [
  ...[...subgraphs.map((name) => [name]), subgraphs, ['worker']].map((roles) => ownersOf(roles, subgraphRows)),
  ...further.map((owner) => [platformMigrations, owner]),
];

test.each(databases.map((owners) => [owners.map(({ owner }) => owner).join(', '), owners] as const))(
  'a database of %s: every table, column, index and foreign key matches the schema, and there are no others',
  async (_names, owners) => {
    const place = await testDatabase({ migrated: false });
    const db = new Database({ connection: place.connection, connectionLimit: 2 });
    try {
      await migrate(place.connection, owners);
      const described = await describedBy(owners.map(({ owner }) => owner));
      expect(await shapesOfDatabase(db)).toEqual(described);
      expect(Object.keys(described).length).toBeGreaterThan(7);
    } finally {
      await db.close();
      await place.drop();
    }
  },
);

test.each([
  ['another type', 'ALTER TABLE lease MODIFY owner VARCHAR(64) NOT NULL'],
  ['another nullability', 'ALTER TABLE lease MODIFY owner VARCHAR(128) NULL'],
  ['another default', 'ALTER TABLE lease ALTER beat SET DEFAULT 7'],
  ['an additional column', 'ALTER TABLE lease ADD extra INT'],
  ['an additional table', 'CREATE TABLE extra (id INT PRIMARY KEY)'],
  ['a missing index', 'ALTER TABLE owed_work DROP INDEX owed_work_due_idx'],
  ['another uniqueness', 'ALTER TABLE project DROP INDEX project_name_key, ADD INDEX project_name_key (name)'],
  ['a missing foreign key', 'ALTER TABLE session DROP FOREIGN KEY session_user_fk'],
])('%s is detected', async (_what, sql) => {
  const own = await testDatabase();
  const changed = new Database({ connection: own.connection, connectionLimit: 2 });
  try {
    const described = await describedBy(['platform', ...shared, ...subgraphs]);
    expect(await shapesOfDatabase(changed)).toEqual(described);
    await changed.execute(sql);
    expect(await shapesOfDatabase(changed)).not.toEqual(described);
  } finally {
    await changed.close();
    await own.drop();
  }
});
