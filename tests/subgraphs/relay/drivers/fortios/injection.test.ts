// Names and comments with a special meaning to FortiOS are refused, and accepted ones are each one value: generated texts,
// compared with the simulated device's own parsing of paths and filters.

import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { FortiGate } from '../../../../../simulators/fortios/fortigate.ts';
import { tableOf } from '../../../../../simulators/fortios/tables.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { renderContext } from '../../support/render-context.ts';
import { faultsOf, RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const hostile: readonly string[] = [
  ...['', '.', '..', '...', './x', '../policy', 'a/b', 'a%2Fb', 'a\\b', 'a?vdom=root', 'a#b', 'a&global=1', ' a', 'a '],
  ...[
    'a"b',
    "a'b",
    'a,name==b',
    'a==b',
    'a=@b',
    'a|b',
    'a;b',
    'a<b>',
    'a(b)',
    'a\nb',
    'a\rend',
    'a\u0000b',
    'a\u2028b',
  ],
  ...['a\u202eb', '-a', '\u00e4', 'x'.repeat(80)],
];

const named = [...fortios.operations.values()].filter((operation) => 'name' in (operation.example ?? {}));

test.each(named)('$name refuses every hostile name', ({ name, example }) => {
  const let_through = hostile.filter((text) => faultsOf(name, { ...example, name: text }).length === 0);
  expect(let_through).toEqual([]);
});

test.each(named.filter(({ name }) => !name.startsWith('vdom.')))(
  '$name refuses every hostile domain',
  ({ name, example }) => {
    const let_through = hostile.filter((text) => faultsOf(name, { ...example, vdom: text }).length === 0);
    expect(let_through).toEqual([]);
  },
);

test.each([
  ['addressGroup.create', { name: 'g' }, 'members'],
  ['policy.create', fortios.operations.get('policy.create')?.example ?? {}, 'sourceAddresses'],
])('%s refuses hostile names in lists', (operation, args, list) => {
  expect(hostile.filter((text) => faultsOf(operation, { ...args, [list]: [text] }).length === 0)).toEqual([]);
});

test('no write has the path of a table', () => {
  const context = renderContext(fortios);
  for (const { name, render, example, effect } of fortios.operations.values()) {
    const call = render({ vdom: 'root', start: 0, count: 1, ...example }, context);
    if (effect === 'READ' || call.kind !== 'http' || call.method === 'POST') continue;
    const { pathname } = new URL(call.path, 'https://gate');
    expect([name, pathname]).toEqual([name, expect.stringMatching(/^\/api\/v2\/cmdb\/[\w.]+\/\w+\/[\w.%-]+$/)]);
  }
});

test('an invalid key makes no call, even where no schema checked it', () => {
  const remove = fortios.operations.get('address.delete');
  for (const name of ['', '.', '..']) {
    expect(() => remove?.render({ vdom: 'root', name }, renderContext(fortios))).toThrow();
  }
});

const seed = Number(process.env.TIDEGATE_TEST_SEED ?? randomInt(2 ** 31));
let state = seed;

/** Numbers from 0 to below `bound`, the same for the same seed (mulberry32). */
function random(bound: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
}

const pieces = [
  ...['a', 'Z', '0', '_', '-', '.', ' ', '..', 'all', 'none', 'tg:', '%2e', '%2F', '/', '\\', '?', '&', '=', '==', ','],
  ...[
    '|',
    '"',
    "'",
    '<',
    '(',
    '#',
    '\n',
    '\t',
    '\u0000',
    '\u00e4',
    '\u6f22',
    '\ud83d\ude00',
    '\u202e',
    '@',
    '*',
    ';',
    '$(id)',
  ],
];
const word = () => Array.from({ length: 1 + random(8) }, () => pieces[random(8)]).join('');
const text = () => Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)]).join('');

test(`generated names and comments are each one value (seed ${seed})`, async () => {
  const relayed = await RelayedGate.start();
  const wanted = new Map<string, string>();
  let refused = 0;
  for (let index = 0; index < 1_500; index += 1) {
    const name = random(2) === 0 ? text() : word();
    const comment = random(2) === 0 ? text() : word();
    const args: JsonObject = { name, address: '192.0.2.1', comment };
    if (faultsOf('address.create', args).length > 0 || ['all', 'none'].includes(name) || wanted.has(name)) refused += 1;
    else {
      await relayed.done('address.create', args);
      wanted.set(name, comment);
    }
  }
  // Otherwise nothing is proved.
  expect(refused).toBeGreaterThan(200);
  expect(wanted.size).toBeGreaterThan(100);
  for (const [name, comment] of wanted) {
    const seen = await relayed.look('address', { key: name });
    expect(seen).toMatchObject({ finding: 'PRESENT', values: { name, comment } });
  }
  const factory = ['all', 'none'];
  expect(namesIn(relayed.gate)).toEqual([...factory, ...wanted.keys()]);
  for (const name of wanted.keys()) await relayed.done('address.delete', { name });
  expect(namesIn(relayed.gate)).toEqual(factory);
});

function namesIn({ device }: FortiGate): readonly string[] {
  return device.cmdb.list('root', tableOf('firewall/address')).map(([name]) => name);
}
