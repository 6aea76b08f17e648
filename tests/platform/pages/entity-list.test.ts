// Root lists on their own table in a real MariaDB: orders, cursors, filters and counts.
import { beforeAll, expect, test } from '@jest/globals';

import { mostCounted } from '../../../platform/database/range-search.ts';
import type { ListOrder } from '../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../platform/pages/entity-list.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
}

const statuses = ['ONLINE', 'ERROR', null] as const;
const hour = 3_600_000;

const things: ListTable = {
  table: 'thing',
  name: 'live_name',
  expiry: 'ends_at',
  noStatus: 'UNKNOWN',
  all: { name: 'thing_list_idx', time: 'thing_time_idx', status: 'thing_status_idx', expiry: 'thing_expiry_idx' },
  ofProject: {
    name: 'thing_project_list_idx',
    time: 'thing_project_time_idx',
    status: 'thing_project_status_idx',
    expiry: 'thing_project_expiry_idx',
  },
};

/** Deleted things between the others, two projects, and names that do not follow the ids. */
const rows = Array.from({ length: 60 }, (_, at) => ({
  id: `i${String(at).padStart(3, '0')}`,
  project: at % 3 === 0 ? 'one' : 'two',
  name: `${at % 2 === 0 ? 'web' : 'DB_1'}-${String((at * 7) % 60).padStart(2, '0')}`,
  deleted: at % 5 === 0,
  status: statuses[at % 3] ?? null,
  // Some things end in the same millisecond.
  endsAt: new Date(Date.UTC(2026, 0, 1) + ((at * 11) % 30) * hour),
}));
const live = rows.filter(({ deleted }) => !deleted);

const ground = forFile(() => TestContext.open());

beforeAll(async () => {
  await ground.db.execute(`CREATE TABLE thing (id VARCHAR(36) PRIMARY KEY, project_id VARCHAR(36) NOT NULL, live_name VARCHAR(63),
    deleted_at DATETIME(3), operating_status VARCHAR(16), ends_at DATETIME(3),
    INDEX thing_list_idx (live_name, id), INDEX thing_time_idx (deleted_at, id),
    INDEX thing_status_idx (deleted_at, operating_status, id), INDEX thing_expiry_idx (deleted_at, ends_at, id),
    INDEX thing_project_list_idx (project_id, live_name, id), INDEX thing_project_time_idx (project_id, deleted_at, id),
    INDEX thing_project_status_idx (project_id, deleted_at, operating_status, id),
    INDEX thing_project_expiry_idx (project_id, deleted_at, ends_at, id))
    COLLATE utf8mb4_nopad_bin`);
  for (const { id, project, name, deleted, status, endsAt } of rows)
    await ground.db.execute(`INSERT INTO thing VALUES (?, ?, ?, ${deleted ? 'NOW(3)' : 'NULL'}, ?, ?)`, [
      ...[id, project, deleted ? null : name, status, endsAt],
    ]);
}, 120_000);

const read = async (ids: readonly string[]) => {
  const text = `SELECT id, live_name AS name FROM thing WHERE id IN (${ids.map(() => '?').join()})`;
  return new Map((await ground.db.query<Thing>(text, ids)).map((row) => [row.id, row]));
};

const pageOf = (filter: Partial<ListFilter>) =>
  pageOfList(ground.db, things, { orderBy: 'NAME', projects: 'all', ...filter }, read);

/** All pages, and the count of the first page. */
async function whole(filter: Partial<ListFilter>): Promise<{ ids: string[]; count: number | null | undefined }> {
  const ids: string[] = [];
  let after: string | null = null;
  let count: number | null | undefined;
  for (let page = 0; page < 100; page += 1) {
    const { nodes, pageInfo, count: counted } = await pageOf({ first: 7, ...filter, after });
    if (page === 0) count = await counted?.();
    ids.push(...nodes.map(({ id }) => id));
    if (!pageInfo.hasNextPage) return { ids, count };
    after = pageInfo.endCursor;
  }
  throw new Error('the pages do not end');
}

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);
const byEnd = (one: { endsAt: Date; id: string }, other: { endsAt: Date; id: string }) =>
  one.endsAt.getTime() - other.endsAt.getTime() || byId(one, other);
const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);
const expected: Readonly<Record<ListOrder, string[]>> = {
  OLDEST: live.toSorted(byId).map(({ id }) => id),
  NEWEST: live
    .toSorted(byId)
    .reverse()
    .map(({ id }) => id),
  NAME: live.toSorted(byName).map(({ id }) => id),
  NAME_DESC: live
    .toSorted(byName)
    .reverse()
    .map(({ id }) => id),
  EXPIRY: live.toSorted(byEnd).map(({ id }) => id),
};

test.each(Object.keys(expected) as ListOrder[])(
  '%s: every thing appears once, in order, and is counted',
  async (orderBy) => {
    const all = { ids: expected[orderBy], count: live.length };
    expect(await whole({ orderBy })).toEqual(all);
    expect(await whole({ orderBy, projects: ['one', 'two'] })).toEqual(all);
    const own = live.filter(({ project }) => project === 'one').map(({ id }) => id);
    const ids = expected[orderBy].filter((id) => own.includes(id));
    expect(await whole({ orderBy, projects: ['one'] })).toEqual({ ids, count: own.length });
    expect(await whole({ orderBy, projects: [] })).toEqual({ ids: [], count: 0 });
  },
);

test.each(Object.keys(expected) as ListOrder[])('%s: filters by name', async (orderBy) => {
  const names = [live[3]?.name ?? '', live[8]?.name ?? '', 'none', rows[0]?.name ?? ''];
  const named = live.filter(({ name }) => names.includes(name)).map(({ id }) => id);
  const ids = expected[orderBy].filter((id) => named.includes(id));
  expect(ids).toHaveLength(2);
  expect(await whole({ orderBy, names })).toEqual({ ids, count: 2 });
  expect(await whole({ orderBy, names: [] })).toEqual({ ids: [], count: 0 });
  // SQL wildcards are ordinary characters, and case does not matter.
  const with1 = live.filter(({ name }) => name.startsWith('DB_1-1')).map(({ id }) => id);
  expect(await whole({ orderBy, text: 'b_1-1' })).toEqual({
    ids: expected[orderBy].filter((id) => with1.includes(id)),
    count: with1.length,
  });
  expect(await whole({ orderBy, text: '%' })).toEqual({ ids: [], count: 0 });
  expect(await whole({ orderBy, text: '\\' })).toEqual({ ids: [], count: 0 });
});

test.each(Object.keys(expected) as ListOrder[])('%s: filters by state and by expiry', async (orderBy) => {
  const idsOf = (matches: (row: (typeof rows)[number]) => boolean) => {
    const matching = live.filter(matches).map(({ id }) => id);
    return { ids: expected[orderBy].filter((id) => matching.includes(id)), count: matching.length };
  };
  const failed = idsOf(({ status }) => status === 'ERROR');
  expect(failed.count).toBe(16);
  for (const projects of ['all', ['one', 'two']] as const) {
    expect(await whole({ orderBy, projects, operatingStatuses: ['ERROR', 'ERROR', 'OFFLINE'] })).toEqual(failed);
    const unlike = idsOf(({ status }) => status !== 'ONLINE');
    expect(await whole({ orderBy, projects, operatingStatuses: ['ERROR', 'UNKNOWN'] })).toEqual(unlike);
    expect(await whole({ orderBy, projects, operatingStatuses: [] })).toEqual({ ids: [], count: 0 });
    const expiresBefore = new Date(Date.UTC(2026, 0, 1) + 10 * hour);
    const early = idsOf(({ endsAt }) => endsAt < expiresBefore);
    expect(await whole({ orderBy, projects, expiresBefore })).toEqual(early);
    const both = idsOf(({ endsAt, status }) => endsAt < expiresBefore && status === 'ONLINE');
    expect(await whole({ orderBy, projects, expiresBefore, operatingStatuses: ['ONLINE'] })).toEqual(both);
    const name = live.find(({ status }) => status === 'ERROR')?.name ?? '';
    const named = idsOf((row) => row.name === name && row.status === 'ERROR');
    expect(await whole({ orderBy, projects, names: [name], operatingStatuses: ['ERROR'] })).toEqual(named);
  }
});

test('a cursor of another order, too many names and a text that is too long are refused', async () => {
  const { pageInfo } = await pageOf({ orderBy: 'NEWEST', first: 2 });
  const refused = (filter: Partial<ListFilter>) =>
    expect(pageOf(filter)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^\w+: .*give|omit/),
    });
  await refused({ orderBy: 'OLDEST', after: pageInfo.endCursor });
  await refused({ orderBy: 'NAME', after: pageInfo.endCursor });
  for (const time of ['2026', '', '2026-13-01T00:00:00.000', "2026-01-01T00:00:00.000' OR '1"])
    await refused({ orderBy: 'EXPIRY', after: JSON.stringify(['EXPIRY', time, 'i1']) });
  for (const orderBy of Object.keys(expected) as ListOrder[])
    await refused({ orderBy, names: Array.from({ length: 101 }, (_, at) => `n${at}`) });
  await refused({ text: 'x'.repeat(256) });
});

test('more than 10,000 things are not counted', async () => {
  const fill = `INSERT INTO thing SELECT CONCAT('m', seq), 'many', CONCAT('m', seq), NULL, NULL, NULL FROM seq_1_to_${mostCounted}`;
  await ground.db.execute(fill);
  expect(await (await pageOf({ projects: ['many'] })).count?.()).toBe(mostCounted);
  expect(await (await pageOf({ projects: ['many'], text: 'm77' })).count?.()).toBe(111);
  expect(await (await pageOf({ projects: ['many', 'one'] })).count?.()).toBeNull();
  // A name is found quickly among them, in each order.
  const names = ['m9876', 'm5', 'm5'];
  const found = await pageOf({ orderBy: 'NEWEST', projects: ['many', 'one'], names });
  expect(found.nodes.map(({ id }) => id)).toEqual(['m9876', 'm5']);
  expect(await found.count?.()).toBe(2);
  // The limit applies to the rows that were read, not to the rows that matched.
  expect(await (await pageOf({ text: 'web' })).count?.()).toBeNull();
});
