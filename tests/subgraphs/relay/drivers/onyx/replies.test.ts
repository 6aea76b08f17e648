import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { CliReply, DriverOperation, HttpReply, Reply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { vlanRanges, vlansIn } from '../../../../../subgraphs/relay/drivers/onyx/vlan-ranges.ts';
import { renderContext } from '../../support/render-context.ts';

const operations = [...onyx.operations.values()];

function exampleOf(operation: DriverOperation) {
  const checked = validateArguments(operation, operation.example);
  if (!checked.ok) throw new Error('the example does not fit');
  return checked.args;
}

/** The lines of the rendered example. */
function linesOf(operation: DriverOperation): readonly string[] {
  const call = operation.render(exampleOf(operation), renderContext(onyx, { options: { transport: 'ssh' } }));
  return call.kind === 'cli' ? call.lines : [];
}

const cli = (outputs: CliReply['outputs'], truncated = false): Reply => ({ kind: 'cli', outputs, truncated });
const http = (body: unknown, changes: Partial<HttpReply> = {}): Reply => ({
  ...{ kind: 'http', status: 200, headers: {}, truncated: false },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...changes,
});
const result = (line: string, status: string, message = '') => ({
  ...{ executed_command: line, status, status_message: message, data: '' },
});

/** These are not answers to any call. */
const unreadable: [string, Reply][] = [
  ['nothing typed', cli([])],
  ['another line', cli([{ line: 'show clock', output: '' }])],
  ['truncated output', cli([{ line: 'vlan 42', output: '' }], true)],
  ['no body', http('')],
  ['a page', http('<html>Login</html>')],
  ['a truncated body', http('{"results": [{"executed_command', { truncated: true })],
  ['an incomplete body', http('{"results": [{"executed_command')],
  ['a server error', http({ results: [] }, { status: 500 })],
  ['no results', http({ results: [] })],
  ['invalid results', http({ results: ['yes', null] })],
  ['a result of another line', http({ results: [result('show clock', 'OK')] })],
  ['an unspecific error', http({ status: 'ERROR', status_message: 'Internal error' })],
];

describe.each(operations.filter((operation) => operation.effect !== 'READ'))('$name', (operation) => {
  test.each(unreadable)('%s is not a verdict', (_what, given) => {
    expect(operation.interpret(given, exampleOf(operation), renderContext(onyx))).toMatchObject({
      state: 'UNKNOWN',
      code: 'UNREADABLE_REPLY',
    });
  });

  test('missing lines, or lines with an unknown status, give no verdict', () => {
    const lines = linesOf(operation);
    const args = exampleOf(operation);
    const odd = lines.map((line) => result(line, 'MAYBE'));
    expect(operation.interpret(http({ results: odd }), args, renderContext(onyx))).toMatchObject({ state: 'UNKNOWN' });
    const more = [...lines, 'exit'];
    expect(
      operation.interpret(cli(more.map((line) => ({ line, output: '' }))), args, renderContext(onyx)),
    ).toMatchObject({
      state: 'UNKNOWN',
    });
    if (lines.length < 2) return;
    const fewer = lines.slice(1);
    expect(
      operation.interpret(cli(fewer.map((line) => ({ line, output: '' }))), args, renderContext(onyx)),
    ).toMatchObject({
      state: 'UNKNOWN',
    });
    const short = lines.slice(0, -1).map((line) => result(line, 'OK'));
    expect(operation.interpret(http({ results: short }), args, renderContext(onyx))).toMatchObject({
      state: 'UNKNOWN',
    });
  });

  test('silence after each line is success', () => {
    const lines = linesOf(operation);
    expect(
      operation.interpret(cli(lines.map((line) => ({ line, output: '' }))), exampleOf(operation), renderContext(onyx)),
    ).toMatchObject({
      state: 'SUCCEEDED',
    });
    const results = lines.map((line) => result(line, 'OK'));
    expect(operation.interpret(http({ results }), exampleOf(operation), renderContext(onyx))).toMatchObject({
      state: 'SUCCEEDED',
    });
  });

  test('a refusal quotes the switch, at most 4096 characters', () => {
    const words = `% ${'x'.repeat(10_000)}\nType "?" for help.\n`;
    for (const given of [
      cli(linesOf(operation).map((line) => ({ line, output: `Warning: busy\n${words}` }))),
      http({ results: linesOf(operation).map((line) => result(line, 'ERROR', words)) }),
    ]) {
      const outcome = operation.interpret(given, exampleOf(operation), renderContext(onyx));
      expect(outcome).toMatchObject({ state: 'FAILED', code: 'DEVICE_REFUSED' });
      expect('message' in outcome && outcome.message).toBe('x'.repeat(4_096));
    }
  });
});

describe.each(operations.filter((operation) => operation.effect === 'READ'))('$name', (operation) => {
  const [line = ''] = linesOf(operation);
  const odd: [string, Reply][] = [
    ...unreadable,
    ['no JSON', cli([{ line, output: 'VLAN  Name\n1  default\n' }])],
    ['incomplete JSON', cli([{ line, output: '{"1": {"Name": "def' }])],
    ['JSON of something else', cli([{ line, output: '{"Hello": "world"}' }])],
    ['an empty list', cli([{ line, output: '[]' }])],
    ['a refusal', cli([{ line, output: '% Unrecognized command "show".\n' }])],
    ['data of something else', http({ ...result(line, 'OK'), data: { Hello: 'world' } })],
    ['a refused command', http(result(line, 'ERROR', '% no'))],
  ];
  test.each(odd)('%s is a failed read', (_what, given) => {
    expect(operation.interpret(given, exampleOf(operation), renderContext(onyx))).toMatchObject({ state: 'FAILED' });
  });
});

describe.each([...(onyx.resources ?? [])])('a read of a %s', (_name, reader) => {
  test.each([
    ...unreadable,
    ['JSON of something else', cli([{ line: 'x', output: '{"Hello": "world"}' }])] as [string, Reply],
    ['an empty list', cli([{ line: 'x', output: '[]' }])] as [string, Reply],
    ['a refusal', cli([{ line: 'x', output: '% no such thing' }])] as [string, Reply],
  ])('%s is not an absence', (_what, given) => {
    expect(reader.interpret(given, { scope: 'Po22', key: 'Po22', uuid: null })).toMatchObject({
      finding: 'UNREADABLE',
    });
  });
});

test.each(unreadable)('health: %s is not a healthy switch', (_what, given) => {
  expect(onyx.health.interpret(given)).toBeUndefined();
});

test('a port whose entry is unreadable is unreadable alone', () => {
  const data = {
    'Eth1/1': { Mode: 'access', 'Access vlan': '7', 'Allowed vlans': '' },
    'Eth1/2': { Mode: 'trunk', 'Access vlan': 'N/A', 'Allowed vlans': 'everything' },
    'Eth1/3': { 'Access vlan': '1' },
  };
  const given = cli([
    { line: 'show interfaces switchport | json-print', output: `${JSON.stringify(data)}\n3 ports\n` },
  ]);
  const look = (key: string) => onyx.resources?.get('port')?.interpret(given, { scope: '', key, uuid: null });
  expect(look('Eth1/1')).toEqual({ finding: 'PRESENT', values: { port: 'Eth1/1', mode: 'access', vlan: 7 } });
  expect(look('Eth1/2')).toMatchObject({ finding: 'UNREADABLE' });
  expect(look('Eth1/3')).toMatchObject({ finding: 'UNREADABLE' });
  expect(onyx.operations.get('port.list')?.interpret(given, {}, renderContext(onyx))).toMatchObject({
    state: 'SUCCEEDED',
    result: { ports: [{ port: 'Eth1/1' }, { port: 'Eth1/2', mode: null }, { port: 'Eth1/3', mode: null }] },
  });
});

test('only a reply about the session itself means that it has ended', () => {
  const refused = (reply: Reply) => reply.kind === 'http' && onyx.https?.refusedSession(reply);
  expect(refused(http({ status: 'ERROR', status_message: 'Authentication failure' }))).toBe(true);
  expect(refused(http('', { status: 302, headers: { location: '/admin/launch?script=rh' } }))).toBe(true);
  expect(refused(http({ results: [result('x', 'ERROR', 'Authentication failure')] }))).toBe(false);
  expect(refused(http(result('x', 'ERROR', 'Authentication failure')))).toBe(false);
  expect(refused(http({ status: 'ERROR', status_message: 'Internal error' }))).toBe(false);
});

test.each([
  ['switch-1 [standalone: master] > ', true],
  ['sw-spine-001 [mlag-domain: master] # ', true],
  ['switch-1 [standalone: master] (config) # ', true],
  ['switch-1 [standalone: master] (config interface ethernet 1/1) # ', true],
  ['il-sh54 # ', true],
  ['## Running database "initial"', false],
  ['   vlan 10 name "a #', false],
])('%j is a prompt: %s', (text, is) => {
  expect(onyx.cli?.prompt.test(text)).toBe(is);
});

test('lists of VLANs', () => {
  expect(vlanRanges([44, 42, 43, 50])).toEqual(['42-44', '50']);
  expect(vlansIn('2-4, 10')).toEqual([2, 3, 4, 10]);
  expect(vlansIn('')).toEqual([]);
  for (const bad of ['0', '4095', '5-3', 'all', '1-']) expect(vlansIn(bad)).toBeUndefined();
});
