import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { openVswitch } from '../../../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { describeWithOpenVswitch } from '../../../../support/servers/openvswitch.ts';
import type { Called, DriverCaller } from '../../support/driver-caller.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { contents, empty, switchCaller } from './support.ts';

const uuidOf = (outcome: Called): string => {
  if (outcome.state !== 'SUCCEEDED' || outcome.uuid === undefined) throw new Error(JSON.stringify(outcome));
  return outcome.uuid;
};

const resultOf = (outcome: Called): JsonObject => {
  if (outcome.state !== 'SUCCEEDED') throw new Error(JSON.stringify(outcome));
  return outcome.result as JsonObject;
};

describeWithOpenVswitch('openvswitch', (ovs) => {
  beforeEach(() => empty(ovs()));

  describe.each(['ovsdb', 'ssh'] as const)('over %s', (wire) => {
    let device: DriverCaller;
    beforeAll(async () => {
      device = await switchCaller(ovs(), wire);
    });
    afterAll(() => device.stop());

    const put = (kind: 'bridge' | 'port') => async (what: 'nothing' | 'another') => {
      await ovs().vsctl('--', '--if-exists', 'del-br', 'br-f');
      if (kind === 'port' || what === 'another') await ovs().vsctl('add-br', 'br-f');
      if (kind === 'port' && what === 'another')
        await ovs().vsctl('add-port', 'br-f', 'pf', 'tag=9', '--', 'set', 'Interface', 'pf', 'type=internal');
    };
    const labelled = (kind: string, name: string) => () => ({ object: kind, name, externalIds: { 'cmp-id': '42' } });
    const state = () => contents(ovs());
    foreignObjects(openVswitch, () => device, {
      bridge: {
        create: ['bridge.create', { bridge: 'br-f' }],
        updates: { 'externalIds.set': labelled('bridge', 'br-f') },
        ...{ put: put('bridge'), state },
      },
      port: {
        create: ['port.add', { bridge: 'br-f', port: 'pf', interfaceType: 'internal' }],
        updates: {
          'port.vlan.set': () => ({ port: 'pf', mode: 'access', vlan: 7 }),
          'externalIds.set': labelled('port', 'pf'),
        },
        ...{ put: put('port'), state },
      },
      interface: {
        ...{ create: 'pf', updates: { 'externalIds.set': labelled('interface', 'pf') }, put: put('port'), state },
      },
    });

    test("a bridge with someone else's port is not deleted", async () => {
      const uuid = uuidOf(await device.call('bridge.create', { bridge: 'br-a' }));
      const removal = ['bridge.delete', { bridge: 'br-a', uuid }] as const;
      await ovs().vsctl('add-port', 'br-a', 'theirs', '--', 'set', 'Interface', 'theirs', 'type=internal');
      const before = await contents(ovs());
      expect(await device.call(...removal)).toMatchObject({ state: 'FAILED', code: 'IN_USE' });
      expect(await device.dryRun(...removal)).toMatchObject({ state: 'FAILED', code: 'IN_USE' });
      expect(await contents(ovs())).toBe(before);
      await ovs().vsctl('del-port', 'br-a', 'theirs');
      expect(await device.dryRun(...removal)).toEqual({ state: 'SUCCEEDED', result: null });
      expect(await device.call(...removal)).toMatchObject({ state: 'SUCCEEDED' });
    });

    test('reports its version and its identity', async () => {
      expect(await device.health()).toEqual({
        softwareVersion: 'Open vSwitch 3.1.0',
        serial: '6f1d1a2e-5c47-4b0e-9d1c-7a52c3c8a001',
      });
      expect(await device.call('switch.read')).toMatchObject({
        state: 'SUCCEEDED',
        result: { version: '3.1.0', datapathTypes: ['netdev'] },
      });
    });

    test('the life of a bridge', async () => {
      const externalIds = { 'cmp-id': '42' };
      await live(device, {
        ...{ kind: 'bridge', create: { bridge: 'br-a', externalIds }, uuid: expect.any(String) },
        ...{ object: { resource: 'bridge', scope: '', key: 'br-a' }, beside: { datapathType: 'netdev' } },
        list: [{}, ({ uuid, mark, values }) => ({ bridges: [expect.objectContaining({ uuid, ...mark, ...values })] })],
        async made({ uuid, removal }) {
          expect((await ovs().vsctl('get', 'Bridge', 'br-a', '_uuid')).stdout.trim()).toBe(uuid);
          expect((await ovs().vsctl('list-ports', 'br-a')).stdout).toBe('');
          expect(removal.arguments).toEqual({ bridge: 'br-a', uuid });
        },
        gone: async () => expect((await ovs().vsctl('list', 'Port')).stdout).toBe(''),
      });
    });

    test("the database's own log names the call of every change, even where no row keeps a mark", async () => {
      const [add, set] = [randomUUID(), randomUUID()];
      await device.done('bridge.create', { bridge: 'br-a' });
      await device.done('port.add', { bridge: 'br-a', port: 'p1', interfaceType: 'internal' }, add);
      await device.done('port.vlan.set', { port: 'p1', mode: 'access', vlan: 42 }, set);
      const { stdout } = await ovs().inside('ovsdb-tool', 'show-log', ovs().databasePath);
      for (const id of [add, set]) expect(stdout.split(`"tidegate ${id}"`)).toHaveLength(2);
    });

    test('the switch applies created objects', async () => {
      await device.call('bridge.create', { bridge: 'br-a' });
      const made = await device.call('port.add', { bridge: 'br-a', port: 'p1', interfaceType: 'internal' });
      const { configuration } = resultOf(made);
      await waitFor('the switch to catch up', async () => {
        return Number(resultOf(await device.call('switch.read')).applied) >= Number(configuration);
      });
      expect(await device.call('port.list', { bridge: 'br-a' })).toMatchObject({
        result: {
          ports: expect.arrayContaining([
            expect.objectContaining({ port: 'p1', bridge: 'br-a', openFlowPort: 1, error: null }),
          ]),
        },
      });
      expect((await ovs().inside('ip', '-br', 'link')).stdout).toMatch(/^p1 /m);
    });

    test.each<[JsonObject, string, string, string, JsonObject]>([
      [{}, '[]', '[]', '[]', { mode: null }],
      [{ mode: 'access', vlan: 42 }, '42', '[]', 'access', { mode: 'access', vlan: 42 }],
      [{ mode: 'trunk', allowedVlans: [43, 42] }, '[]', '[42, 43]', 'trunk', { mode: 'trunk', allowedVlans: [42, 43] }],
      [
        { mode: 'hybrid', vlan: 1, allowedVlans: [4094] },
        '1',
        '[4094]',
        'native-untagged',
        { mode: 'hybrid', vlan: 1, allowedVlans: [4094] },
      ],
    ])('the life of a port with %j', async (settings, tag, trunks, mode, values) => {
      await device.call('bridge.create', { bridge: 'br-a' });
      const internal = { bridge: 'br-a', port: 'p1', interfaceType: 'internal' };
      const isSet = async () => {
        const { stdout } = await ovs().vsctl('get', 'Port', 'p1', 'tag', 'trunks', 'vlan_mode');
        expect(stdout.trim().split('\n')).toEqual([tag, trunks, mode]);
      };
      await live(device, {
        ...{ kind: 'port', operations: { create: 'port.add', update: 'port.vlan.set' }, uuid: expect.any(String) },
        create: { ...internal, ...settings },
        ...(settings.mode === undefined ? {} : { change: { port: 'p1', ...settings } }),
        async made(made) {
          await isSet();
          expect(made.values).toEqual({ ...internal, interfaceOptions: {}, externalIds: {}, ...values });
          // The same on a port that had another mode.
          const before = { port: 'p1', mode: 'hybrid', vlan: 7, allowedVlans: [8, 9] };
          if (settings.mode !== undefined) await device.done('port.vlan.set', before);
        },
        changed: isSet,
        gone: async () => expect((await ovs().vsctl('list', 'Interface')).stdout).not.toContain('p1'),
      });
    });

    test('a bridge keeps its own port', async () => {
      await device.call('bridge.create', { bridge: 'br-a' });
      const own = (await ovs().vsctl('get', 'Port', 'br-a', '_uuid')).stdout.trim();
      expect(await device.call('port.delete', { port: 'br-a', uuid: own })).toMatchObject({ state: 'FAILED' });
    });

    test("external IDs are set, replaced and removed; others and the relay's marks stay", async () => {
      await device.call('bridge.create', { bridge: 'br-a' });
      const operationId = randomUUID();
      const args = { bridge: 'br-a', port: 'p1', interfaceType: 'internal', externalIds: { a: '1', b: '2' } };
      await device.call('port.add', args, operationId);
      const set = { object: 'port', name: 'p1', externalIds: { a: null, b: 'zwei "2" {; \\', c: '3' } };
      expect(await device.call('externalIds.set', set)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await device.call('externalIds.set', set)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await device.look('port', { key: 'p1' })).toMatchObject({
        operationId,
        values: { externalIds: { b: 'zwei "2" {; \\', c: '3' } },
      });
      const vif = { object: 'interface', name: 'p1', externalIds: { 'iface-id': 'vif-1' } };
      expect(await device.call('externalIds.set', vif)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await device.look('interface', { key: 'p1' })).toMatchObject({
        values: { externalIds: { 'iface-id': 'vif-1' } },
      });
    });

    test('tunnels have options', async () => {
      await device.call('bridge.create', { bridge: 'br-a' });
      const args = {
        ...{ bridge: 'br-a', port: 'vx1', interfaceType: 'vxlan' },
        interfaceOptions: { remote_ip: '192.0.2.7', key: '42' },
      };
      expect(await device.call('port.add', args)).toMatchObject({ state: 'SUCCEEDED' });
      expect((await ovs().vsctl('get', 'Interface', 'vx1', 'options')).stdout.trim()).toBe(
        '{key="42", remote_ip="192.0.2.7"}',
      );
      expect(await device.look('port', { key: 'vx1' })).toMatchObject({ values: args });
    });

    test('the typed mutation sets VLANs, on a bridge only if the port belongs to it', async () => {
      await device.call('bridge.create', { bridge: 'br-a' });
      await device.call('port.add', { bridge: 'br-a', port: 'p1', interfaceType: 'internal' });
      const typed = (input: JsonObject) => {
        const call = openVswitch.typed.switchPortVlanSet?.(input);
        if (call === undefined) throw new Error('not supported');
        return device.call(call.operation, call.arguments);
      };
      const input = { port: 'p1', mode: 'ACCESS', vlan: 7 };
      expect(await typed(input)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await typed({ ...input, scope: 'br-a' })).toMatchObject({ state: 'SUCCEEDED' });
      expect(await typed({ ...input, scope: 'br-b' })).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
      expect(openVswitch.typed.switchVlanCreate).toBeUndefined();
    });

    test('a refusal changes nothing and gives the reason, and so does a dry run', async () => {
      await device.call('bridge.create', { bridge: 'br-a' });
      await device.call('port.add', { bridge: 'br-a', port: 'p1', interfaceType: 'internal' });
      const bridgeUuid = (await ovs().vsctl('get', 'Bridge', 'br-a', '_uuid')).stdout.trim();
      const emptyUuid = uuidOf(await device.call('bridge.create', { bridge: 'br-e' }));
      const elsewhere = randomUUID();
      const before = await contents(ovs());
      for (const [name, args, code] of [
        ['bridge.create', { bridge: 'br-a' }, 'ALREADY_EXISTS'],
        ['bridge.create', { bridge: 'p1' }, 'ALREADY_EXISTS'],
        ['bridge.delete', { bridge: 'br-b', uuid: bridgeUuid }, 'NOT_FOUND'],
        ['bridge.delete', { bridge: 'br-a', uuid: elsewhere }, 'NOT_FOUND'],
        ['bridge.delete', { bridge: 'br-a', uuid: bridgeUuid }, 'IN_USE'],
        ['port.add', { bridge: 'br-a', port: 'p1' }, 'ALREADY_EXISTS'],
        ['port.add', { bridge: 'br-a', port: 'br-a' }, 'ALREADY_EXISTS'],
        ['port.add', { bridge: 'br-b', port: 'p2' }, 'NOT_FOUND'],
        ['port.delete', { port: 'p1', uuid: elsewhere }, 'NOT_FOUND'],
        ['port.vlan.set', { port: 'p2', mode: 'access', vlan: 2 }, 'NOT_FOUND'],
        ['port.vlan.set', { port: 'p1', uuid: elsewhere, mode: 'access', vlan: 2 }, 'CHANGED'],
        ['externalIds.set', { object: 'port', name: 'p2', externalIds: { a: '1' } }, 'NOT_FOUND'],
      ] as const) {
        expect([name, await device.call(name, args)]).toMatchObject([name, { state: 'FAILED', code }]);
        expect([name, await device.dryRun(name, args)]).toMatchObject([name, { state: 'FAILED', code }]);
      }
      for (const [name, args] of [
        ['bridge.create', { bridge: 'br-b' }],
        ['bridge.delete', { bridge: 'br-e', uuid: emptyUuid }],
        ['port.add', { bridge: 'br-a', port: 'p2', mode: 'access', vlan: 2 }],
        ['port.vlan.set', { port: 'p1', mode: 'access', vlan: 2 }],
        ['externalIds.set', { object: 'port', name: 'p1', externalIds: { a: '1' } }],
      ] as const) {
        expect([name, await device.dryRun(name, args)]).toEqual([name, { state: 'SUCCEEDED', result: null }]);
      }
      expect(await contents(ovs())).toBe(before);
    });

    test('14 calls at once: none fails, each is executed once', async () => {
      const many = await switchCaller(ovs(), wire, 14);
      await many.call('bridge.create', { bridge: 'br-a' });
      const ports = Array.from({ length: 14 }, (_, index) => `p${index}`);
      const outcomes = await Promise.all(
        ports.map((port) => many.call('port.add', { bridge: 'br-a', port, interfaceType: 'internal' })),
      );
      expect(outcomes.map(({ state }) => state)).toEqual(ports.map(() => 'SUCCEEDED'));
      expect((await ovs().vsctl('list-ports', 'br-a')).stdout.trim().split('\n').sort()).toEqual([...ports].sort());
      await many.stop();
    });
  });
});
