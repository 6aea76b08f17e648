// Identical queries of one event loop turn are executed once. A query never joins an execution that has begun.
import { expect, test } from '@jest/globals';
import { type ExecutionResult, parse } from 'graphql';
import { SharedExecutions } from '../../../gateway/http/shared-executions.ts';
import type { GatewayOperation } from '../../../gateway/supergraph/executor.ts';
import { testIdentity } from '../support/gateway.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const document = parse('{ a }');
const ann = testIdentity('ann');

class Setup {
  readonly begun: { operation: GatewayOperation; answer: (result: ExecutionResult) => void }[] = [];
  readonly executions = new SharedExecutions({
    execute: (operation) => new Promise((answer) => this.begun.push({ operation, answer })),
  });

  ask({ key = 'k', variables = {}, ...context }: Partial<GatewayOperation & GatewayOperation['context']> = {}) {
    const whole = { identity: ann, requestId: `r${Math.random()}`, loaders: new Map(), ...context };
    return this.executions.execute({ key, document, variables, context: whole });
  }
}

test('queries of one turn are executed once, and their data is serialized once', async () => {
  const setup = new Setup();
  const outcomes = [setup.ask({ requestId: 'first' }), setup.ask({ requestId: 'second' })];
  await nextTurn();
  expect(setup.begun.map(({ operation }) => operation.context.requestId)).toEqual(['first']);
  let made = 0;
  const a = { toJSON: () => ++made };
  setup.begun[0]?.answer({ data: { a } });
  const [first, second] = await Promise.all(outcomes);
  expect([first?.text, second?.text, made]).toEqual(['{"a":1}', '{"a":1}', 1]);
});

test('queries are separate if they differ in anything that the answer may depend on', async () => {
  const setup = new Setup();
  const bob = testIdentity('bob');
  const differences = [
    {},
    { key: 'other' },
    { variables: { n: 1 } },
    { variables: { n: '1' } },
    { identity: bob },
    { identity: { ...ann } },
    { identity: null },
    { clientAddress: '192.0.2.1' },
    { callerRequestId: 'mine' },
    { clientAddress: '192.0.2.1', callerRequestId: 'mine' },
  ];
  for (const each of [...differences, ...differences]) void setup.ask(each);
  await nextTurn();
  expect(setup.begun).toHaveLength(differences.length);
});

test('a query does not join an execution that has begun, because a write may have been acknowledged since', async () => {
  const setup = new Setup();
  const before = setup.ask();
  await nextTurn();
  const after = setup.ask();
  await nextTurn();
  expect(setup.begun).toHaveLength(2);
  for (const [index, { answer }] of setup.begun.entries()) answer({ data: { index } });
  expect((await before).result).toEqual({ data: { index: 0 } });
  expect((await after).result).toEqual({ data: { index: 1 } });
});

test('the execution is aborted when all callers are gone, and not before', async () => {
  const setup = new Setup();
  const [one, other] = [new AbortController(), new AbortController()];
  void setup.ask({ signal: one.signal });
  void setup.ask({ signal: other.signal });
  one.abort(new Error('gone before it began'));
  await nextTurn();
  const signal = setup.begun[0]?.operation.context.signal;
  expect(signal?.aborted).toBe(false);
  other.abort(new Error('the other is gone'));
  expect(signal?.reason).toMatchObject({ message: 'the other is gone' });
});

test('a caller that never leaves keeps it running', async () => {
  const setup = new Setup();
  const one = new AbortController();
  void setup.ask({ signal: one.signal });
  void setup.ask();
  one.abort();
  await nextTurn();
  expect(setup.begun[0]?.operation.context.signal).toBeUndefined();
});

test('all callers get a failure, and the next query starts a new execution', async () => {
  let calls = 0;
  const executions = new SharedExecutions({
    execute: async () => {
      calls += 1;
      throw new Error('lost');
    },
  });
  const ask = () =>
    executions.execute({
      key: 'k',
      document,
      variables: {},
      context: { identity: ann, requestId: 'r', loaders: new Map() },
    });
  const results = await Promise.allSettled([ask(), ask()]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(calls).toBe(1);
  await expect(ask()).rejects.toThrow('lost');
  expect(calls).toBe(2);
});
