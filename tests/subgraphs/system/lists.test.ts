// Lists of the system subgraph, as an administrator and as a member of one project: orders, cursors, name filters and
// counts.
import { beforeAll, expect, test } from '@jest/globals';

import type { Identity } from '../../../platform/caller/identity.ts';
import type { HaCluster, HaMove } from '../../../platform/process/ha-cluster.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { orders } from '../support/orders.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const moves: readonly HaMove[] = [3, 2, 1].map((epoch) => ({
  ...{
    id: `0192d5a0-0000-7000-8000-00000000000${epoch}`,
    version: 3,
    kind: 'FAILOVER',
    state: epoch === 2 ? 'FAILED' : 'SUCCEEDED',
    reason: 'test',
    epoch,
    primary: 'a',
    previous: 'b',
    // Two have the same time.
    createdAt: new Date(Math.min(epoch, 2)),
    updatedAt: new Date(0),
    startedAt: new Date(0),
    finishedAt: new Date(0),
    gapMs: 1,
    acceptedLoss: null,
    leftBehind: [],
  },
}));

const bench = forFile(() => systemBench({ haCluster: { moves: async () => moves } as unknown as HaCluster }));
let admin: Identity;
let operator: Identity;
const projects = new Map<string, string>();

beforeAll(async () => {
  for (const name of ['gamma', 'alpha', 'beta']) projects.set(name, await bench.system.firstStart.ensureProject(name));
  const alpha = projects.get('alpha') ?? '';
  admin = await makeUser(bench, 'root', { admin: true });
  operator = await makeUser(bench, 'anna', { projects: { [alpha]: 'OPERATOR' } });
  await makeUser(bench, 'Bert', { projects: { [alpha]: 'VIEWER', [projects.get('beta') ?? '']: 'VIEWER' } });
  for (const [project, name] of [
    ['beta', 'web'],
    ['alpha', 'web'],
    ['alpha', 'DB_1'],
  ] as const) {
    const input = { projectId: encodeId('Project', projects.get(project) ?? ''), name, role: 'VIEWER' };
    const { data } = await bench.ask(
      admin,
      'mutation ($input: ApiTokenCreateInput!) { apiTokenCreate(input: $input) { userErrors { code } } }',
      { input },
    );
    expect(data.apiTokenCreate?.userErrors).toEqual([]);
  }
  for (const [at, name] of ['m2', 'm1'].entries())
    await bench.db.execute(
      "INSERT INTO machine (id, name, role, join_hash, join_until, created_by) VALUES (?, ?, 'gslb', ?, NOW(3), ?)",
      [`00000000-0000-7000-8000-00000000000${at}`, name, name.repeat(32), admin.id],
    );
  for (const [at, name] of ['p2', 'p1', 'q3'].entries())
    await bench.db.execute(
      "INSERT INTO process_keys (owner, name, `keys`, started_at) VALUES (?, ?, '{}', FROM_UNIXTIME(?))",
      [`00000000-0000-7000-8000-00000000000${at}`, name, 1_000 + at],
    );
}, 120_000);

interface List {
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
  readonly totalCount: number | null;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

async function page(caller: Identity, field: string, selection: string, args = ''): Promise<List> {
  const text = `{ list: ${field}${args === '' ? '' : `(${args})`} { nodes { ${selection} } totalCount pageInfo { hasNextPage endCursor } } }`;
  const { data, errors } = await bench.ask(caller, text);
  expect(errors).toBeUndefined();
  return (data as unknown as { list: List }).list;
}

async function names(caller: Identity, field: string, args = ''): Promise<unknown[]> {
  const { nodes, totalCount } = await page(caller, field, 'name', args);
  return [totalCount, ...nodes.map(({ name }) => name)];
}

orders(
  'system',
  async (who, text) => {
    const { data, errors } = await bench.ask(who === 'admin' ? admin : operator, text);
    if (errors !== undefined) throw new Error(errors[0]?.message);
    return data;
  },
  `
    projects      | admin    | gamma alpha beta
    projects      | operator | alpha
    users         | admin    | root anna Bert
    # Their names are not unique.
    apiTokens     | admin    | web web DB_1
    apiTokens     | operator | web DB_1
    machines      | admin    | m2 m1
    processes     | admin    | p2 p1 q3
    alertRules    | admin    |
    alertChannels | admin    |
    publishedOperations | admin |
    appliedObjects      | admin | | source`,
);

test("another project's objects are not found, and not counted", async () => {
  expect(await names(operator, 'projects', 'names: ["beta"]')).toEqual([0]);
  expect(await names(operator, 'projects', 'text: "et"')).toEqual([0]);
  const beta = encodeId('Project', projects.get('beta') ?? '');
  expect(await names(operator, 'apiTokens', `projectId: "${beta}"`)).toEqual([0]);
});

test('tokens of one user', async () => {
  const of = (id: string) => names(admin, 'apiTokens', `userId: "${id}", orderBy: NAME`);
  expect(await of(encodeId('User', admin.id))).toEqual([3, 'DB_1', 'web', 'web']);
  expect(await of(encodeId('User', operator.id))).toEqual([0]);
  expect(await of(encodeId('Project', projects.get('beta') ?? ''))).toEqual([0]);
});

test('the audit trail: oldest or newest first, page by page, and counted for its reader', async () => {
  const all = await page(admin, 'auditEntries', 'id');
  const { nodes, totalCount, pageInfo } = await page(admin, 'auditEntries', 'id', 'orderBy: OLDEST, first: 2');
  const after = JSON.stringify(pageInfo.endCursor);
  const rest = await page(admin, 'auditEntries', 'id', `orderBy: OLDEST, after: ${after}`);
  expect([...nodes, ...rest.nodes]).toEqual(all.nodes.toReversed());
  expect(totalCount).toBe(all.nodes.length);
  // The project's creation and its two tokens.
  const own = await page(operator, 'auditEntries', 'action project { name }');
  expect(own.nodes.map(({ action }) => action)).toEqual(['apiTokenCreate', 'apiTokenCreate', 'ensureProject']);
  expect(own.nodes.every(({ project }) => (project as { name: string }).name === 'alpha')).toBe(true);
  expect(own.totalCount).toBe(3);
});

test('moves of the primary', async () => {
  expect(await page(admin, 'haMoves', 'timelineEpoch', 'first: 2')).toMatchObject({
    nodes: [{ timelineEpoch: 3 }, { timelineEpoch: 2 }],
    totalCount: 3,
  });
  const { pageInfo } = await page(admin, 'haMoves', 'timelineEpoch', 'orderBy: OLDEST, first: 1');
  const args = `orderBy: OLDEST, after: ${JSON.stringify(pageInfo.endCursor)}`;
  expect((await page(admin, 'haMoves', 'timelineEpoch', args)).nodes).toEqual([
    { timelineEpoch: 2 },
    { timelineEpoch: 3 },
  ]);
  const newest = await page(admin, 'haMoves', 'timelineEpoch', 'first: 1');
  const rest = await page(admin, 'haMoves', 'timelineEpoch', `after: ${JSON.stringify(newest.pageInfo.endCursor)}`);
  expect(rest.nodes).toEqual([{ timelineEpoch: 2 }, { timelineEpoch: 1 }]);
  const failed = await page(admin, 'haMoves', 'timelineEpoch state', 'states: [FAILED, PENDING]');
  expect(failed).toMatchObject({ nodes: [{ timelineEpoch: 2, state: 'FAILED' }], totalCount: 1 });
});

test('memberships count only what the caller may see', async () => {
  const members = '{ projects { nodes { name members { totalCount } } } }';
  expect((await bench.ask(admin, members)).data.projects?.nodes).toEqual([
    { name: 'alpha', members: { totalCount: 2 } },
    { name: 'beta', members: { totalCount: 1 } },
    { name: 'gamma', members: { totalCount: 0 } },
  ]);
  const ofBert = `{ projects { nodes { members { nodes { user { name memberships { totalCount nodes { project { name } } } } } } } } }`;
  const { data } = await bench.ask(operator, ofBert);
  expect(data.projects?.nodes[0]?.members?.nodes.map(({ user }) => user)).toEqual([
    { name: 'anna', memberships: { totalCount: 1, nodes: [{ project: { name: 'alpha' } }] } },
    { name: 'Bert', memberships: { totalCount: 1, nodes: [{ project: { name: 'alpha' } }] } },
  ]);
});

test.each(['auditEntries', 'haMoves'])('%s: a cursor of another order is refused', async (field) => {
  const { pageInfo } = await page(admin, field, '__typename', 'orderBy: NEWEST, first: 1');
  const text = `{ ${field}(orderBy: OLDEST, after: ${JSON.stringify(pageInfo.endCursor)}) { totalCount } }`;
  const { errors, codes } = await bench.ask(admin, text);
  expect(codes).toEqual(['INVALID_INPUT']);
  expect(errors?.[0]?.message).toMatch(/^after: .*another order; omit it/);
});

test.each(['auditEntries', 'statusHistory'])('%s: a cursor that is not a number is refused', async (field) => {
  const text = `{ ${field}(after: ${JSON.stringify(JSON.stringify(['NEWEST', 'x']))}) { totalCount } }`;
  expect((await bench.ask(admin, text)).codes).toEqual(['INVALID_INPUT']);
});
