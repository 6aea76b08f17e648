// The search for calls. Every filter finds the right calls page by page, the counts match the pages, and each search
// reads a bounded number of rows, however many calls others have.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database, type SqlValue } from '../../../../../platform/database/database.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import {
  countOperations,
  type OperationFilter,
  searchOperations,
} from '../../../../../subgraphs/relay/control/journal/operation-search.ts';
import { type OperationState, operationStates } from '../../../../../subgraphs/relay/rules/states.ts';
import { type TestDatabase, testDatabase } from '../../../../support/stores/database.ts';
import {
  type GraphResult,
  identity,
  projectA,
  projectB,
  projectId,
  type RelayNode,
  RelaySystem,
  registerBackend,
} from '../../support/relay-system.ts';

/** States that neither the queue nor recovery changes. */
const resting = operationStates.filter((state) => state !== 'PENDING' && state !== 'SENT');

interface Call {
  readonly id: string;
  readonly projectId: string;
  readonly backendId: string;
  readonly name: string;
  readonly state: OperationState;
  readonly cmpId: string | null;
  readonly errorMessage: string | null;
  readonly createdAt: Date;
}

const columns = `id, project_id, backend_id, name, effect, state, cmp_namespace, cmp_type, cmp_id, resource, scope, object_key,
  object_hash, arguments, call_deadline_ms, timeline, created_at, error_code, error_message, requested_by, request_id`;

async function insert(db: Database, calls: readonly Call[]): Promise<void> {
  const row = "(?, ?, ?, ?, 'IDEMPOTENT', ?, ?, ?, ?, 'rule', 's', 'k', 'h', '{}', 1, 1, ?, ?, ?, 'ann', 'req-7')";
  const values = calls.flatMap((call): SqlValue[] => [
    ...[call.id, call.projectId, call.backendId, call.name, call.state],
    ...(call.cmpId === null ? [null, null, null] : ['default', 'tenant', call.cmpId]),
    ...[call.createdAt, call.errorMessage === null ? null : 'DEVICE_REFUSED', call.errorMessage],
  ]);
  await db.execute(`INSERT INTO operation (${columns}) VALUES ${calls.map(() => row).join(', ')}`, values);
}

describe('the results of a search', () => {
  let system: RelaySystem;
  let node: RelayNode;
  const backends: { readonly id: string; readonly name: string; readonly project: string }[] = [];
  const calls: Call[] = [];
  const start = Date.parse('2026-01-31T12:00:00.000Z');

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    for (const [name, project] of [
      ['edge', projectA],
      ['core', projectA],
      ['theirs', projectB],
    ] as const) {
      const input = { name, host: '192.0.2.1', credentials: { username: 'u', password: 'p' } };
      const id = await registerBackend(node, input, identity('OPERATOR', project));
      const [row] = await node.db.query<{ id: string }>('SELECT id FROM backend WHERE name = ?', [name]);
      backends.push({ id: row?.id ?? id, name, project });
    }
    // Every combination in some order, with several calls in the same millisecond.
    for (let number = 0; number < 420; number += 1) {
      const backend = backends[number % 3];
      if (backend === undefined) break;
      calls.push({
        id: newUuid(start + ((number * 7919) % 420)),
        projectId: backend.project,
        backendId: backend.id,
        name: number % 2 === 0 ? 'rule.create' : 'rule.delete',
        state: resting[number % resting.length] ?? 'FAILED',
        cmpId: number % 5 === 0 ? null : String(number % 4),
        errorMessage: number % 11 === 0 ? `Table Full: 100%_of ${number}` : null,
        createdAt: new Date(start + Math.floor(number / 4)),
      });
    }
    await insert(node.db, calls);
  });
  afterAll(async () => {
    await node.db.execute('DELETE FROM operation');
    await system.stop();
  });

  const newestFirst = (a: Call, b: Call) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);
  const nameOf = (backendId: string) => backends.find(({ id }) => id === backendId)?.name ?? '';
  const textOf = (call: Call) =>
    [
      ...[call.name, call.state, call.cmpId === null ? '' : `default:tenant/${call.cmpId}`, nameOf(call.backendId)],
      ...[call.errorMessage === null ? '' : `DEVICE_REFUSED\n${call.errorMessage}`, 'ann', 'req-7'],
    ]
      .join('\n')
      .toLowerCase();

  interface Case {
    readonly args: Record<string, unknown>;
    readonly keeps: (call: Call) => boolean;
  }
  const at = (ms: number) => new Date(start + ms);
  const cases: Record<string, () => Case> = {
    'no filter': () => ({ args: {}, keeps: () => true }),
    'a project': () => ({
      args: { projectId: projectId(projectA) },
      keeps: ({ projectId: project }) => project === projectA,
    }),
    'a backend': () => ({
      args: { backendId: encodeId('Backend', backends[1]?.id ?? '') },
      keeps: ({ backendId }) => backendId === backends[1]?.id,
    }),
    'a backend of another project': () => ({
      args: { backendId: encodeId('Backend', backends[2]?.id ?? '') },
      keeps: ({ backendId }) => backendId === backends[2]?.id,
    }),
    states: () => ({
      args: { states: ['FAILED', 'UNKNOWN'] },
      keeps: ({ state }) => state === 'FAILED' || state === 'UNKNOWN',
    }),
    'no state': () => ({ args: { states: [] }, keeps: () => false }),
    'a CMP object': () => ({
      args: { cmpObject: { type: 'tenant', externalId: '2' } },
      keeps: ({ cmpId }) => cmpId === '2',
    }),
    'a name': () => ({ args: { names: ['rule.delete', 'none'] }, keeps: ({ name }) => name === 'rule.delete' }),
    'a time': () => ({
      args: { createdFrom: at(20).toISOString(), createdBefore: at(31).toISOString() },
      keeps: ({ createdAt }) => createdAt >= at(20) && createdAt < at(31),
    }),
    words: () => ({
      args: { text: ' FULL: edge\trule.C ' },
      keeps: (call) => ['full:', 'edge', 'rule.c'].every((word) => textOf(call).includes(word)),
    }),
    'words with wildcards': () => ({
      args: { text: '100%_of' },
      keeps: (call) => textOf(call).includes('100%_of'),
    }),
    'a CMP object as text': () => ({
      args: { text: 'tenant/3' },
      keeps: (call) => textOf(call).includes('tenant/3'),
    }),
    'an id as text': () => ({
      args: { text: encodeId('RelayOperation', calls[3]?.id ?? '') },
      keeps: ({ id }) => id === calls[3]?.id,
    }),
    'everything at once': () => ({
      args: {
        ...{
          projectId: projectId(projectA),
          backendId: encodeId('Backend', backends[0]?.id ?? ''),
          name: 'rule.create',
        },
        ...{ cmpObject: { namespace: 'default', type: 'tenant', externalId: '2' }, states: ['SUCCEEDED', 'ACCEPTED'] },
        ...{ text: 'ann', createdFrom: at(1).toISOString(), createdBefore: at(99).toISOString() },
      },
      keeps: (call) =>
        call.backendId === backends[0]?.id &&
        call.name === 'rule.create' &&
        call.cmpId === '2' &&
        (call.state === 'SUCCEEDED' || call.state === 'ACCEPTED') &&
        call.createdAt >= at(1) &&
        call.createdAt < at(99),
    }),
  };
  const declared = `$projectId: ID, $backendId: ID, $cmpObject: CmpObjectInput, $names: [String!], $text: String,
    $createdFrom: DateTime, $createdBefore: DateTime`;
  const given =
    'projectId: $projectId, backendId: $backendId, cmpObject: $cmpObject, names: $names, text: $text, createdFrom: $createdFrom, createdBefore: $createdBefore';
  const callers = [
    ['an administrator', identity('ADMIN'), () => true],
    ['a viewer', identity('VIEWER', projectA), (call: Call) => call.projectId === projectA],
    [
      'a viewer of two projects',
      { ...identity('VIEWER'), projects: { [projectA]: 'VIEWER', [projectB]: 'VIEWER' } as const },
      () => true,
    ],
  ] as const;

  interface Page {
    readonly relayOperations: {
      readonly nodes: readonly { readonly id: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  }

  describe.each(callers)('as %s', (_who, who, sees) => {
    test.each(Object.keys(cases))('%s', async (name) => {
      const { args, keeps } = cases[name]?.() ?? { args: {}, keeps: () => false };
      const expected = calls.filter((call) => sees(call) && keeps(call)).sort(newestFirst);
      const found: string[] = [];
      let after: string | null = null;
      for (;;) {
        const { data, errors }: GraphResult<Page> = await node.run<Page>(
          who,
          `query ($states: [LongRunningState!], $after: String, ${declared}) {
            relayOperations(states: $states, first: 16, after: $after, ${given}) { nodes { id } pageInfo { hasNextPage endCursor } } }`,
          { ...args, after },
        );
        expect(errors).toEqual([]);
        found.push(...data.relayOperations.nodes.map(({ id }) => id));
        after = data.relayOperations.pageInfo.endCursor;
        if (!data.relayOperations.pageInfo.hasNextPage) break;
      }
      expect(found).toEqual(expected.map(({ id }) => encodeId('RelayOperation', id)));

      const { states, ...counted } = args as { states?: unknown };
      const { data } = await node.run<{ relayOperationCounts: unknown }>(
        who,
        `query (${declared}) { relayOperationCounts(${given}) { state count complete } }`,
        counted,
      );
      const ofState = (state: OperationState) =>
        calls.filter((call) => sees(call) && call.state === state && (states !== undefined || keeps(call))).length;
      if (states === undefined)
        expect(data.relayOperationCounts).toEqual(
          operationStates.map((state) => ({ state, count: ofState(state), complete: true })),
        );
    });
  });

  test.each([
    ['a long text', { text: 'x'.repeat(201) }, 'text: its length is 201; at most 200 are allowed.'],
    ['many names', { names: Array(101).fill('x') }, 'names: 101 are too many; give at most 100.'],
    ['many words', { text: 'a b c d e f g h i' }, 'text: it has 9 words; at most 8 are allowed.'],
  ])('%s is refused', async (_what, args, message) => {
    for (const field of [
      'relayOperations(text: $text, names: $names) { nodes { id } }',
      'relayOperationCounts(text: $text, names: $names) { count }',
    ]) {
      const query = `query ($text: String, $names: [String!]) { ${field} }`;
      const { errors } = await node.run(identity('VIEWER'), query, args);
      expect(errors).toMatchObject([{ message, extensions: { code: 'INVALID_INPUT' } }]);
    }
  });
});

describe('the rows that a search reads', () => {
  const mine = projectA;
  const others = projectB;
  const [backend, otherBackend] = [newUuid(), newUuid()];
  const cmp = { namespace: 'default', type: 'tenant', externalId: '42' };
  const manyRows = 60_000;
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await testDatabase();
    // One connection outside of transactions, so its counters are those of the search.
    db = new Database({ connection: database.connection, connectionLimit: 2 });
    const fill = (project: string, on: string, count: number, states: string) =>
      db.execute(
        `INSERT INTO operation (${columns}) SELECT UUID(), ?, ?, 'rule.create', 'IDEMPOTENT', ${states}, 'default', 'tenant', '42',
          'rule', 's', 'k', 'h', '{}', 1, 1, '2026-01-31 12:00:00' - INTERVAL seq SECOND, NULL, NULL, 'ann', 'req'
          FROM seq_1_to_${count}`,
        [project, on],
      );
    for (const [id, project] of [
      [backend, mine],
      [otherBackend, others],
    ] as const)
      await db.execute(
        `INSERT INTO backend (id, project_id, name, family, driver, ordinal, host, port, concurrency, queue_limit, deadline_ms,
          crypto_profile, provisioning_status, operating_status)
          VALUES (?, ?, 'fw', 'FIREWALL', 'linux-nftables', 1, 'h', 22, 1, 1, 1, 'MODERN', 'ENABLED', 'ONLINE')`,
        [id, project],
      );
    await fill(others, otherBackend, manyRows, "IF(seq % 2 = 0, 'SUCCEEDED', 'FAILED')");
    await fill(mine, backend, 300, "'SUCCEEDED'");
    await fill(mine, backend, 5, "'UNKNOWN'");
    await db.execute('ANALYZE TABLE operation');
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  async function rowsRead(work: () => Promise<unknown>): Promise<number> {
    const before = await counter();
    await work();
    return (await counter()) - before;
  }
  async function counter(): Promise<number> {
    const rows = await db.query<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read%'");
    return rows.reduce((sum, { Value: value }) => sum + Number(value), 0);
  }
  const limit = 21;
  const after = { createdAt: new Date('2026-01-31T11:59:00.000Z'), id: newUuid() };
  const aPage = (filter: OperationFilter) => searchOperations(db, filter, { order: 'NEWEST', limit, after });

  const own: Record<string, OperationFilter> = {
    'of a project': { projects: [mine] },
    'of several projects': { projects: [mine, newUuid(), newUuid()] },
    'by state': { projects: [mine], states: ['UNKNOWN', 'FAILED'] },
    'of a backend': { projects: [mine], backendId: backend },
    'for a CMP object': { projects: [mine], cmp },
    'for a CMP object, by state': { projects: [mine], cmp, states: ['UNKNOWN'] },
    'by name': { projects: [mine], names: ['none'] },
    'by text': { projects: [mine], text: 'none' },
    'by time': { projects: [mine], createdFrom: new Date('2026-01-31T11:58:00.000Z') },
    "of others' backend": { projects: [mine], backendId: otherBackend },
  };
  test.each(Object.keys(own))('%s: does not read the calls of others', async (name) => {
    const filter = own[name] ?? { projects: [] };
    expect(await rowsRead(() => aPage(filter))).toBeLessThan(2_000);
    expect(await rowsRead(() => countOperations(db, filter))).toBeLessThan(2_000);
  });

  const dense: Record<string, OperationFilter> = {
    'of all': { projects: 'all' },
    'of a project': { projects: [others] },
    'by a rare state, of all': { projects: 'all', states: ['UNKNOWN'] },
    'by a state that none has': { projects: 'all', states: ['REJECTED'] },
    'of a backend': { projects: [others], backendId: otherBackend },
    'for a CMP object, of all': { projects: 'all', cmp },
    'by an old time': { projects: [others], createdBefore: new Date('2026-01-31T00:00:00.000Z') },
    'an id': { projects: 'all', text: encodeId('RelayOperation', newUuid()) },
  };
  test.each(Object.keys(dense))('%s: a page that an index serves reads little more than the page', async (name) => {
    expect(await rowsRead(() => aPage(dense[name] ?? { projects: [] }))).toBeLessThan(1_000);
  });

  const scanned: Record<string, OperationFilter> = {
    'by text': { projects: [others], text: 'none' },
    'by text, of all': { projects: 'all', text: 'none' },
    'by name, on a backend': { projects: [others], backendId: otherBackend, names: ['none'] },
    'by state, for a CMP object': { projects: [others], cmp, states: ['UNKNOWN'] },
  };
  test.each(Object.keys(scanned))('%s: a page and the counts read a bounded part', async (name) => {
    const filter = scanned[name] ?? { projects: [] };
    expect(await rowsRead(() => aPage(filter))).toBeLessThan(manyRows);
    expect(await rowsRead(() => countOperations(db, filter))).toBeLessThan(2 * manyRows);
    expect((await aPage(filter)).lookedTo).toBeDefined();
  });

  test('a rare text is found at the end of the search, and its counts state what they leave out', async () => {
    await db.execute("UPDATE operation SET name = 'needle' WHERE project_id = ? ORDER BY created_at LIMIT 1", [others]);
    const filter = { projects: [others], text: 'needle' };
    let place: Awaited<ReturnType<typeof aPage>>['lookedTo'];
    let pages = 0;
    for (;;) {
      const { places, lookedTo } = await searchOperations(db, filter, { order: 'NEWEST', limit, after: place });
      pages += 1;
      expect(pages).toBeLessThan(20);
      if (lookedTo === undefined) {
        expect(places).toHaveLength(1);
        break;
      }
      expect(places).toEqual([]);
      place = lookedTo;
    }
    expect(pages).toBeGreaterThan(1);
    const counts = await countOperations(db, filter);
    expect(counts.find(({ state }) => state === 'SUCCEEDED')).toEqual({
      state: 'SUCCEEDED',
      count: 0,
      complete: false,
    });
    expect(counts.find(({ state }) => state === 'UNKNOWN')).toEqual({ state: 'UNKNOWN', count: 0, complete: true });
  });
});
