// A flood of documents fills the caches that anyone can fill: published operations have others, and what is in use is protected.
import { expect, test } from '@jest/globals';
import { defaultLimits } from '../../../gateway/access/limits.ts';
import { hashIn, Operations } from '../../../gateway/access/operations.ts';
import { PublishedOperations } from '../../../gateway/access/published-operations.ts';
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

test('a flood of other documents evicts no published one, nor its plan', async () => {
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
});
