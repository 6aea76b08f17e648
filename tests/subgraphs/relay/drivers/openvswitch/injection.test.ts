import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openVswitch } from '../../../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import { describeWithOpenVswitch } from '../../../../support/servers/openvswitch.ts';
import { type DriverCaller, faultsOf } from '../../support/driver-caller.ts';
import { pieces, random, seed, text } from '../../support/generated-texts.ts';
import { empty, switchCaller } from './support.ts';

const wild = pieces.wild([
  '"]},{"op":"delete","table":"Bridge","where":[]},{"x":["',
  ...['; ovs-vsctl del-br br-a;', '["uuid","x"]', 'tidegate-'],
]);

describeWithOpenVswitch('generated external IDs', (ovs) => {
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
      const key = random.pick(['plain', text(wild, 8)]);
      const externalIds = { [`key-${random.integer(0, 2)}`]: text(wild, 8), [key]: text(wild, 8) };
      const args = { object: 'bridge', name: 'br-a', externalIds };
      if (faultsOf(openVswitch, 'externalIds.set', args).length > 0) {
        refused += 1;
        continue;
      }
      const caller = random.pick(callers);
      expect([externalIds, await caller.call('externalIds.set', args)]).toMatchObject([
        externalIds,
        { state: 'SUCCEEDED' },
      ]);
      expect(await caller.look('bridge', { key: 'br-a' })).toMatchObject({
        finding: 'PRESENT',
        values: { externalIds },
      });
    }
    // Otherwise the test proves nothing.
    expect(refused).toBeGreaterThan(20);
    expect(refused).toBeLessThan(130);
    expect((await ovs().vsctl('list-br')).stdout).toBe('br-a\n');
  });
});
