// The planner runs in its own process. An operation that harms the process affects only itself.
// needs: processes
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ProcessPlanner } from '../../../gateway/execution/process-planner.ts';
import { forCaller } from '../../../platform/caller/caller.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { isAlive } from '../support/is-alive.ts';
import { head, usePlanners } from './support/federation.ts';

usePlanners();

const program = join(import.meta.dirname, 'support', 'odd-planner.mjs');
const log = pino({ level: 'silent' });
const anySdl = 'type Query { any: Int }';
let planner: ProcessPlanner | undefined;

afterEach(() => planner?.close());

function odd(options: Partial<ConstructorParameters<typeof ProcessPlanner>[0]> = {}): ProcessPlanner {
  planner = new ProcessPlanner({ supergraphSdl: anySdl, program, log, ...options });
  return planner;
}

/** The pid of the process that made the plan. */
async function madeBy(text: string): Promise<number | undefined> {
  const plan = (await planner?.plan(text)) as unknown as { readonly made: number } | undefined;
  return plan?.made;
}

/** Planner 0.0.38 aborts on the volume of an order from `orders`, because that subgraph does not have the common key. */
const aborting = new Map(
  Object.entries({
    orders: 'type Query { order: Order hello: String } type Order @key(fields: "id", resolvable: false) { id: ID! }',
    shops: 'type Query { shop: Order } type Order @key(fields: "code", resolvable: false) { code: ID! }',
    stores: 'type Query { store: Order } type Order @key(fields: "code", resolvable: false) { code: ID! }',
    pictures: 'type Order @key(fields: "code") { code: ID! media: Media } type Media { size: Int }',
    owner: `type Order @key(fields: "id") @key(fields: "code")
        { id: ID! code: ID! color: String media: Media @external volume: Int @requires(fields: "media { size }") }
      type Media { size: Int @external }`,
  }).map(([name, sdl]) => [name, head + sdl]),
);

const notPlanned = expect.objectContaining({ code: 'NOT_PLANNED' });

test('the real planner makes plans, refuses an invalid supergraph, and survives an operation that aborts it', async () => {
  await expect(new ProcessPlanner({ supergraphSdl: 'type Query {', log }).start()).rejects.toThrow(
    'the planner does not take the supergraph',
  );
  let byFields = 0;
  const onPlannedByFields = () => (byFields += 1);
  planner = new ProcessPlanner({ supergraphSdl: composeSupergraph(aborting), log, onPlannedByFields });
  await planner.start();
  expect(await planner.plan('{hello}')).toMatchObject({ kind: 'Fetch', serviceName: 'orders' });
  // The operation is planned field by field: first the key of the pictures, then their size.
  expect(await planner.plan('{order{volume}}')).toMatchObject({ kind: 'Sequence', nodes: { length: 4 } });
  expect(await planner.plan('{order{color}}')).toMatchObject({ kind: 'Sequence' });
  expect(byFields).toBe(1);
}, 60_000);

test('operations wait for one another; one that ends the process is refused, and the others get their plans', async () => {
  odd();
  const before = await madeBy('{a}');
  const [first, ended, next] = await Promise.allSettled([madeBy('{b}'), planner?.plan('{end}'), madeBy('{c}')]);
  expect(first).toEqual({ status: 'fulfilled', value: before });
  expect(ended).toEqual({ status: 'rejected', reason: notPlanned });
  expect(next).toMatchObject({ status: 'fulfilled' });
  const after = await madeBy('{d}');
  expect(after).not.toBe(before);
  // The operation is not tried again.
  await expect(planner?.plan('{end}')).rejects.toEqual(notPlanned);
  expect(await madeBy('{e}')).toBe(after);
});

test('an operation that ended the process is tried again later, because another one may have been the cause', async () => {
  odd({ lostForMs: 1 });
  await expect(planner?.plan('{end}')).rejects.toEqual(notPlanned);
  const before = await madeBy('{a}');
  await expect(planner?.plan('{end}')).rejects.toEqual(notPlanned);
  expect(await madeBy('{b}')).not.toBe(before);
});

test('users take turns, so that operations of one user wait for few of another', async () => {
  odd();
  const order: string[] = [];
  const planOf = async (caller: string, text: string) => {
    await forCaller(caller, () => madeBy(text));
    order.push(caller);
  };
  await Promise.all([
    ...Array.from({ length: 50 }, (_, number) => planOf('flooder', `{a${number}}`)),
    planOf('other', '{other}'),
  ]);
  expect(order.slice(0, 3)).toEqual(['flooder', 'flooder', 'other']);
});

test('a planner that is not needed ends, and the next operation starts another one', async () => {
  odd({ restMs: 50 });
  const before = await madeBy('{a}');
  await until(() => !isAlive(before));
  const after = await madeBy('{b}');
  expect([typeof after, after === before]).toEqual(['number', false]);
});

test('an operation without a plan does not affect the process', async () => {
  odd();
  const before = await madeBy('{a}');
  await expect(planner?.plan('{none}')).rejects.toEqual(notPlanned);
  expect(await madeBy('{b}')).toBe(before);
});

test('the log records an operation without a plan, but no part of its text', async () => {
  const lines: string[] = [];
  odd({ log: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }) });
  await expect(planner?.plan('{none(a:"the \\" secret", b: 3)}')).rejects.toEqual(notPlanned);
  expect(lines.map((line) => JSON.parse(line).operation)).toEqual(['{none(a:"", b: 3)}']);
});

test('an operation that takes too long ends the process', async () => {
  odd({ deadlineMs: 500 });
  const before = await madeBy('{a}');
  const [late, next] = await Promise.allSettled([planner?.plan('{never}'), madeBy('{b}')]);
  expect(late).toEqual({ status: 'rejected', reason: notPlanned });
  expect(next).toMatchObject({ status: 'fulfilled' });
  expect(isAlive(before)).toBe(false);
});

test('operations beyond the queue limit are refused', async () => {
  odd({ mostWaiting: 2 });
  await planner?.start();
  const all = await Promise.allSettled(['{a}', '{b}', '{c}', '{d}', '{e}'].map(madeBy));
  // One operation is already in the process.
  expect(all.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'fulfilled', 'fulfilled'],
    ...['rejected', 'rejected'],
  ]);
  expect(all.at(-1)).toMatchObject({ reason: { code: 'BUSY', details: { retryAfterMs: expect.any(Number) } } });
});

test.each(['refused', 'ends'])('a process that rejects the supergraph (%s) fails the start', async (supergraphSdl) => {
  await expect(odd({ supergraphSdl }).start()).rejects.toThrow('the planner does not take the supergraph');
});

test('a start may take longer than an operation, and operations do not end it', async () => {
  odd({ supergraphSdl: `# slow 3000\n${anySdl}`, deadlineMs: 1_000 });
  const starting = planner?.start();
  await expect(planner?.plan('{early}')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    details: { retryAfterMs: 1_000 },
  });
  await starting;
  // The operation was not refused permanently.
  expect(await madeBy('{early}')).toBeGreaterThan(0);
  await expect(odd({ supergraphSdl: `# slow 60000\n${anySdl}`, startBudgetMs: 50 }).start()).rejects.toThrow(
    'within 50 ms',
  );
});

test('close ends a process that is still starting', async () => {
  const starting = odd({ supergraphSdl: `# slow 60000\n${anySdl}` }).start();
  planner?.close();
  await expect(starting).rejects.toThrow('it was ended');
});

test('close ends the process, and nothing is planned afterwards', async () => {
  odd();
  const pid = await madeBy('{a}');
  planner?.close();
  await expect(planner?.plan('{b}')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await until(() => !isAlive(pid));
});

test('an operation that two users wait for is planned once, in the earlier of their turns', async () => {
  odd();
  const order: string[] = [];
  const planOf = async (caller: string, text: string) => {
    await forCaller(caller, () => madeBy(text));
    order.push(`${caller} ${text}`);
  };
  await Promise.all([
    ...Array.from({ length: 20 }, (_, number) => planOf('flooder', `{a${number}}`)),
    planOf('flooder', '{count shared}'),
    planOf('other', '{count shared}'),
  ]);
  expect(order.indexOf('other {count shared}')).toBeLessThan(3);
  const plan = (await planner?.plan('{count}')) as unknown as { readonly counted: number };
  expect(plan.counted).toBe(2);
});
