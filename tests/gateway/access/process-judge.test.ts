// The judge runs in its own process. A document that harms the process affects only itself.
// needs: processes
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { defaultLimits } from '../../../gateway/access/limits.ts';
import { ProcessJudge } from '../../../gateway/access/process-judge.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { isAlive } from '../support/is-alive.ts';
import { alphaSdl } from '../support/subgraphs.ts';

const program = join(import.meta.dirname, 'support', 'odd-judge.mjs');
const log = pino({ level: 'silent' });
let judge: ProcessJudge | undefined;

afterEach(() => judge?.close());

function odd(options: Partial<ConstructorParameters<typeof ProcessJudge>[0]> = {}): ProcessJudge {
  judge = new ProcessJudge({ supergraphSdl: 'any', limits: defaultLimits, program, log, ...options });
  return judge;
}

const verdictOf = (text: string) => judge?.judge({ text, operationName: undefined, request: undefined });

/** The pid of the process that gave the verdict. */
async function judgedBy(text: string): Promise<number> {
  const verdict = await verdictOf(text);
  return verdict?.kind === 'valid' ? verdict.tokens : 0;
}

const lost = { kind: 'refused', code: 'LIMIT_EXCEEDED', details: { limit: 'milliseconds to check a document' } };

test('the real judge judges, and refuses to start with an invalid supergraph', async () => {
  await expect(new ProcessJudge({ supergraphSdl: 'type Query {', limits: defaultLimits, log }).start()).rejects.toThrow(
    'the judge does not start',
  );
  const supergraphSdl = composeSupergraph(new Map([['alpha', alphaSdl]]));
  judge = new ProcessJudge({ supergraphSdl, limits: defaultLimits, log });
  await judge.start();
  expect(await verdictOf('{ caller }')).toEqual({ kind: 'valid', tokens: 3 });
  expect(await verdictOf('{ thing(id: """a\n b""") { id } }')).toMatchObject({
    kind: 'valid',
    text: expect.stringContaining('"a\\nb"'),
  });
  expect(await verdictOf('{ caler }')).toMatchObject({
    ...{ kind: 'invalid', ofDocument: true },
    faults: [{ locations: [{ line: 1, column: 3 }], extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
  });
}, 60_000);

test.each(['end', 'memory'])(
  'a document that ends the process (%s) is refused, and the next one is judged',
  async (text) => {
    odd({ memoryMiB: 32, deadlineMs: 30_000 });
    const before = await judgedBy('{a}');
    expect(await verdictOf(text)).toMatchObject(lost);
    const after = await judgedBy('{b}');
    expect([after > 0, after === before, isAlive(before)]).toEqual([true, false, false]);
    // The document is not tried again.
    expect(await verdictOf(text)).toMatchObject(lost);
    expect(await judgedBy('{c}')).toBe(after);
  },
);

test('a judge that is not needed ends, and the next document starts another one', async () => {
  odd({ restMs: 50 });
  const before = await judgedBy('{a}');
  await until(() => !isAlive(before));
  const after = await judgedBy('{b}');
  expect([after > 0, after === before]).toEqual([true, false]);
});

test('a document that takes too long ends the process, even if it never yields', async () => {
  odd({ deadlineMs: 500 });
  const before = await judgedBy('{a}');
  expect(await verdictOf('{never}')).toMatchObject(lost);
  await until(() => !isAlive(before));
  expect(await judgedBy('{b}')).toBeGreaterThan(0);
});

test('a process that does not start fails the start, and later fails the document', async () => {
  await expect(odd({ supergraphSdl: 'refused' }).start()).rejects.toThrow('the judge does not start: no');
  await expect(verdictOf('{a}')).rejects.toMatchObject({
    ...{ code: 'UNAVAILABLE', details: { retryAfterMs: expect.any(Number) } },
  });
});

test('close ends the process, and current and later documents are refused', async () => {
  odd();
  const pid = await judgedBy('{a}');
  const slow = verdictOf('{slow}');
  judge?.close();
  await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(verdictOf('{b}')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await until(() => !isAlive(pid));
});

test('close does not wait for the pause before a restart', async () => {
  odd();
  for (const text of ['{end 1}', '{end 2}', '{end 3}']) expect(await verdictOf(text)).toMatchObject(lost);
  const paused = verdictOf('{a}');
  judge?.close();
  await expect(paused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
