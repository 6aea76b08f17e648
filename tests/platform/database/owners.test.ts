// Migrations by owner: each database has only the tables of its roles.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ownersOf } from '../../../compose/owners.ts';
import { Database } from '../../../platform/database/database.ts';
import { migrate, ownersIn, pendingMigrations } from '../../../platform/database/migrate.ts';
import { migrationsOf } from '../../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';
import { shapesOfDatabase } from './table-shapes.ts';

const both = ownersOf(['system', 'relay'], subgraphRows);
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

test('a new database has only the tables of its roles, and tables of another role are added with the role', async () => {
  await migrate(place.connection, ownersOf(['system'], subgraphRows), every);
  expect([...(await ownersIn(db))].sort()).toEqual(['dns', 'platform', 'system']);
  expect(Object.keys(await shapesOfDatabase(db))).not.toContain('backend');
  await migrate(place.connection, ownersOf(['relay'], subgraphRows), every);
  expect([...(await ownersIn(db))].sort()).toEqual(both.map(({ owner }) => owner).sort());
  expect(await pendingMigrations(db, both)).toEqual([]);
});

test('a database that cannot be read is not mistaken for one without tables', async () => {
  expect([...(await ownersIn(db))]).toEqual([]);
  const connection = { ...place.connection, socketPath: '/nonexistent/socket' };
  const lost = new Database({ connection, connectionLimit: 2, acquireTimeoutMs: 200 });
  try {
    await expect(ownersIn(lost)).rejects.toThrow();
    await expect(pendingMigrations(lost, both)).rejects.toThrow();
  } finally {
    await lost.close();
  }
});
