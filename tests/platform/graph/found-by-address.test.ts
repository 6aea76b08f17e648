// Objects in the caller's projects are found by an address or its prefix, with indexes.
import { beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../../platform/database/database.ts';
import { type AddressColumn, foundByAddress } from '../../../platform/graph/found-by-address.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open());
let db: Database;
const column: AddressColumn = {
  ...{ table: 'thing_at', column: 'host', id: 'id', where: 'deleted_at IS NULL' },
  ...{ index: 'thing_host_idx', ofProject: 'thing_project_host_idx' },
};

beforeAll(async () => {
  ({ db } = ground);
  await db.execute(`CREATE TABLE thing_at (id CHAR(36) PRIMARY KEY, project_id CHAR(36) NOT NULL, host VARCHAR(255) NOT NULL,
    deleted_at DATETIME(3) NULL, INDEX thing_host_idx (host, id), INDEX thing_project_host_idx (project_id, host, id))
    DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin`);
  const rows: readonly (readonly [string, string, string])[] = [
    ...([
      ['a', 'p1', '192.0.2.1'],
      ['b', 'p1', '192.0.2.17'],
      ['c', 'p2', '192.0.2.1'],
    ] as const),
    ...([
      ['d', 'p1', '2001:db8::1'],
      ['e', 'p2', 'fw_1.example'],
      ['f', 'p2', 'fwx1.example'],
    ] as const),
  ];
  for (const row of rows) await db.execute('INSERT INTO thing_at (id, project_id, host) VALUES (?, ?, ?)', row);
  await db.execute("INSERT INTO thing_at VALUES ('gone', 'p1', '192.0.2.1', NOW(3))");
});

const found = (address: string, projects: 'all' | readonly string[] = 'all', limit = 10) =>
  foundByAddress(db, [column], { address, projects, limit });

test.each<[string, 'all' | readonly string[], readonly string[]]>([
  ['192.0.2.1', 'all', ['a', 'c', 'b']],
  ['192.0.2.', ['p1'], ['a', 'b']],
  ['192.0.2.1', ['p2'], ['c']],
  ['192.0.2.1', [], []],
  ['2001:0DB8:0:0::1', 'all', ['d']],
  ['2001:DB8:', 'all', ['d']],
  ['FW_1.example.', 'all', ['e']],
  ['fw_1', 'all', ['e']],
  ['%2.0', 'all', []],
  ['0.2.1', 'all', []],
])('%s in %j', async (address, projects, ids) => {
  expect(await found(address, projects)).toEqual(ids);
});

test('the number of results and the length of the text are limited', async () => {
  expect(await found('192.0', 'all', 2)).toHaveLength(2);
  await expect(found('1')).rejects.toThrow('address: give 2 to 255 characters.');
  await expect(found('1'.repeat(256))).rejects.toThrow('address');
  for (const limit of [0, 51, -1]) await expect(found('192.0', 'all', limit)).rejects.toThrow('limit: give 1 to 50.');
});

test.each(['all', ['p1', 'p2']] as const)('only rows at the address are read, in %j', async (projects) => {
  const of = projects === 'all' ? 'TRUE' : "project_id IN ('p1', 'p2')";
  const index = projects === 'all' ? column.index : column.ofProject;
  const [plan] = await db.query<{ type: string; key: string }>(
    `EXPLAIN SELECT id FROM thing_at FORCE INDEX (${index}) WHERE ${of} AND host LIKE '192.0.2.%' AND deleted_at IS NULL LIMIT 5`,
  );
  expect([plan?.type, plan?.key]).toEqual(['range', index]);
});
