// A flood of documents fills the caches that any client can fill. Published operations have separate caches, and documents in use are
// protected.
// needs: load
import { afterEach, expect, jest, test } from '@jest/globals';
import { type DocumentNode, parse } from 'graphql';
import { pino } from 'pino';
import { defaultLimits } from '../../../gateway/access/limits.ts';
import { hashIn, Operations } from '../../../gateway/access/operations.ts';
import { PublishedOperations } from '../../../gateway/access/published-operations.ts';
import { CompiledExecutor } from '../../../gateway/execution/compiled-executor.ts';
import type { Planner } from '../../../gateway/execution/planner.ts';
import type { Executor } from '../../../gateway/supergraph/executor.ts';
import { PublishedExecutor } from '../../../gateway/supergraph/published-executor.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { testIdentity } from '../support/gateway.ts';
import { inProcessJudge } from '../support/in-process-judge.ts';
import { sha256 } from '../support/published-subgraph.ts';
import { alphaSdl } from '../support/subgraphs.ts';

const text = 'query Thing($id: ID!) { thing(id: $id) { name } }';
const hash = sha256(text);

afterEach(() => void jest.restoreAllMocks());

/** A clock that the test sets. */
function stoppedClock(): { nowMs: number } {
  // Whole milliseconds: with fractions, a second later may be a hair less than a second later.
  const clock = { nowMs: Math.ceil(performance.now()) };
  jest.spyOn(performance, 'now').mockImplementation(() => clock.nowMs);
  return clock;
}

test('a flood of other documents evicts no published operation and no plan of one', async () => {
  const known = new PublishedOperations();
  known.replace(new Map([[hash, text]]));
  const supergraph = new Supergraph(composeSupergraph(new Map([['alpha', alphaSdl]])));
  const limits = { ...defaultLimits, maxAliases: 1_000, maxRootFields: 1_000 };
  const operations = new Operations(supergraph, limits, inProcessJudge(supergraph, limits), {
    published: known,
    acceptance: { check: () => {}, examine: () => {} },
  });
  const ann = testIdentity('ann');
  const other = '{ caller }';
  await operations.admit({ query: text }, ann);
  await operations.admit({ query: other }, ann);
  const fields = Array.from({ length: 500 }, (_field, index) => `a${index}: caller`).join(' ');
  for (let each = 0; each < 400; each += 1) await operations.admit({ query: `query Flood${each} { ${fields} }` }, ann);
  expect(operations.known(sha256(other))).toBeUndefined();
  expect(operations.known(hash)).toBeDefined();

  const planned: string[] = [];
  const noting = (name: string) =>
    ({
      execute: async () => ({ data: { name } }),
      prepare: async () => void planned.push(name),
    }) as unknown as Executor;
  const executor = new PublishedExecutor({
    ...{ published: noting('published'), others: noting('others') },
    isPublished: (key) => known.has(hashIn(key)),
  });
  for (const query of [text, other]) {
    const { key, document } = await operations.admit({ query }, ann);
    await executor.prepare({ key, document });
  }
  expect(planned).toEqual(['published', 'others']);
}, 60_000);

test('a flood evicts no document in use and no plan of one', async () => {
  const clock = stoppedClock();
  const supergraph = new Supergraph(composeSupergraph(new Map([['alpha', alphaSdl]])));
  const limits = { ...defaultLimits, maxAliases: 1_000, maxRootFields: 1_000 };
  const operations = new Operations(supergraph, limits, inProcessJudge(supergraph, limits));
  const planned: string[] = [];
  const planner: Planner = {
    async plan(operation) {
      planned.push(operation);
      return undefined;
    },
  };
  const log = pino({ level: 'silent' });
  const executor = new CompiledExecutor({ supergraph, planner, links: new Map(), log });
  const send = async (query: string): Promise<void> => {
    const { key, document } = await operations.admit({ query }, testIdentity('ann'));
    await executor.prepare({ key, document });
  };
  await send('query Used { caller }');
  await send('query Once { caller coded }');
  clock.nowMs += 1_000;
  await send('query Used { caller }');
  const fields = Array.from({ length: 500 }, (_field, index) => `a${index}: caller`).join(' ');
  for (let each = 0; each < 150; each += 1)
    await operations.admit({ query: `query Flood${each} { ${fields} }` }, testIdentity('ann'));
  expect(operations.known(sha256('query Once { caller coded }'))).toBeUndefined();
  expect(operations.admit({ query: 'query Used { caller }' }, testIdentity('ann'))).not.toBeInstanceOf(Promise);

  const large = 'x'.repeat(60_000);
  const floods = Array.from({ length: 200 }, (_flood, each) => parse(`{ thing(id: "${each} ${large}") { name } }`));
  for (const [each, document] of floods.entries()) await executor.prepare({ key: `flood/${each}`, document });
  planned.length = 0;
  await send('query Used { caller }');
  expect(planned).toEqual([]);
  await executor.prepare({ key: 'flood/0', document: floods[0] as DocumentNode });
  expect(planned).toHaveLength(1);
}, 60_000);

test('a user who sends each document twice, a second apart, evicts no document that another user needs', async () => {
  const clock = stoppedClock();
  const supergraph = new Supergraph(composeSupergraph(new Map([['alpha', alphaSdl]])));
  const limits = { ...defaultLimits, maxAliases: 1_000, maxRootFields: 1_000 };
  const operations = new Operations(supergraph, limits, inProcessJudge(supergraph, limits));
  const [ann, eve] = [testIdentity('ann'), testIdentity('eve')];
  const used = 'query Used { caller }';
  await operations.admit({ query: used }, ann);
  clock.nowMs += 1_000;
  await operations.admit({ query: used }, ann);
  const fields = Array.from({ length: 500 }, (_field, index) => `a${index}: caller`).join(' ');
  for (let each = 0; each < 125; each += 1) {
    const query = `query Flood${each} { ${fields} }`;
    await operations.admit({ query }, eve);
    clock.nowMs += 1_000;
    expect(operations.admit({ query }, eve)).not.toBeInstanceOf(Promise);
  }
  expect(operations.admit({ query: used }, ann)).not.toBeInstanceOf(Promise);
}, 60_000);
