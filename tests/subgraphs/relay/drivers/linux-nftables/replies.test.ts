import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { ExecReply, JsonObject, WireCall } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';

import { checkedFor, operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

const operations = [...linuxNftables.operations.values()];
const reply = (changes: Partial<ExecReply>): ExecReply => ({
  kind: 'exec',
  exitCode: 0,
  stdout: '',
  stderr: '',
  truncated: false,
  ...changes,
});

/** Replies that are not answers of nft, with a description. */
const unreadable: [string, ExecReply][] = [
  ['nothing', reply({})],
  ['no JSON', reply({ stdout: 'Welcome to router 7\n' })],
  ['incomplete JSON', reply({ stdout: '{"nftables": [{"add": {"rule": {"fam' })],
  ['JSON of another kind', reply({ stdout: '[1, null, "x"]' })],
  ['an empty list', reply({ stdout: '{"nftables": []}' })],
  ['a list without objects', reply({ stdout: '{"nftables": [null]}' })],
  ['an echo of something else', reply({ stdout: '{"nftables": [{"add": {"counter": {"name": "x"}}}]}' })],
  ['a truncated reply', reply({ exitCode: null, truncated: true, stdout: '{"nftables": [' })],
  ['a signal', reply({ exitCode: null })],
  ['another exit status', reply({ exitCode: 255, stderr: 'Error: something' })],
  ['a refusal without a message', reply({ exitCode: 1 })],
  ['no room for the echo', reply({ exitCode: 1, stderr: 'netlink: Error: No buffer space available' })],
];

function exampleOf(operation: (typeof operations)[number]) {
  const checked = validateArguments(operation, operation.example);
  if (!checked.ok) throw new Error('the example does not fit');
  return checked.args;
}

/** libnftables-json(5): the forms of a set's type; the objects are those of nft 1.1.4 and later. */
test.each([
  ['ipv4_addr', 4],
  ['ipv6_addr', 6],
  [{ typeof: { payload: { protocol: 'ip', field: 'daddr' } } }, 4],
  [{ typeof: { payload: { protocol: 'ip6', field: 'saddr' } } }, 6],
  [{ typeof: { payload: { protocol: 'tcp', field: 'dport' } } }, null],
  [{ typeof: { payload: { protocol: 'ip', field: 'protocol' } } }, null],
  [['ipv4_addr', 'inet_service'], null],
  ['inet_service', null],
])('a set of the type %j has addresses of version %j', (type, ipVersion) => {
  const set = { family: 'inet', table: 'filter', name: 's', handle: 3, type, flags: 'interval' };
  const stdout = JSON.stringify({ nftables: [{ metainfo: { version: '1.1.5' } }, { set }] });
  const reader = linuxNftables.resources?.get('address-set');
  expect(reader?.interpret(reply({ stdout }), { scope: 'inet filter', key: 's', uuid: null })).toMatchObject({
    finding: 'PRESENT',
    values: { ipVersion, blocks: true },
  });
});

describe.each(operations.filter((operation) => operation.effect !== 'READ'))('$name', (operation) => {
  test.each(unreadable)('%s is not a verdict', (_what, given) => {
    expect(operation.interpret(given, exampleOf(operation), renderContext(linuxNftables))).toMatchObject({
      state: 'UNKNOWN',
      code: 'UNREADABLE_REPLY',
    });
  });

  test('a refusal quotes nft, at most 4096 characters', () => {
    const stderr = `internal:0:0-0: Error: ${'x'.repeat(10_000)}\n`;
    const outcome = operation.interpret(
      reply({ exitCode: 1, stderr }),
      exampleOf(operation),
      renderContext(linuxNftables),
    );
    expect(outcome).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
      message: expect.stringMatching(/^Error: x/),
    });
    expect('message' in outcome && outcome.message.length).toBe(4_096);
  });

  test('a device without nft has done nothing', () => {
    const given = reply({ exitCode: 127, stderr: 'sh: 1: nft: not found' });
    expect(operation.interpret(given, exampleOf(operation), renderContext(linuxNftables))).toEqual({
      state: 'FAILED',
      code: 'COMMAND_NOT_FOUND',
      message: 'sh: 1: nft: not found',
    });
  });

  test('a dry run that ends differently is a fault', () => {
    for (const given of [
      reply({ exitCode: 1, stderr: 'Error: no' }),
      reply({ exitCode: null }),
      reply({ truncated: true }),
    ]) {
      expect(operation.interpretDryRun?.(given, exampleOf(operation), renderContext(linuxNftables))).toMatchObject({
        state: 'FAILED',
      });
    }
  });
});

/** As nft echoes it: the input, with a handle for each rule, set and chain. */
const echoOf = (call: WireCall): string =>
  (call.kind === 'exec' ? (call.stdin ?? '') : '').replaceAll(/"(rule|set|chain)":\{/g, '"$1":{"handle":77,');

const others = [
  ['setElement.add', { set: 'blocked', address: '10.0.0.1' }, { set: 'blocked', address: '10.0.0.2' }],
  ['setElement.add', { set: 'blocked', address: '10.0.0.1' }, { set: 'allowed', address: '10.0.0.1' }],
  ['setElement.remove', { set: 'blocked', address: '10.0.0.1' }, { set: 'blocked', address: '10.0.0.2' }],
  ['rule.create', { name: 'mine', action: 'drop' }, { name: 'other', action: 'accept' }],
  ['rule.create', { name: 'mine', action: 'drop', chain: 'input' }, { name: 'mine', action: 'drop' }],
  ['set.create', { set: 'mine' }, { set: 'other' }],
  ['chain.create', { chain: 'mine' }, { chain: 'other' }],
  ['address.create', { name: 'mine', address: '10.0.0.1' }, { name: 'other', address: '10.0.0.1' }],
] as const;

test.each(others)('%s %j: the answer to the call for %j is no verdict', (name, mine, other) => {
  const context = renderContext(linuxNftables);
  const operation = operationOf(linuxNftables, name);
  const [args, otherArgs] = [mine, other].map((each) => checkedFor(linuxNftables, name, each)) as [
    JsonObject,
    JsonObject,
  ];
  const answer = (given: JsonObject) => reply({ stdout: echoOf(operation.render(given, context)) });
  expect(operation.interpret(answer(args), args, context)).toMatchObject({ state: 'SUCCEEDED' });
  expect(operation.interpret(answer(otherArgs), args, context)).toMatchObject({ state: 'UNKNOWN' });
});

test('the answer to another call on the same object is no verdict', () => {
  const args = checkedFor(linuxNftables, 'rule.create', { name: 'mine', action: 'drop' });
  const [mine, before] = [renderContext(linuxNftables), renderContext(linuxNftables)];
  const create = operationOf(linuxNftables, 'rule.create');
  const given = reply({ stdout: echoOf(create.render(args, before)) });
  expect(create.interpret(given, args, mine)).toMatchObject({ state: 'UNKNOWN' });
  for (const name of ['rule.delete', 'set.delete', 'address.delete']) {
    const remove = operationOf(linuxNftables, name);
    const removal = exampleOf(remove);
    const deleted = (id: string) => reply({ stdout: `nft deleted 7 tidegate-${id}\n` });
    expect(remove.interpret(deleted(mine.operationId), removal, mine)).toMatchObject({ state: 'SUCCEEDED' });
    expect(remove.interpret(deleted(before.operationId), removal, mine)).toMatchObject({ state: 'UNKNOWN' });
  }
});

describe.each(operations.filter((operation) => operation.probe !== undefined))('the probe of $name', (operation) => {
  test.each(unreadable)('does not take %s as absence', (_what, given) => {
    const found = operation.probe?.interpret(given, exampleOf(operation), renderContext(linuxNftables));
    expect(found).toMatchObject({ finding: 'UNREADABLE' });
  });
});

describe.each(operations.filter((operation) => operation.effect === 'READ'))('$name', (operation) => {
  test.each(unreadable.filter(([, given]) => !given.stdout.includes('counter')))(
    '%s is a failed read',
    (_what, given) => {
      expect(operation.interpret(given, exampleOf(operation), renderContext(linuxNftables))).toMatchObject({
        state: 'FAILED',
      });
    },
  );
});

test.each(unreadable)('health: %s is not a healthy device', (_what, given) => {
  expect(linuxNftables.health.interpret(given)).toBeUndefined();
});
