// A bounded sample of the system under attack, and its judges, each tested with a planted fault. The complete proof is
// `npm run trials -- hostile`.
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import { answersIn, Caller, type Exchange } from '../../trials/hostile/caller.ts';
import { neverTwin, Questions } from '../../trials/hostile/questions.ts';
import { Suspects } from '../../trials/hostile/suspects.ts';
import { Judge } from '../../trials/hostile/verdict.ts';
import { runHostileTrials } from '../../trials/hostile.ts';
import { seededRandom } from '../../trials/random.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

const seed = Number(process.env.TIDEGATE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const obstacle = labUnavailable();

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

(obstacle === undefined ? test : test.skip)(
  `a sample of the attack is withstood (seed ${seed})`,
  async () => {
    const path = join(folder.path, 'data');
    await mkdir(path, { mode: 0o711 });
    const result = await runHostileTrials({
      ...{ seed, requests: 400, ordinary: 50, folder: path, signal: AbortSignal.timeout(150_000) },
    });
    expect(result).toMatchObject({
      ...{
        requests: 400,
        balancerAttacks: 40,
        leaks: 0,
        crashes: 0,
        slowRefusals: 0,
        internal: 0,
        ordinaryFailed: 0,
        findings: [],
      },
    });
    // Otherwise the test proves nothing.
    expect(result.refused).toBeGreaterThan(200);
    expect(Object.keys(result.codes).length).toBeGreaterThan(6);
  },
  180_000,
);

describe('the judge', () => {
  const alphaId = encodeId('Backend', newUuid());
  const caller = (seesAlpha: boolean) => new Caller({ name: 'x', address: '127.0.0.1', url: 'http://x', seesAlpha });
  const exchange = (asked: string, answered: string): Exchange => ({ asked, answered, answers: answersIn([answered]) });

  test.each([
    ['a mark', false, '{}', '{"data":{"x":"zqmark-name"}}', { leak: 1 }],
    ['a mark that was sent', false, 'is zqmark there?', 'there is no zqmark', {}],
    ['a mark, to its own people', true, '{}', '{"data":{"x":"zqmark-name"}}', {}],
    ['a secret, to anyone', true, '{}', '{"data":{"x":"zxsecret token"}}', { leak: 1 }],
    ['an id', false, '{}', `{"data":{"x":{"id":"${alphaId}"}}}`, { leak: 1 }],
    ['an id that begins as another', false, '{}', `{"data":{"x":{"id":"${alphaId}0"}}}`, {}],
    ['a bug', true, '{}', '{"errors":[{"message":"x","extensions":{"code":"INTERNAL"}}]}', { internal: 1 }],
    ['a bug in a payload', true, '{}', '{"data":{"x":{"userErrors":[{"code":"INTERNAL"}]}}}', { internal: 1 }],
  ])('%s (sees alpha: %s)', (_what, seesAlpha, asked, answered, found) => {
    const judge = new Judge({ mark: 'zqmark', secretMark: 'zxsecret', hiddenIds: [alphaId] });
    judge.see(caller(seesAlpha), { kind: 'test' }, exchange(asked, answered));
    expect(Object.fromEntries(Object.entries(judge.counts).filter(([, count]) => count > 0))).toEqual(found);
  });

  test.each([
    ['{"data":{"me":{"name":"admin"}}}', 1],
    ['{"data":{"__typename":"Query"}}', 0],
    ['{"data":{"me":null},"errors":[{"message":"x"}]}', 0],
    ['{"data":{"login":{"userErrors":[{"code":"BAD_CREDENTIALS"}]}}}', 0],
  ])('%s to a forged token: %i leaks', (answered, leaks) => {
    const judge = new Judge({ mark: 'zqmark', secretMark: 'zxsecret', hiddenIds: [] });
    judge.see(caller(true), { kind: 'test', grantsNothing: true }, exchange('', answered));
    expect(judge.counts.leak).toBe(leaks);
  });

  test.each([
    ['refused, and slow each time', '{"errors":[{"message":"x"}]}', [80, 80, 80, 80], 1],
    ['refused, and slow once', '{"errors":[{"message":"x"}]}', [80, 0, 0, 0], 0],
    ['granted', '{"data":{"x":1}}', [80, 80, 80, 80], 0],
  ])('%s', async (_what, answered, cpuMs, slowRefusals) => {
    const turns = join(folder.path, 'part.turns');
    const write = (ms: number) =>
      appendFile(turns, `${JSON.stringify({ fromMs: Date.now(), untilMs: Date.now(), cpuMs: ms })}\n`);
    await write(60);
    // The turn that was written lies before what is judged.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const judge = new Judge({ mark: 'zqmark', secretMark: 'zxsecret', hiddenIds: [] });
    const suspects = new Suspects(folder.path, ['part'], judge);
    const left = [...cpuMs];
    const run = async () => {
      const held = left.shift() ?? 0;
      if (held > 0) await write(held);
      return exchange('', answered);
    };
    await suspects.during(caller(true), { kind: 'test', run });
    await suspects.confirm();
    expect(judge.counts.slowRefusal).toBe(slowRefusals);
  });

  test('a watch without an entry proves nothing', async () => {
    const judge = new Judge({ mark: 'zqmark', secretMark: 'zxsecret', hiddenIds: [] });
    await expect(new Suspects(folder.path, ['part'], judge).confirm()).rejects.toThrow('saw nothing');
  });
});

describe('requests', () => {
  const schema = buildSchema(`
    type Query { backend(id: ID!): Backend things(first: Int, wish: Wish!): [Node] }
    input Wish { text: String kinds: [Kind!]! wish: Wish }
    enum Kind { A B }
    interface Node { id: ID! }
    type Backend implements Node { id: ID! name: String next: Backend }
    type Mutation { act(id: ID!): Backend }`);
  const alphaIds = [encodeId('Backend', newUuid())];
  const source = { schema, alphaIds, ownIds: [], texts: ['x'], cursors: ['c'] };

  test('are valid, cover every root field, and are the same for the same seed', () => {
    const made = (from: number) => {
      const questions = new Questions(source, seededRandom(from));
      return Array.from({ length: 40 }, () => questions.next('query'));
    };
    const questions = made(seed);
    for (const { query } of questions) expect(validate(schema, parse(query))).toEqual([]);
    expect(new Set(questions.map(({ kind }) => kind))).toEqual(new Set(['query backend', 'query things']));
    expect(made(seed).map(({ query }) => query)).toEqual(questions.map(({ query }) => query));
    expect(questions.some((question) => question.alphaIds.length > 0)).toBe(true);
  });

  test('have a twin with IDs that never existed, whose answer is rewritten with the IDs of the first', () => {
    const [id = ''] = alphaIds;
    const question = { kind: 'query backend', query: '', variables: { id }, alphaIds: [id] };
    const twin = neverTwin(question);
    const never = String(twin.question.variables.id);
    expect(never).not.toBe(id);
    expect(twin.inItsWords(`no backend has the id ${never}`)).toBe(`no backend has the id ${id}`);
  });
});
