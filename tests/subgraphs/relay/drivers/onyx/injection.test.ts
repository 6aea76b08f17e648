import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { type DriverCaller, faultsOf } from '../../support/driver-caller.ts';
import { switchCaller } from './support.ts';

const seed = Number(process.env.TIDEGATE_TEST_SEED ?? randomInt(2 ** 31));
let state = seed;

/** Numbers from 0 to below `bound`, the same for the same seed (mulberry32). */
function random(bound: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
}

function pick<T>(from: readonly T[]): T {
  return from[random(from.length)] as T;
}

const tame = [...'abzAZ059_. -'];
const wild = [
  ..." '`$;|&<>(){}[]*?!#~%^=+,:@/\\äß漢😀",
  '"',
  '\n',
  '\r',
  '\t',
  '\u0000',
  '\u0016',
  '\u0003',
  '\u2028',
  '"\nno vlan 42\n',
  '" exit',
];
const text = () => Array.from({ length: 1 + random(12) }, () => pick(random(5) === 0 ? wild : tame)).join('');

const fits = (name: string, args: JsonObject) => faultsOf(onyx, name, args).length === 0;

test.each(['', ' x', 'a"b', 'a;b\n', 'a\nb', 'a\\b', 'a?b', '-a', 'ä', 'x'.repeat(65), 'a\u0016b', 'a|b'])(
  'a name like %j is refused before anything is sent',
  (hostile) => {
    expect(fits('vlan.create', { vlan: 42, name: hostile })).toBe(false);
    expect(fits('mlag.vip.set', { group: hostile, address: '192.0.2.1', prefixLength: 24 })).toBe(false);
  },
);

test.each(['', '1', '1/1 shutdown', '1/1\nexit', 'Eth1/1;', 'vlan 1', 'Po', 'Po0', '1-4', 'mgmt0'])(
  'a port like %j is refused before anything is sent',
  (hostile) => {
    expect(fits('port.vlan.set', { port: hostile, mode: 'access', vlan: 1 })).toBe(false);
    expect(fits('lag.member.add', { lag: 22, port: hostile })).toBe(false);
  },
);

test.each([
  '',
  '192.0.2',
  '192.0.2.1 force',
  '192.0.2.01',
  '192.0.02.1',
  '010.0.0.1',
  '00.0.0.1',
  '256.0.0.1',
  '2001:db8::1',
])('an address like %j is refused before anything is sent', (hostile) =>
  expect(fits('mlag.vip.set', { group: 'pair-1', address: hostile, prefixLength: 24 })).toBe(false),
);

test.each(['0.0.0.0', '9.10.99.100', '192.0.2.1', '249.250.255.199'])('the address %j is accepted', (address) => {
  expect(fits('mlag.vip.set', { group: 'pair-1', address, prefixLength: 24 })).toBe(true);
});

let device: OnyxSwitch;
const callers: DriverCaller[] = [];
beforeAll(async () => {
  device = await OnyxSwitch.start();
  for (const wire of ['ssh', 'https'] as const) callers.push(switchCaller(device, wire));
});
afterAll(async () => {
  await Promise.all(callers.map((caller) => caller.stop()));
  await device.stop();
});

test(`generated names are each one name to the switch, over both wires (seed ${seed})`, async () => {
  let refused = 0;
  await callers[0]?.call('vlan.create', { vlan: 42, name: 'stays' });
  for (let round = 0; round < 400; round += 1) {
    const name = text();
    if (!fits('vlan.create', { vlan: 43, name })) {
      refused += 1;
      continue;
    }
    const before = device.config.vlans.get(43);
    const args = { vlan: 43, name, ...(before === undefined ? {} : { replaces: { name: before.name } }) };
    expect([name, await pick(callers).call('vlan.create', args)]).toMatchObject([name, { state: 'SUCCEEDED' }]);
    expect(device.config.vlans.get(43)).toEqual({ name });
  }
  // Otherwise nothing is proved.
  expect(refused).toBeGreaterThan(50);
  expect(refused).toBeLessThan(380);
  expect([...device.config.vlans]).toHaveLength(3);
  expect(device.config.vlans.get(42)).toEqual({ name: 'stays' });
});
