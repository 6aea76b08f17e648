// A document that the gateway does not know is judged once, in its user's turn, and does not delay other users.
import { expect, test } from '@jest/globals';
import type { Judge, Question } from '../../../gateway/access/document-judge.ts';
import { defaultLimits, type OperationLimits } from '../../../gateway/access/limits.ts';
import { type AdmittedOperation, Operations } from '../../../gateway/access/operations.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { testIdentity } from '../support/gateway.ts';
import { inProcessJudge } from '../support/in-process-judge.ts';
import { alphaSdl } from '../support/subgraphs.ts';

const supergraph = new Supergraph(composeSupergraph(new Map([['alpha', alphaSdl]])));
const [ann, bob] = [testIdentity('ann'), testIdentity('bob')];

/** Records each request to the real judge. */
function noting(given: Partial<OperationLimits> = {}) {
  const limits = { ...defaultLimits, ...given };
  const real = inProcessJudge(supergraph, limits);
  const asked: Question[] = [];
  const judge: Judge = {
    async judge(question) {
      asked.push(question);
      await new Promise((resolve) => setImmediate(resolve));
      return real.judge(question);
    },
  };
  return { asked, operations: new Operations(supergraph, limits, judge) };
}

const outcomes = (admissions: readonly (AdmittedOperation | Promise<AdmittedOperation>)[]) =>
  Promise.allSettled(admissions.map(async (admission) => (await admission).hash));

test('a document that arrives a hundred times at once, from two users, is judged once', async () => {
  const { asked, operations } = noting();
  const query = '{ caller }';
  const all = await outcomes(
    Array.from({ length: 100 }, (_, index) => operations.admit({ query }, index % 2 ? ann : bob)),
  );
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['fulfilled']));
  expect(asked).toHaveLength(1);
  // Known documents are admitted without waiting.
  expect(operations.admit({ query }, ann)).not.toBeInstanceOf(Promise);
});

test('a refused document is judged once, and its refusal is remembered', async () => {
  const { asked, operations } = noting({ refusedKibPerMinute: 2 });
  const query = '{ caler }';
  const all = await outcomes(Array.from({ length: 100 }, () => operations.admit({ query }, ann)));
  expect(all).toEqual(Array(100).fill(all[0]));
  expect(all[0]).toMatchObject({ status: 'rejected', reason: { faults: [{ message: expect.any(String) }] } });
  expect(asked).toHaveLength(1);
  await expect(operations.admit({ query }, bob)).rejects.toThrow('Cannot query field');
  await expect(operations.admit({ query: '{ caller }' }, ann)).resolves.toBeDefined();
  expect(asked).toHaveLength(2);
});

test('a request beyond a limit does not affect a request with the same document within it', async () => {
  const { asked, operations } = noting();
  const query = 'query Q($n: Int!) { things(first: $n) { nodes { id } } }';
  const [beyond, within] = await outcomes([
    operations.admit({ query, variables: { n: 25_001 } }, ann),
    operations.admit({ query, variables: { n: 1 } }, ann),
  ]);
  expect(beyond).toMatchObject({ status: 'rejected', reason: { code: 'LIMIT_EXCEEDED' } });
  expect(within?.status).toBe('fulfilled');
  expect(asked).toHaveLength(2);
});

test('a document that is too large is refused without the judge', async () => {
  const { asked, operations } = noting();
  await expect(operations.admit({ query: `{ ${'caller '.repeat(4_000)} }` }, ann)).rejects.toThrow('tokens');
  await expect(operations.admit({ query: `{ a(b: ${'['.repeat(100)}) }` }, ann)).rejects.toThrow('nesting');
  expect(asked).toHaveLength(0);
});

test('a document that is too large for a token count is judged', async () => {
  const { asked, operations } = noting();
  await expect(operations.admit({ query: `{ ${'caller '.repeat(5_000)} }` }, ann)).rejects.toThrow('tokens');
  expect(asked).toHaveLength(1);
});

test('a flood of one user leaves the next turn to another user, and is refused at a limit', async () => {
  const { asked, operations } = noting({ maxRootFields: 1_000 });
  const flood = Array.from({ length: 150 }, (_, index) => operations.admit({ query: `{ f${index}: caller }` }, ann));
  const other = operations.admit({ query: '{ other: caller }' }, bob);
  const all = await outcomes(flood);
  await other;
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
  expect(all.at(-1)).toMatchObject({ reason: { code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } } });
  expect(asked.findIndex(({ text }) => text.includes('other'))).toBeLessThan(3);
});
