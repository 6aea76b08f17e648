import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newSwitchport } from '../../../../../simulators/onyx/state.ts';
import { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import type { DriverCaller } from '../../support/driver-caller.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { switchCaller } from './support.ts';

/** Version 3.6.5000 has other output formats. */
describe.each([
  ['ssh', '3.7.1102'],
  ['ssh', '3.6.5000'],
  ['https', '3.10.4302'],
  ['https', '3.6.5000'],
] as const)('onyx over %s, version %s', (wire, version) => {
  let device: OnyxSwitch;
  let caller: DriverCaller;
  beforeEach(async () => {
    device = await OnyxSwitch.start({ version });
    caller = switchCaller(device, wire);
  });
  afterEach(async () => {
    await caller.stop();
    await device.stop();
  });

  test('reports its version and its serial number', async () => {
    const product = version.startsWith('3.6.5') ? 'MLNX-OS' : 'Onyx';
    expect(await caller.health()).toEqual({ softwareVersion: `${product} ${version}`, serial: 'MT1708X07233' });
    expect(await caller.call('system.read')).toMatchObject({ result: { product, version, model: 'x86onie' } });
  });

  test('the life of a VLAN, including a rename', async () => {
    const ports = Array.from({ length: 16 }, (_, index) => `Eth1/${index + 1}`).sort();
    await live(caller, {
      ...{ kind: 'vlan', create: { vlan: 42, name: 'tenant 42' }, result: () => ({ vlan: 42 }), again: 'SUCCEEDED' },
      ...{
        unmarked: true,
        beside: {},
        mapped: ({ set }) => ({ recorded: set }),
        object: { resource: 'vlan', scope: '', key: '42' },
      },
      list: [
        {},
        ({ values }) => ({
          vlans: [
            { vlan: 1, name: 'default', ports },
            { ...values, ports: [] },
          ],
        }),
      ],
      async made() {
        const name = () => device.config.vlans.get(42)?.name;
        expect(name()).toBe('tenant 42');
        for (const [from, to] of [['tenant 42', 'tenant-42'] as const, ['tenant-42', 'tenant 42'] as const]) {
          const renamed = { vlan: 42, name: to, replaces: { name: from } };
          expect(await caller.call('vlan.create', renamed)).toMatchObject({ state: 'SUCCEEDED' });
          expect(name()).toBe(to);
        }
      },
    });
    expect(await caller.call('vlan.delete', { vlan: 42, name: 'tenant 42' })).toEqual({
      ...{ state: 'FAILED', code: 'NOT_FOUND', message: 'The switch has no VLAN 42.', absent: true },
    });
  });

  test.each<[JsonObject, JsonObject, JsonObject]>([
    [{ mode: 'access', vlan: 42 }, { mode: 'access', access: 42 }, {}],
    [{ mode: 'trunk', allowedVlans: [44, 42, 43, 50] }, { mode: 'trunk' }, { allowedVlans: [42, 43, 44, 50] }],
    [{ mode: 'hybrid', vlan: 42, allowedVlans: [44] }, { mode: 'hybrid', access: 42 }, { allowedVlans: [44] }],
  ])('a port is set to %j', async (settings, config, more) => {
    for (const vlan of [42, 43, 44, 50, 60]) await caller.call('vlan.create', { vlan });
    await caller.call('lag.create', { lag: 22 });
    for (const [port, key] of [
      ['1/4', 'Eth1/4'],
      ['Po22', 'Po22'],
    ] as const) {
      // The previous mode's settings are gone.
      const before = { port, mode: 'trunk', allowedVlans: [60] };
      expect(await caller.call('port.vlan.set', before)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await caller.call('port.vlan.set', { port, ...settings })).toEqual({
        state: 'SUCCEEDED',
        result: { port: key },
      });
      const now = key === 'Po22' ? device.config.portChannels.get(22) : device.config.ethernet.get('1/4');
      expect(now).toMatchObject(config);
      const found = await caller.look('port', { key });
      expect(found).toEqual({ finding: 'PRESENT', values: { port: key, ...settings, ...more } });
      const desired = caller.desired('port.vlan.set', { port, ...settings });
      for (const [name, value] of Object.entries(desired)) {
        expect([name, found.finding === 'PRESENT' ? (found.values[name] ?? null) : undefined]).toEqual([name, value]);
      }
    }
    expect(await caller.call('port.list')).toMatchObject({
      result: { ports: expect.arrayContaining([expect.objectContaining({ port: 'Po22' })]) },
    });
  });

  test("a port in an unsupported mode hides no other port, and differs from every call's settings", async () => {
    for (const [name, mode] of [['1/8', 'access-dcb'] as const, ['1/9', 'dot1q-tunnel'] as const]) {
      const port = device.config.ethernet.get(name);
      if (port) port.mode = mode;
    }
    const listed = await caller.done('port.list');
    expect(listed.ports).toHaveLength(16);
    expect(listed.ports).toContainEqual({ port: 'Eth1/8', mode: 'access-dcb', vlan: 1 });
    expect(await caller.look('port', { key: 'Eth1/9' })).toEqual({
      finding: 'PRESENT',
      values: { port: 'Eth1/9', mode: 'dot1q-tunnel', vlan: 1 },
    });
    expect(await caller.look('port', { key: 'Eth1/1' })).toMatchObject({ values: { mode: 'access', vlan: 1 } });
    // It is set like any other port.
    await caller.done('port.vlan.set', { port: '1/9', mode: 'access', vlan: 1 });
    expect(await caller.look('port', { key: 'Eth1/9' })).toMatchObject({ values: { mode: 'access' } });
  });

  test('text after the JSON is cut off', async () => {
    device.knobs.jsonTrailer = '\nswitch-1: 16 interfaces listed\n';
    expect(await caller.call('port.list')).toMatchObject({ state: 'SUCCEEDED' });
    expect(await caller.health()).toBeDefined();
  });

  test('the life of a port-channel and of its member', async () => {
    const member = { lag: 22, port: '1/7' };
    const kept = { again: 'SUCCEEDED', unmarked: true } as const;
    const join = () =>
      live(caller, {
        ...{ ...kept, kind: 'lag.member', create: member, beside: { port: 'Eth1/7', lacp: true } },
        operations: { create: 'lag.member.add', delete: 'lag.member.remove', list: 'lag.list' },
        object: { resource: 'lag-member', scope: 'Po22', key: 'Eth1/7' },
        list: [{}, () => ({ lags: [{ lag: 22, lacp: true, members: ['Eth1/7'] }] })],
        async made() {
          expect(device.config.ethernet.get('1/7')?.group).toEqual({ channel: 22, mode: 'active' });
          expect(await caller.look('port', { key: 'Eth1/7' })).toMatchObject({ finding: 'UNREADABLE' });
          expect(await caller.refused('lag.delete', { lag: 22 })).toBe('FAILED CHANGED');
        },
      });
    await live(caller, {
      ...{ ...kept, kind: 'lag', create: { lag: 22 }, object: { resource: 'lag', scope: '', key: 'Po22' } },
      async made() {
        const refused = { state: 'FAILED', code: 'DEVICE_REFUSED', message: 'LACP is not enabled' };
        expect(await caller.call('lag.member.add', member)).toMatchObject(refused);
        expect(await caller.call('lacp.enable')).toMatchObject({ state: 'SUCCEEDED' });
        await join();
      },
    });
  });

  test('the life of the virtual address of a pair', async () => {
    const vip = { group: 'pair-1', address: '192.0.2.1', prefixLength: 24 };
    expect(await caller.call('mlag.vip.set', vip)).toMatchObject({ state: 'FAILED' });
    device.config.mlagProtocol = true;
    await live(caller, {
      ...{
        kind: 'mlag.vip',
        create: vip,
        again: 'SUCCEEDED',
        unmarked: true,
        beside: {},
        mapped: ({ set }) => ({ recorded: set }),
      },
      operations: { create: 'mlag.vip.set', list: 'mlag.vip.read' },
      ...{ object: { resource: 'mlag-vip', scope: '', key: 'mlag-vip' } },
      list: [
        {},
        ({ values }) => ({ vip: values, nodes: [{ name: 'switch-1', address: '192.0.2.10', state: 'master' }] }),
      ],
      made: () => expect(device.config.mlagShutdown).toBe(false),
    });
  });

  const ports = (...channels: readonly (readonly [port: string, channel: number])[]) => {
    for (const [port, channel] of channels) {
      device.config.portChannels.set(channel, { ...newSwitchport(), ipl: undefined });
      const ethernet = device.config.ethernet.get(port);
      if (ethernet !== undefined) ethernet.group = { channel, mode: 'on' };
    }
  };
  const shown = async () => structuredClone(device.config);
  foreignObjects(onyx, () => caller, {
    vlan: {
      create: ['vlan.create', { vlan: 42, name: 'tenant-42' }],
      async put(what) {
        device.config.vlans.delete(42);
        if (what === 'another') device.config.vlans.set(42, { name: 'management' });
      },
      state: shown,
    },
    lag: {
      create: ['lag.create', { lag: 22 }],
      async put(what) {
        clear();
        if (what === 'another') ports(['1/8', 22]);
      },
      state: shown,
      // Its members are not recorded.
      adopts: false,
    },
    'lag-member': {
      create: ['lag.member.add', { lag: 22, port: '1/7', mode: 'on' }],
      async put(what) {
        clear();
        device.config.portChannels.set(22, { ...newSwitchport(), ipl: undefined });
        if (what === 'another') ports(['1/7', 23]);
      },
      state: shown,
      // A member of another port-channel has another name.
      adopts: false,
    },
    'mlag-vip': {
      create: ['mlag.vip.set', { group: 'pair-1', address: '192.0.2.1', prefixLength: 24 }],
      async put(what) {
        device.config.mlagProtocol = true;
        device.config.mlagVip = what === 'another' ? { group: 'pair-2', address: '192.0.2.9/24' } : undefined;
      },
      state: shown,
    },
  });

  function clear(): void {
    device.config.portChannels.clear();
    for (const port of device.config.ethernet.values()) port.group = undefined;
  }

  test('saved changes survive a reload', async () => {
    await caller.call('vlan.create', { vlan: 42 });
    expect(await caller.call('config.save')).toEqual({ state: 'SUCCEEDED', result: null });
    await caller.call('vlan.create', { vlan: 43 });
    device.reload();
    const after = switchCaller(device, wire);
    expect(await after.look('vlan', { key: '42' })).toMatchObject({ finding: 'PRESENT' });
    expect(await after.look('vlan', { key: '43' })).toEqual({ finding: 'ABSENT' });
    await after.stop();
  });

  test('the typed mutations', async () => {
    const typed = (name: string, input: JsonObject) => {
      const call = onyx.typed[name]?.(input);
      return call && caller.call(call.operation, call.arguments);
    };
    expect(await typed('switchVlanCreate', { vlan: 42, name: 'tenant-42' })).toMatchObject({ state: 'SUCCEEDED' });
    const port = { port: 'Eth1/4', mode: 'ACCESS', vlan: 42 };
    expect(await typed('switchPortVlanSet', port)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await typed('switchPortVlanSet', { ...port, scope: 'br0' })).toBeUndefined();
    expect(device.config.ethernet.get('1/4')).toMatchObject({ mode: 'access', access: 42 });
  });

  test('a partly refused block names the refused part', async () => {
    await caller.call('vlan.create', { vlan: 42 });
    const args = { port: '1/4', mode: 'trunk', allowedVlans: [42, 99] };
    expect(await caller.call('port.vlan.set', args)).toEqual({
      state: 'FAILED',
      code: 'PARTLY_APPLIED',
      message:
        '3 of 4 lines were carried out. The switch refused: interface ethernet 1/4 switchport trunk allowed-vlan add 99: VLAN 99 does not exist',
    });
    expect(await caller.call('port.vlan.set', { port: '1/99', mode: 'access', vlan: 42 })).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('does not exist'),
    });
    // The session can still be used.
    expect(await caller.call('vlan.list')).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('a connection that breaks before or after the change leaves no verdict; nothing is sent twice', async () => {
    device.faults.plan('DROP_BEFORE_APPLYING');
    expect(await caller.send(caller.render('vlan.create', { vlan: 42, name: 'one' }))).toMatchObject({
      ok: false,
      failure: { kind: 'NO_VERDICT', code: 'CONNECTION_LOST' },
    });
    expect(await caller.look('vlan', { key: '42' })).toEqual({ finding: 'ABSENT' });
    device.faults.plan('DROP_AFTER_APPLYING');
    expect(await caller.send(caller.render('vlan.create', { vlan: 43 }))).toMatchObject({
      ok: false,
      failure: { kind: 'NO_VERDICT', code: 'CONNECTION_LOST' },
    });
    expect(await caller.look('vlan', { key: '43' })).toMatchObject({ finding: 'PRESENT' });
    expect(device.log.entries.filter(({ action }) => action === 'vlan 43')).toHaveLength(1);
  });

  test('a switch that stops answering leaves no verdict at the deadline', async () => {
    await caller.done('vlan.create', { vlan: 42 });
    device.faults.plan('SILENT_AFTER_APPLYING');
    expect(await caller.send(caller.render('vlan.delete', { vlan: 42 }), 200)).toMatchObject({
      ok: false,
      failure: { kind: 'NO_VERDICT', code: 'NO_REPLY' },
    });
    expect(await caller.call('vlan.list')).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('14 calls at once on a switch that allows 2 sessions: none fails, each is executed once', async () => {
    device.knobs.maxShells = 2;
    device.knobs.maxWebSessions = 2;
    device.faults.knobs.latencyMs = 20;
    const many = switchCaller(device, wire, { concurrency: 14 });
    const vlans = Array.from({ length: 14 }, (_, index) => 100 + index);
    const outcomes = await Promise.all(vlans.map((vlan) => many.call('vlan.create', { vlan, name: `v${vlan}` })));
    expect(outcomes.map(({ state }) => state)).toEqual(vlans.map(() => 'SUCCEEDED'));
    for (const vlan of vlans) expect(device.log.carrying(`v${vlan}`)).toHaveLength(1);
    if (wire === 'ssh') expect(device.shells.most).toBe(2);
    await many.stop();
    if (wire === 'https') expect(device.api.sessions).toBe(0);
  });

  test('a wrong password is tried once, whatever the number of waiting calls', async () => {
    const wrong = switchCaller(device, wire, { password: 'wrong' });
    const results = await Promise.all([1, 2, 3].map(() => wrong.send(wrong.render('vlan.list'))));
    for (const result of results) expect(result).toMatchObject({ failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
    expect(device.attempts.filter((password) => password === 'wrong')).toHaveLength(1);
    await wrong.stop();
  });
});

describe('web sessions', () => {
  test('a session that the switch has dropped is opened again, and the call arrives once', async () => {
    const device = await OnyxSwitch.start();
    const caller = switchCaller(device, 'https');
    await caller.call('vlan.create', { vlan: 42 });
    device.api.forgetSessions();
    expect(await caller.call('vlan.create', { vlan: 43 })).toMatchObject({ state: 'SUCCEEDED' });
    expect(device.api.logins).toBe(2);
    expect(device.log.entries.filter(({ action }) => action === 'vlan 43')).toHaveLength(1);
    await caller.stop();
    await device.stop();
  });

  test('a login answered with a redirect is judged by its cookie', async () => {
    const device = await OnyxSwitch.start();
    device.knobs.loginRedirects = true;
    const caller = switchCaller(device, 'https');
    expect(await caller.call('vlan.create', { vlan: 42 })).toMatchObject({ state: 'SUCCEEDED' });
    expect(device.api.logins).toBe(1);
    await caller.stop();
    expect(device.api.sessions).toBe(0);
    await device.stop();
  });

  test.each([
    ['without a cookie', { location: '/admin/launch?script=rh' }],
    ['that deletes the cookie', { location: '/admin', 'set-cookie': 'session=; path=/' }],
    ['to the login page', { location: '/admin/launch?script=rh&template=login', 'set-cookie': 'session=a' }],
    ['to the form', { location: '/admin/launch?script=rh&action=login', 'set-cookie': 'session=a' }],
  ])('a redirect %s is not a login', async (_what, headers) => {
    const opened = await onyx.https?.open(
      async () => ({ kind: 'http', status: 302, headers, body: '<html></html>', truncated: false }),
      { username: 'u', password: 'p' },
      { transport: 'https', options: {}, softwareVersion: null },
    );
    expect(opened).toMatchObject({ ok: false, code: 'PROTOCOL_FAILED' });
  });

  test('a switch without a free session is reported as such, not as a wrong password', async () => {
    const device = await OnyxSwitch.start();
    device.knobs.maxWebSessions = 0;
    const caller = switchCaller(device, 'https', { connectTimeoutMs: 3_000 });
    expect(await caller.send(caller.render('vlan.list'))).toMatchObject({
      failure: { kind: 'NOT_SENT', code: 'SESSION_REFUSED' },
    });
    await caller.stop();
    await device.stop();
  });

  test('a switch whose API skips the rest of a block', async () => {
    const device = await OnyxSwitch.start();
    device.knobs.stopsAtError = true;
    const caller = switchCaller(device, 'https');
    await caller.call('vlan.create', { vlan: 42 });
    const args = { port: '1/4', mode: 'trunk', allowedVlans: [42, 99, 101] };
    expect(await caller.call('port.vlan.set', args)).toMatchObject({ state: 'FAILED', code: 'PARTLY_APPLIED' });
    await caller.stop();
    await device.stop();
  });
});
