import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { type DriverCaller, faultsOf } from '../../support/driver-caller.ts';
import { pieces, random, seed } from '../../support/generated-texts.ts';
import { switchCaller } from './support.ts';

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
  const tame = [...pieces.tame, ' '];
  const wild = pieces.wild(['\r', '\t', '\u0003', '\u0016', '"\nno vlan 42\n', '" exit']);
  const piece = () => random.pick(random.integer(1, 5) === 1 ? wild : tame);
  await callers[0]?.call('vlan.create', { vlan: 42, name: 'stays' });
  for (let round = 0; round < 400; round += 1) {
    const name = Array.from({ length: random.integer(1, 12) }, piece).join('');
    if (faultsOf(onyx, 'vlan.create', { vlan: 43, name }).length > 0) {
      refused += 1;
      continue;
    }
    const before = device.config.vlans.get(43);
    const args = { vlan: 43, name, ...(before === undefined ? {} : { replaces: { name: before.name } }) };
    expect([name, await random.pick(callers).call('vlan.create', args)]).toMatchObject([name, { state: 'SUCCEEDED' }]);
    expect(device.config.vlans.get(43)).toEqual({ name });
  }
  // Otherwise the test proves nothing.
  expect(refused).toBeGreaterThan(50);
  expect(refused).toBeLessThan(380);
  expect([...device.config.vlans]).toHaveLength(3);
  expect(device.config.vlans.get(42)).toEqual({ name: 'stays' });
});
