import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { openVswitch } from '../../../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import { describeWithOpenVswitch } from '../../../../support/openvswitch.ts';
import { type DriverCaller, faultsOf } from '../../support/driver-caller.ts';
import { empty, switchCaller } from './support.ts';

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

const fragments = [
  ...'abzAZ059_.-',
  ..." '`$;|&<>(){}[]*?!#~%^=+,:@/\\äß漢😀",
  '"',
  '\n',
  '\u0000',
  '\u202e',
  '\u2028',
  '$(id)',
  '`id`',
  '"]},{"op":"delete","table":"Bridge","where":[]},{"x":["',
  '; ovs-vsctl del-br br-a;',
  '["uuid","x"]',
  'tidegate-',
];
const text = () => Array.from({ length: 1 + random(8) }, () => pick(fragments)).join('');

const fits = (name: string, args: JsonObject) => faultsOf(openVswitch, name, args).length === 0;

test.each(['', 'a b', "a'b", 'a"b', 'a;b', 'a\nb', '-a', '.', '..', '$(id)', 'a/b', 'ä', 'x'.repeat(16)])(
  'a name like %j is refused before anything is sent',
  (hostile) => {
    expect(fits('bridge.create', { bridge: hostile })).toBe(false);
    expect(fits('port.add', { bridge: 'br-a', port: hostile })).toBe(false);
    expect(fits('port.vlan.set', { port: hostile, mode: 'access', vlan: 1 })).toBe(false);
    expect(fits('externalIds.set', { object: 'port', name: hostile, externalIds: { a: '1' } })).toBe(false);
    expect(fits('port.delete', { port: 'p1', uuid: hostile })).toBe(false);
  },
);

test("the relay's own marks can't be set from outside", () => {
  const externalIds = { 'tidegate-operation': randomUUID() };
  expect(fits('port.add', { bridge: 'br-a', port: 'p1', externalIds })).toBe(false);
  expect(fits('externalIds.set', { object: 'port', name: 'p1', externalIds })).toBe(false);
});

describeWithOpenVswitch('generated external ids', (ovs) => {
  const callers: DriverCaller[] = [];
  beforeAll(async () => {
    for (const wire of ['ovsdb', 'ssh'] as const) callers.push(await switchCaller(ovs(), wire));
    await empty(ovs());
    await callers[0]?.call('bridge.create', { bridge: 'br-a' });
  });
  afterAll(() => Promise.all(callers.map((caller) => caller.stop())));

  test(`are each one value, over both wires (seed ${seed})`, async () => {
    let refused = 0;
    for (let round = 0; round < 150; round += 1) {
      const externalIds = { [`key-${random(3)}`]: text(), [random(2) === 0 ? 'plain' : text()]: text() };
      if (!fits('externalIds.set', { object: 'bridge', name: 'br-a', externalIds })) {
        refused += 1;
        continue;
      }
      const caller = pick(callers);
      const set = await caller.call('externalIds.set', { object: 'bridge', name: 'br-a', externalIds });
      expect([externalIds, set]).toMatchObject([externalIds, { state: 'SUCCEEDED' }]);
      expect(await caller.look('bridge', { key: 'br-a' })).toMatchObject({
        finding: 'PRESENT',
        values: { externalIds },
      });
    }
    // Otherwise nothing is proved.
    expect(refused).toBeGreaterThan(20);
    expect(refused).toBeLessThan(130);
    expect((await ovs().vsctl('list-br')).stdout).toBe('br-a\n');
  });
});
