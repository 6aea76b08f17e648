// How the steps of a plan are carried out: dependencies, concurrency, and the handling of a busy or lost server. Pure.
import { expect, test } from '@jest/globals';
import { carryOut, carryOutAll } from '../../../cli/apply/carry-out.ts';
import { notYetMade, type Step } from '../../../cli/apply/step.ts';
import { tryOut } from '../../../cli/apply/try-out.ts';
import { CommandFailure } from '../../../cli/failures.ts';
import { type GraphClient, GraphFailure, type Manner } from '../../../cli/graph-client.ts';
import type { JsonObject } from '../../../platform/values/json.ts';

const step = (kind: string, name: string, more: Partial<Step> = {}): Step => ({
  ...{ kind, name, line: 1, action: 'create', changes: [], id: null, secrets: [], lineOf: () => 7 },
  request: { mutation: `${kind.charAt(0).toLowerCase()}${kind.slice(1)}Create`, input: { name } },
  ...more,
});
const needing = (kind: string, name: string, of: Step): Step =>
  step(kind, name, {
    request: { mutation: 'gslbPoolMemberCreate', input: { name, poolId: notYetMade(of.kind, of.name) } },
  });

interface Sent {
  readonly input: JsonObject;
  readonly manner: Manner;
}

/** Answers each input, by its name. */
function clientOf(answer: (name: string, sent: Sent) => unknown) {
  const log: string[] = [];
  const sent: Sent[] = [];
  let now = 0;
  let most = 0;
  const client = {
    async tryMutate(_document: unknown, input: JsonObject, manner: Manner = {}) {
      const name = String(input.name ?? input.id);
      now += 1;
      most = Math.max(most, now);
      log.push(`begin ${name}`);
      sent.push({ input, manner });
      await new Promise(setImmediate);
      now -= 1;
      log.push(`end ${name}`);
      const given = answer(name, { input, manner });
      if (given instanceof Error) throw given;
      return { made: { id: `id of ${name}` }, userErrors: [], commit: null, ...(given as object) };
    },
  } as unknown as GraphClient;
  return { client, log, sent, most: () => most };
}
const accepts = () => ({});
const refusal = (code: string) => ({
  made: null,
  userErrors: [{ code, message: `is ${code}`, field: ['input', 'x'] }],
});
const results = (outcome: { readonly results: readonly { readonly result: string }[] }) =>
  outcome.results.map(({ result }) => result);

test('a few objects of a kind at once, and one kind after the other', async () => {
  const pools = Array.from({ length: 30 }, (_, at) => step('GslbPool', `p${at}`));
  const names = [step('Gslb', 'a.test'), step('Gslb', 'b.test')];
  const { client, log, most } = clientOf(accepts);
  const counts: number[] = [];
  const outcome = await carryOut(client, [...pools, ...names], { onProgress: (done) => counts.push(done) });
  expect(results(outcome)).toEqual(Array(32).fill('CREATED'));
  expect(outcome.results.map(({ step: { name } }) => name)).toEqual([...pools, ...names].map(({ name }) => name));
  expect(most()).toBe(4);
  expect(log.indexOf('begin a.test')).toBeGreaterThan(log.lastIndexOf('end p29'));
  expect(counts).toEqual(Array.from({ length: 32 }, (_, at) => at + 1));
});

test('steps of one load balancer keep their order', async () => {
  const steps = [
    step('LoadBalancer', 'web', { id: 'LB1', action: 'update' }),
    step('Pool', 'web/a'),
    step('LoadBalancer', 'api'),
    step('PoolMember', 'web/a/m'),
    step('AutoscalingPolicy', 'web', { request: { mutation: 'autoscalingPolicySet', input: { name: 'web' } } }),
  ];
  const { client, log } = clientOf(accepts);
  await carryOut(client, steps);
  const ofWeb = log.filter((each) => !each.endsWith(' api'));
  expect(ofWeb).toEqual(['web', 'web/a', 'web/a/m', 'web'].flatMap((name) => [`begin ${name}`, `end ${name}`]));
});

test('a step that needs another object gets its id, or is not done', async () => {
  const pools = [step('GslbPool', 'good'), step('GslbPool', 'bad')];
  const members = pools.map((pool) => needing('GslbPoolMember', `${pool.name}/m`, pool));
  const { client, sent } = clientOf((name) => (name === 'bad' ? refusal('QUOTA_EXCEEDED') : {}));
  const outcome = await carryOut(client, [...pools, ...members]);
  expect(results(outcome)).toEqual(['CREATED', 'REFUSED', 'CREATED', 'NOT_DONE']);
  expect(outcome.results[1]).toMatchObject({ message: 'QUOTA_EXCEEDED: is QUOTA_EXCEEDED', line: 7 });
  expect(outcome.results[3]).toMatchObject({ message: 'it needs GslbPool bad, which was not made' });
  expect(sent.at(-1)?.input).toMatchObject({ poolId: 'id of good' });
});

test('within a kind, an object waits for an earlier one that it needs', async () => {
  const first = step('GslbPool', 'first');
  const { client, log } = clientOf(accepts);
  const outcome = await carryOut(client, [first, needing('GslbPool', 'second', first)]);
  expect([results(outcome), log]).toEqual([
    ['CREATED', 'CREATED'],
    ['begin first', 'end first', 'begin second', 'end second'],
  ]);
});

test('a busy server is asked again, with the same key', async () => {
  let tries = 0;
  const { client, sent } = clientOf(() => {
    tries += 1;
    if (tries === 1) return refusal('BUSY');
    return tries === 2 ? new GraphFailure('too many', 'RATE_LIMITED') : {};
  });
  expect(results(await carryOut(client, [step('GslbPool', 'p')]))).toEqual(['CREATED']);
  expect(new Set(sent.map(({ input }) => input.idempotencyKey)).size).toBe(1);
  expect(sent).toHaveLength(3);
});

test('an object that was renamed or deleted since is created again, not taken for the result of an earlier request', async () => {
  const found = [{ id: 'P1', name: 'other' }, null, { id: 'P3', name: 'p', provisioningStatus: 'DELETING' }];
  const { client, sent } = clientOf(() => {
    const made = found.shift();
    return made === undefined ? { made: { id: 'P4', name: 'p' } } : { made };
  });
  const outcome = await carryOut(client, [step('GslbPool', 'p')]);
  expect(outcome.results).toMatchObject([{ result: 'CREATED', id: 'P4' }]);
  expect(new Set(sent.map(({ input }) => input.idempotencyKey)).size).toBe(4);
});

test('an object that was created and deleted so often that all its keys are used gets a new key', async () => {
  const used = new Set<unknown>();
  const create = async () => {
    const { client, sent } = clientOf((_, { input: { idempotencyKey } }) =>
      used.has(idempotencyKey) ? { made: null } : {},
    );
    const outcome = await carryOut(client, [step('GslbPool', 'p')]);
    const key = sent.at(-1)?.input.idempotencyKey;
    const isNew = !used.has(key);
    used.add(key);
    return [results(outcome), isNew];
  };
  for (let time = 1; time <= 53; time += 1) expect(await create()).toEqual([['CREATED'], true]);
});

test('a request that is refused as a whole is one failed step, and does not count as a lost server', async () => {
  const steps = ['a', 'b', 'c'].map((name) => step('GslbPool', name, { secrets: ['hunter2'] }));
  const { client } = clientOf((name) =>
    name === 'b' ? new GraphFailure('Int cannot represent 1.5, hunter2', 'GRAPHQL_VALIDATION_FAILED') : {},
  );
  const outcome = await carryOut(client, steps);
  expect([results(outcome), outcome.lost]).toEqual([['CREATED', 'REFUSED', 'CREATED'], undefined]);
  expect(outcome.results[1]?.message).toBe('GRAPHQL_VALIDATION_FAILED: Int cannot represent 1.5, •••');
  const tried = await tryOut(client, steps, { source: undefined });
  expect(tried.map(({ result }) => result)).toEqual(['WOULD_CREATE', 'REFUSED', 'WOULD_CREATE']);
});

test('nothing more is sent after a lost server', async () => {
  const steps = Array.from({ length: 20 }, (_, at) => step('GslbPool', `p${at}`));
  const { client, sent } = clientOf((name) => (name === 'p4' ? new CommandFailure('gone', 3) : {}));
  const outcome = await carryOut(client, [...steps, step('Gslb', 'a.test')]);
  expect(outcome.lost).toMatchObject({ message: 'gone', exitCode: 3 });
  expect(results(outcome).filter((each) => each === 'NO_ANSWER')).toEqual(['NO_ANSWER']);
  expect(results(outcome).slice(5)).toEqual(Array(16).fill('NOT_DONE'));
  expect(sent).toHaveLength(5);
});

test('after a lost server, the outcome of all objects in progress is unknown', async () => {
  const steps = Array.from({ length: 40 }, (_, at) => step('GslbPool', `p${at}`));
  const { client, sent } = clientOf((name) => (Number(name.slice(1)) >= 8 ? new CommandFailure('gone', 3) : {}));
  const outcome = await carryOut(client, steps);
  expect(results(outcome).slice(0, 8)).toEqual(Array(8).fill('CREATED'));
  expect(results(outcome).filter((each) => each === 'NO_ANSWER').length).toBeLessThanOrEqual(4);
  expect(results(outcome).slice(12)).toEqual(Array(28).fill('NOT_DONE'));
  expect(sent.length).toBeLessThanOrEqual(12);
});

test('nothing is deleted if an earlier step was refused', async () => {
  const deletions = [step('GslbPool', 'old', { action: 'delete', id: 'P1' })];
  const of = (answer: () => object) =>
    carryOutAll(
      clientOf((name) => (name === 'new' ? answer() : {})).client,
      { changes: [step('GslbPool', 'new')], deletions },
      {},
    );
  expect(results(await of(() => refusal('QUOTA_EXCEEDED')))).toEqual(['REFUSED', 'NOT_DONE']);
  expect(results(await of(() => ({})))).toEqual(['CREATED', 'DELETED']);
});

test('only whole objects are reported for the source', async () => {
  const { client, sent } = clientOf(accepts);
  await carryOut(client, [step('LoadBalancer', 'web'), step('Pool', 'web/a'), step('Gslb', 'a.test')], { source: 's' });
  expect(sent.map(({ manner }) => manner)).toEqual([{ source: 's' }, {}, { source: 's' }]);
});

test('a dry run at the server asks about each step alone, and lists the steps that it did not ask about', async () => {
  const pool = step('GslbPool', 'new');
  const steps = [
    ...[pool, needing('GslbPoolMember', 'new/m', pool), step('GslbPool', 'taken'), step('ObjectContainer', 'far')],
    step('Gslb', 'same', { action: 'nothing', request: undefined as never }),
  ];
  const { client, sent } = clientOf((name) =>
    name === 'taken' ? refusal('ALREADY_EXISTS') : name === 'far' ? refusal('NOT_TRIED') : {},
  );
  const found = await tryOut(client, steps, { source: undefined });
  expect(found.map(({ result, message }) => [result, message])).toEqual([
    ['WOULD_CREATE', null],
    ['WOULD_CREATE', 'not asked: it needs GslbPool new, which is not there yet'],
    ['REFUSED', 'ALREADY_EXISTS: is ALREADY_EXISTS'],
    ['WOULD_CREATE', 'not asked: is NOT_TRIED'],
    ['UNCHANGED', null],
  ]);
  expect(sent.map(({ manner }) => manner)).toEqual([{ dryRun: true }, { dryRun: true }, { dryRun: true }]);
});

test('a dry run does not report a refused deletion if the user of the object may be deleted before it', async () => {
  const deletion = (id: string) =>
    step('GslbPool', id, { action: 'delete', id, request: { mutation: 'gslbPoolDelete', input: { id } } });
  const asked = async (ids: readonly string[]) => {
    const { client } = clientOf((id) => (id === 'used' ? refusal('IN_USE') : {}));
    return (await tryOut(client, ids.map(deletion), { source: undefined })).map(({ result }) => result);
  };
  expect(await asked(['used'])).toEqual(['REFUSED']);
  expect(await asked(['user', 'used'])).toEqual(['WOULD_DELETE', 'WOULD_DELETE']);
});
