// Replies that do not answer the request, for every operation; and the meaning of error numbers.

import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { DriverOperation, HttpReply, JsonObject, Reply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { renderContext } from '../../support/render-context.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const operations = [...fortios.operations.values()];
const context = renderContext(fortios);

function http(status: number, body: string, changes: Partial<HttpReply> = {}): HttpReply {
  return { kind: 'http', status, headers: {}, body, truncated: false, ...changes };
}

function exampleOf(operation: DriverOperation): JsonObject {
  const checked = validateArguments(operation, operation.example);
  if (!checked.ok) throw new Error(`${operation.name}: ${JSON.stringify(checked.faults)}`);
  return checked.args;
}

/** The envelope of the API's answer to this operation. */
function envelopeOf(operation: DriverOperation): JsonObject {
  const call = operation.render(exampleOf(operation), context);
  const url = new URL(call.kind === 'http' ? call.path : '/', 'https://gate');
  const [path, name, mkey] = url.pathname.replace('/api/v2/cmdb/', '').split('/').map(decodeURIComponent);
  const vdom = url.searchParams.get('vdom');
  const key = mkey ?? String(exampleOf(operation).name);
  const http_method = call.kind === 'http' ? call.method : '';
  return { http_method, path, name, vdom, mkey: key, status: 'success', http_status: 200 };
}

const json = (object: JsonObject, status = 200) => http(status, JSON.stringify({ ...object, http_status: status }));
const overHttp = operations.filter((operation) => operation.render(exampleOf(operation), context).kind === 'http');
const tables = overHttp.filter(({ name }) => name !== 'system.info');
const writes = tables.filter(({ effect }) => effect !== 'READ');

/** Inconclusive replies to any operation. */
function unreadable(operation: DriverOperation): readonly [what: string, reply: HttpReply][] {
  const good = envelopeOf(operation);
  const { status: _status, ...withoutStatus } = good;
  return [
    ['nothing', http(200, '')],
    ['a web page', http(200, '<html><head><title>FortiGate</title></head></html>')],
    ['a page of a proxy', http(502, '<html><head><title>502 Bad Gateway</title></head></html>')],
    ['an error page of the device', http(500, '<html><title>500 Internal Server Error</title></html>')],
    ['no answer behind a proxy', http(504, '')],
    ['half of the JSON', http(200, JSON.stringify(good).slice(0, -5))],
    ['JSON of another kind', http(200, '[1, null, "x"]')],
    ['a list for all domains', http(200, JSON.stringify([good]))],
    ['an answer about another table', json({ ...good, name: 'else' })],
    ['an answer about another domain', json({ ...good, vdom: 'elsewhere' })],
    ['a yes without the word', json(withoutStatus)],
    ['a yes with the status of an error', http(200, JSON.stringify({ ...good, http_status: 500 }))],
    ['an error that says yes', json(good, 500)],
    ['an error without a number', json({ ...good, status: 'error' }, 500)],
    ['a number 0', json({ ...good, status: 'error', error: 0 }, 500)],
    ['a time-out inside the device', json({ ...good, status: 'error', error: -360 }, 500)],
    ['a truncated reply', { ...json(good), truncated: true }],
    ['a redirection', http(302, '', { headers: { location: '/login' } })],
  ];
}

describe.each(writes)('$name', (operation) => {
  test.each(unreadable(operation))('%s is not a verdict', (_what, reply) => {
    const outcome = operation.interpret(reply, exampleOf(operation), renderContext(fortios));
    expect(outcome).toMatchObject({ state: 'UNKNOWN', code: 'UNREADABLE_REPLY' });
  });

  test('a success about another entry is not a verdict', () => {
    const outcome = operation.interpret(
      json({ ...envelopeOf(operation), mkey: 'another' }),
      exampleOf(operation),
      renderContext(fortios),
    );
    expect(outcome.state).toBe('UNKNOWN');
  });

  test.each([400, 401, 403, 405, 424, 429])('HTTP %i was not executed', (status) => {
    const outcome = operation.interpret(http(status, '<html>'), exampleOf(operation), renderContext(fortios));
    expect(outcome).toMatchObject({ state: 'FAILED', code: status === 429 ? 'DEVICE_BUSY' : 'DEVICE_REFUSED' });
    expect('absent' in outcome).toBe(false);
  });

  test('only the API itself can report an entry as absent', () => {
    const gone = json({ ...envelopeOf(operation), status: 'error', error: -3 }, 404);
    expect(
      operation.interpret(http(404, '<html>Not Found</html>'), exampleOf(operation), renderContext(fortios)),
    ).not.toHaveProperty('absent');
    const outcome = operation.interpret(gone, exampleOf(operation), renderContext(fortios));
    expect(outcome).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
    expect('absent' in outcome).toBe(operation.mapping === 'deletes');
    // An object that it refers to.
    const refers = json({ ...envelopeOf(operation), status: 'error', error: -3 }, 500);
    expect(operation.interpret(refers, exampleOf(operation), renderContext(fortios))).not.toHaveProperty('absent');
  });
});

test.each(writes.filter(({ probe }) => probe !== undefined))(
  '$name: its probe takes none of them as absence',
  (operation) => {
    for (const [what, reply] of unreadable(operation)) {
      const found = operation.probe?.interpret(reply, exampleOf(operation), context);
      expect([what, found?.finding]).toEqual([what, 'UNREADABLE']);
    }
  },
);

test.each(tables.filter(({ effect }) => effect === 'READ'))('$name: none of them is a successful read', (operation) => {
  for (const [what, reply] of unreadable(operation)) {
    expect([what, operation.interpret(reply, exampleOf(operation), renderContext(fortios))]).toMatchObject([
      what,
      { state: 'FAILED' },
    ]);
  }
  const noList = json({ ...envelopeOf(operation), results: 'none' });
  expect(operation.interpret(noList, exampleOf(operation), renderContext(fortios))).toMatchObject({
    code: 'UNREADABLE_REPLY',
  });
});

test.each([...(fortios.resources ?? [])])('a read of a %s takes none of them as absence', (resource, reader) => {
  const operation = operations.find(
    (each) => each.mapping === 'deletes' && each.object?.(exampleOf(each)).resource === resource,
  );
  if (!operation) throw new Error(`nothing deletes a ${resource}`);
  const { scope, key } = operation.object?.(exampleOf(operation)) ?? { scope: '', key: '' };
  const other = json({ ...envelopeOf(operation), results: [{ name: 'else', policyid: 99 }] });
  for (const [what, reply] of [...unreadable(operation), ['another entry', other] as const]) {
    expect([what, reader.interpret(reply, { scope, key, uuid: null }).finding]).toEqual([what, 'UNREADABLE']);
  }
});

const cli = (output: string, changes: Partial<Extract<Reply, { kind: 'cli' }>> = {}): Reply => ({
  ...{ kind: 'cli', outputs: [{ line: 'execute cfg save', output }], truncated: false, ...changes },
});

test.each([
  ['a question', cli('Do you want to continue? (y/n)')],
  ['a truncated reply', cli('', { truncated: true })],
  ['nothing typed', cli('', { outputs: [] })],
])('config.save: %s is not a verdict', (_what, reply) => {
  expect(fortios.operations.get('config.save')?.interpret(reply, {}, renderContext(fortios))).toMatchObject({
    state: 'UNKNOWN',
  });
});

test.each([
  http(200, '<html>'),
  http(200, '{"status":"success","version":"v7.4.5"}'),
  http(500, '{"status":"success","version":"v7.4.5","build":1,"serial":"x"}'),
  http(200, '{"status":"success","version":"v7.4.5","build":1,"serial":"x"}', { truncated: true }),
  cli('Unknown action 0'),
])('health: %j is not a healthy device', (reply) => {
  expect(fortios.health.interpret(reply)).toBeUndefined();
});

test.each([
  [-360, 'UNKNOWN UNREADABLE_REPLY'],
  [-361, 'UNKNOWN UNREADABLE_REPLY'],
  [-3, 'FAILED NOT_FOUND'],
  [-4, 'FAILED DEVICE_REFUSED'],
  [-5, 'FAILED ALREADY_EXISTS'],
  [-15, 'FAILED ALREADY_EXISTS'],
  [-23, 'FAILED IN_USE'],
  [-37, 'FAILED DEVICE_REFUSED'],
  [-651, 'FAILED DEVICE_REFUSED'],
  [-9999, 'FAILED DEVICE_REFUSED'],
])('error %i of a device is %s', async (failCode, outcome) => {
  for (const version of ['6.2.3', '7.4.5']) {
    const relayed = await RelayedGate.start({ version, failCode });
    relayed.gate.device.faults.plan('FAIL');
    const called = await relayed.call('address.create', { name: 'web', address: '192.0.2.80' });
    expect('code' in called && `${called.state} ${called.code}`).toBe(outcome);
    expect('message' in called && called.message).toContain(String(failCode));
    expect(relayed.gate.log.entries).toHaveLength(0);
  }
});

test.each([
  ['DROP_BEFORE_APPLYING', 'CONNECTION_LOST', { finding: 'ABSENT' }],
  ['DROP_AFTER_APPLYING', 'CONNECTION_LOST', { finding: 'PRESENT' }],
  ['SILENT_AFTER_APPLYING', 'NO_REPLY', { finding: 'PRESENT' }],
] as const)('%s leaves no verdict, and the mark shows what happened', async (fault, code, finding) => {
  const relayed = await RelayedGate.start({}, { deadlineMs: 2_000 });
  await relayed.done('address.list');
  relayed.gate.device.faults.plan(fault);
  const id = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
  const called = await relayed.call('address.create', { name: 'web', address: '192.0.2.80' }, id);
  expect(called).toMatchObject({ state: 'NO_REPLY', failure: { kind: 'NO_VERDICT', code } });
  const operationId = finding.finding === 'PRESENT' ? { operationId: id } : {};
  expect(await relayed.look('address', { key: 'web' })).toMatchObject({ ...finding, ...operationId });
  expect(relayed.gate.log.carrying(id)).toHaveLength(finding.finding === 'PRESENT' ? 1 : 0);
});

test('a truncated reply gives no verdict', async () => {
  const relayed = await RelayedGate.start();
  await relayed.done('address.create', { name: 'web', address: '192.0.2.80' });
  const cut = { status: 200, body: '{"status":"success"}', cutAfterBytes: 9 };
  relayed.gate.answerInstead = ({ method }) => (method === 'DELETE' ? cut : undefined);
  expect(await relayed.refused('address.delete', { name: 'web' })).toBe('NO_VERDICT CONNECTION_LOST');
});
