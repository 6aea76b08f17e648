// The client's decisions, answer by answer, against an endpoint with scripted answers. relay-client.long.test.ts has the answers of a
// real system.
import { describe, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { type Again, carryOut } from '../../../clients/typescript/relay-client.ts';
import { userErrorCodes } from '../../../platform/errors/errors.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { apiSchemaOf } from '../../../platform/graph/sdl.ts';

const schema = apiSchemaOf(readSupergraph());

type Body = Record<string, unknown>;
/** 'lost': the connection ends without an answer. */
type Scripted = { status?: number; headers?: Record<string, string>; body: Body | string } | 'lost';

const request = { mutation: 'firewallRuleCreate', idempotencyKey: 'key-1', input: { name: 'r', action: 'DROP' } };

interface Sent {
  readonly query: string;
  readonly variables: { readonly input?: Body; readonly id?: string };
  readonly authorization: string;
}

/** The answers in turn; the last one is repeated. */
async function run(answers: readonly Scripted[], options: { deadlineMs?: number; token?: () => string } = {}) {
  const sent: Sent[] = [];
  const again: Again[] = [];
  const endpoint = {
    url: 'https://graph.example/graphql',
    token: options.token ?? 'tg_token',
    fetch: async (_url: unknown, init?: RequestInit) => {
      const { query, variables } = JSON.parse(String(init?.body)) as Pick<Sent, 'query' | 'variables'>;
      const authorization = new Headers(init?.headers).get('authorization') ?? '';
      expect(validate(schema, parse(query))).toEqual([]);
      sent.push({ query, variables, authorization });
      const answer = answers[Math.min(sent.length, answers.length) - 1] ?? 'lost';
      if (answer === 'lost') throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      return new Response(text, { status: answer.status ?? 200, headers: answer.headers ?? {} });
    },
  };
  const bounds = { deadlineMs: options.deadlineMs ?? 5_000, firstPauseMs: 1, longestPauseMs: 5 };
  const outcome = await carryOut(endpoint, request, { ...bounds, onAgain: (each) => again.push(each) });
  return { outcome, sent, again };
}

const operation = (state: string, more: Body = {}) => ({
  ...{ id: 'op-1', name: 'rule.create', state, result: null, deviceError: null, quietUntil: null, changedMappings: [] },
  ...more,
});
const payload = (state: string, more: Body = {}): Scripted => ({
  body: { data: { root: { operation: operation(state, more), userErrors: [] } } },
});
const seen = (state: string): Scripted => ({ body: { data: { root: operation(state) } } });
const refusal = (
  code: keyof typeof userErrorCodes,
  retryAfterMs: number | null = null,
  field: readonly string[] = [],
): Scripted => {
  const error = { code, message: `said ${code}`, field, retry: userErrorCodes[code].retry, retryAfterMs };
  return { body: { data: { root: { operation: null, userErrors: [error] } } } };
};
const topLevel = (code: string, status = 200, more: Body = {}): Scripted => ({
  status,
  body: { data: null, errors: [{ message: `said ${code}`, extensions: { code, ...more } }] },
});

describe('requests', () => {
  test('sends always the same input with the same key, adding only waitMs', async () => {
    const { outcome, sent } = await run(['lost', refusal('BUSY'), topLevel('INTERNAL'), payload('SUCCEEDED')]);
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', idempotencyKey: 'key-1', requests: 4, person: null });
    const inputs = sent.map(({ variables: { input } }) => ({ ...input, waitMs: typeof input?.waitMs }));
    expect(inputs).toEqual(Array(4).fill({ name: 'r', action: 'DROP', idempotencyKey: 'key-1', waitMs: 'number' }));
    expect(sent[0]?.query).toContain('mutation ($input: FirewallRuleCreateInput!) { root: firewallRuleCreate');
    expect(new Set(sent.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer tg_token']));
  });

  test("changes to the caller's input meanwhile have no effect", async () => {
    const input = { name: 'r', list: ['a'] };
    const sent: unknown[] = [];
    const endpoint = {
      ...{ url: 'https://graph.example/graphql', token: 't' },
      fetch: async (_url: unknown, init?: RequestInit) => {
        sent.push((JSON.parse(String(init?.body)) as Sent).variables.input?.list);
        input.list.push('b');
        if (sent.length < 2) throw new TypeError('fetch failed');
        return Response.json({ data: { root: { operation: operation('SUCCEEDED'), userErrors: [] } } });
      },
    };
    await carryOut(endpoint, { ...request, input }, { firstPauseMs: 1 });
    expect(sent).toEqual([['a'], ['a']]);
  });

  test.each([
    [{ ...request, mutation: 'a { b }' }, "not a mutation's name"],
    [{ ...request, idempotencyKey: '' }, 'key is needed'],
    [{ ...request, input: { dryRun: true } }, 'dry run'],
  ])('%j is refused before anything is sent', async (wrong, message) => {
    await expect(carryOut({ url: 'https://graph.example', token: 't' }, wrong)).rejects.toThrow(message);
  });
});

describe('refusals', () => {
  test.each(Object.keys(userErrorCodes) as (keyof typeof userErrorCodes)[])(
    '%s: as in docs/errors.md, the same key, or the end',
    async (code) => {
      const { outcome, sent } = await run([refusal(code), payload('SUCCEEDED')]);
      if (userErrorCodes[code].retry === 'SAME_KEY') {
        expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 2, refusals: [] });
        return;
      }
      expect(outcome).toMatchObject({ kind: 'REFUSED', requests: 1, operation: null, refusals: [{ code }] });
      expect(outcome.person).toMatch(/same key|no retry helps|new key/);
      expect(sent).toHaveLength(1);
    },
  );

  test('not before retryAfterMs', async () => {
    const { again } = await run([refusal('CIRCUIT_OPEN', 60), refusal('RATE_LIMITED', 30), payload('SUCCEEDED')]);
    expect(again.map(({ request: kind }) => kind)).toEqual(['send', 'send']);
    expect(again[0]?.inMs).toBeGreaterThanOrEqual(60);
    expect(again[1]?.inMs).toBeGreaterThanOrEqual(30);
  });

  test('until the time is up: nothing happened, and the same key can be used again', async () => {
    const { outcome } = await run([refusal('BUSY', null, ['input', 'backend'])], { deadlineMs: 300 });
    expect(outcome).toMatchObject({ kind: 'REFUSED', refusals: [{ code: 'BUSY' }] });
    expect(outcome.person).toMatch(/BUSY.*same request with the same key/);
  });

  // BUSY without a field: the database is changing its primary.
  test.each(['IN_PROGRESS', 'UNAVAILABLE', 'BUSY'] as const)(
    '%s until the deadline: unknown, because the key may be in use',
    async (code) => {
      const { outcome } = await run([refusal(code)], { deadlineMs: 300 });
      expect(outcome).toMatchObject({ kind: 'OPEN', operation: null, refusals: [{ code }] });
    },
  );

  test('after a request without an answer, a refusal proves nothing about that request', async () => {
    for (const lost of [
      'lost',
      topLevel('SUBGRAPH_UNAVAILABLE'),
      topLevel('OUTCOME_UNCERTAIN'),
      { status: 502, body: '<html>' },
    ] as const) {
      const { outcome } = await run([lost, refusal('FORBIDDEN')]);
      expect(outcome).toMatchObject({ kind: 'OPEN', refusals: [{ code: 'FORBIDDEN' }] });
      expect(outcome.person).toContain('an earlier request had no answer');
    }
    const { outcome } = await run(['lost', refusal('BUSY')], { deadlineMs: 300 });
    expect(outcome.kind).toBe('OPEN');
  });
});

describe('top-level errors', () => {
  test.each(['UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE', 'INTERNAL', 'OUTCOME_NOT_RECORDED', 'SOMETHING_NEW'])(
    '%s: the same key',
    async (code) => {
      const { outcome } = await run([topLevel(code), payload('SUCCEEDED')]);
      expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 2 });
    },
  );

  test.each(['FORBIDDEN', 'INVALID_INPUT', 'LIMIT_EXCEEDED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT'])(
    '%s: it ends, and nothing happened',
    async (code) => {
      const { outcome } = await run([topLevel(code, 400)]);
      expect(outcome).toMatchObject({ kind: 'REFUSED', requests: 1, refusals: [{ code }] });
    },
  );

  test('RATE_LIMITED: nothing happened; the same key, not before retryAfterMs', async () => {
    const limited = topLevel('RATE_LIMITED', 429, { retryAfterMs: 40 });
    const { outcome, again } = await run([limited, payload('PENDING'), limited, seen('SUCCEEDED')]);
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 4 });
    expect(again.map(({ request: kind }) => kind)).toEqual(['send', 'read', 'read']);
    expect(again[0]?.inMs).toBeGreaterThanOrEqual(40);
    expect(again[2]?.inMs).toBeGreaterThanOrEqual(40);
    const never = await run([limited], { deadlineMs: 300 });
    expect(never.outcome).toMatchObject({ kind: 'REFUSED', refusals: [{ code: 'RATE_LIMITED' }] });
  });

  test('UNAUTHENTICATED: a new token once, then a person, and the same key', async () => {
    let tokens = 0;
    const token = () => `token-${++tokens}`;
    const renewed = await run([topLevel('UNAUTHENTICATED', 401), payload('SUCCEEDED')], { token });
    expect(renewed.outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 1 });
    expect(renewed.sent.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    const { outcome, sent } = await run([topLevel('UNAUTHENTICATED', 401)]);
    expect(outcome).toMatchObject({ kind: 'REFUSED', refusals: [{ code: 'UNAUTHENTICATED' }] });
    expect(outcome.person).toMatch(/token.*same key/);
    expect(sent).toHaveLength(1);
  });

  test("OUTCOME_NOT_RECORDED: the device's answer is kept, even if the journal never stores it", async () => {
    const told = { operationId: 'x', state: 'SUCCEEDED', result: { handle: 7 }, deviceError: null };
    const lost = topLevel('OUTCOME_NOT_RECORDED', 200, { outcome: told });
    const { outcome } = await run([lost, payload('UNKNOWN', { quietUntil: '2026-01-31T12:00:00.000Z' })]);
    expect(outcome).toMatchObject({ kind: 'UNKNOWN', deviceAnswer: told, requests: 2 });
    expect(outcome.person).toMatch(/op-1.*until 2026-01-31.*see deviceAnswer.*do not send it with another key/);
    const written = await run([lost, payload('SENT'), seen('SUCCEEDED')]);
    expect(written.outcome).toMatchObject({ kind: 'SUCCEEDED', deviceAnswer: told });
    const never = await run([lost], { deadlineMs: 300 });
    expect(never.outcome).toMatchObject({ kind: 'OPEN', deviceAnswer: told });
  });

  test('an answer from another server, and a load balancer with Retry-After', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0.05' }, body: 'no server' };
    const { outcome, again } = await run([busy, { body: '"text"' }, payload('SUCCEEDED')]);
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 3 });
    expect(again[0]).toMatchObject({ request: 'send', why: 'HTTP 503 without a GraphQL answer' });
    expect(again[0]?.inMs).toBeGreaterThanOrEqual(50);
  });
});

describe('states', () => {
  test('PENDING and SENT are read, not sent again, until there is a verdict', async () => {
    const { outcome, sent } = await run([payload('PENDING'), seen('PENDING'), 'lost', seen('SENT'), seen('SUCCEEDED')]);
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 5 });
    expect(sent.map(({ query }) => query.startsWith('mutation'))).toEqual([true, false, false, false, false]);
    expect(sent[1]?.variables).toEqual({ id: 'op-1' });
  });

  test('FAILED is final; UNKNOWN is final too, and names what to check', async () => {
    const no = { code: 'DEVICE_REFUSED', message: 'no' };
    expect((await run([payload('FAILED', { deviceError: no })])).outcome).toMatchObject({
      ...{ kind: 'FAILED', requests: 1, person: null, operation: { deviceError: no } },
    });
    const { outcome } = await run([payload('SENT'), seen('UNKNOWN')]);
    expect(outcome).toMatchObject({ kind: 'UNKNOWN', operation: { state: 'UNKNOWN' } });
    expect(outcome.person).toContain('op-1 was sent and has no verdict');
  });

  test('an unsent call is sent again with the same key, and after the deadline nothing has happened', async () => {
    const notSent = { deviceError: { code: 'NOT_SENT', message: 'CONNECT_FAILED: refused' } };
    const { outcome } = await run([payload('FAILED', notSent), payload('REJECTED'), payload('SUCCEEDED')]);
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 3 });
    const over = await run([payload('FAILED', notSent)], { deadlineMs: 300 });
    expect(over.outcome).toMatchObject({ kind: 'REFUSED', person: expect.stringContaining('CONNECT_FAILED') });
  });

  test('ACCEPTED: the job is read until it ends; a caller without the right learns who can read it', async () => {
    const { outcome, sent } = await run([payload('ACCEPTED'), payload('ACCEPTED'), payload('SUCCEEDED')]);
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', requests: 3 });
    expect(sent[1]?.query).toContain('relayOperationSettle');
    expect(sent[1]?.variables).toEqual({ input: { id: 'op-1' } });
    const forbidden = await run([payload('ACCEPTED'), refusal('FORBIDDEN')]);
    expect(forbidden.outcome).toMatchObject({ kind: 'OPEN', operation: { state: 'ACCEPTED' } });
    expect(forbidden.outcome.person).toMatch(/job on the device.*relayOperationSettle/);
    const settled = await run([payload('ACCEPTED'), refusal('WRONG_STATE'), seen('FAILED')]);
    expect(settled.outcome).toMatchObject({ kind: 'FAILED', requests: 3 });
  });

  test('a missing operation, and a key whose call is gone', async () => {
    const gone: Scripted = { body: { data: { root: null } } };
    const { outcome, sent } = await run([payload('SENT'), gone, payload('SUCCEEDED')]);
    expect(outcome.kind).toBe('SUCCEEDED');
    expect(sent[2]?.query).toContain('firewallRuleCreate');
    const empty: Scripted = { body: { data: { root: { operation: null, userErrors: [] } } } };
    expect((await run([empty])).outcome).toMatchObject({
      kind: 'OPEN',
      person: expect.stringContaining('no longer has'),
    });
  });
});

test('a signal ends the requests at once, even during a wait', async () => {
  const controller = new AbortController();
  const endpoint = {
    ...{ url: 'https://graph.example/graphql', token: 't' },
    fetch: async () => Response.json({ data: { root: { operation: operation('SENT'), userErrors: [] } } }),
  };
  const waits = carryOut(endpoint, request, {
    ...{ signal: controller.signal, firstPauseMs: 60_000 },
    onAgain: () => controller.abort(),
  });
  expect(await waits).toMatchObject({ kind: 'OPEN', requests: 1, operation: { state: 'SENT' } });
  const before = await carryOut(endpoint, request, { signal: AbortSignal.abort() });
  expect(before).toMatchObject({ kind: 'OPEN', requests: 0, person: expect.stringContaining('not known') });
});
