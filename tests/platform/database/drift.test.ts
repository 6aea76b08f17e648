// The tables that the migrations make are the ones that the Prisma schema describes.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '../../../platform/database/database.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { shapesOfDatabase, shapesOfSchema, type TableShapes } from './table-shapes.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'prisma', 'schema');
let place: TestDatabase;
let db: Database;
let described: TableShapes;

beforeAll(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection, connectionLimit: 2 });
  const files = (await readdir(folder)).filter((name) => name.endsWith('.prisma'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  described = shapesOfSchema(texts.join('\n'));
});

afterAll(async () => {
  await db.close();
  await place.drop();
});

test('every table, column, index and foreign key is as described', async () => {
  expect(await shapesOfDatabase(db)).toEqual(described);
  expect(Object.keys(described).length).toBeGreaterThan(15);
});

test.each([
  ['another type', 'ALTER TABLE lease MODIFY owner VARCHAR(64) NOT NULL'],
  ['another nullability', 'ALTER TABLE lease MODIFY owner VARCHAR(128) NULL'],
  ['another default', 'ALTER TABLE lease ALTER beat SET DEFAULT 7'],
  ['a column more', 'ALTER TABLE lease ADD extra INT'],
  ['a table more', 'CREATE TABLE extra (id INT PRIMARY KEY)'],
  ['an index less', 'ALTER TABLE owed_work DROP INDEX owed_work_due_idx'],
  ['another uniqueness', 'ALTER TABLE project DROP INDEX project_name_key, ADD INDEX project_name_key (name)'],
  ['a foreign key less', 'ALTER TABLE session DROP FOREIGN KEY session_user_fk'],
])('%s is found', async (_what, sql) => {
  const own = await testDatabase();
  const changed = new Database({ connection: own.connection, connectionLimit: 2 });
  try {
    await changed.execute(sql);
    expect(await shapesOfDatabase(changed)).not.toEqual(described);
  } finally {
    await changed.close();
    await own.drop();
  }
});
