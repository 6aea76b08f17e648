// Every operation on a real netconfd over the relay's own transport, with ncclient as a second client.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readDeviceLog } from '../../../../../lab/device-log.ts';
import { netconfModules, type RunningNetconf } from '../../../../../lab/netconf.ts';
import { netconf } from '../../../../../subgraphs/relay/drivers/netconf/driver.ts';
import { stretch } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { Ncclient } from '../../../../support/servers/ncclient.ts';
import { describeWithNetconf } from '../../../../support/servers/netconf.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';

const tunnel = (peer: string, site = 'berlin') => `/lab-vpn:vpn/tunnel[site='${site}'][peer='${peer}']`;
const vpn = (inner: string) =>
  `<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><vpn xmlns="urn:tidegate:lab:vpn">${inner}</vpn></config>`;

async function callerOf(server: RunningNetconf, options = {}): Promise<DriverCaller> {
  return new DriverCaller(netconf, await sshEndpoint(server), { options: { modules: netconfModules, ...options } });
}

describeWithNetconf('the netconf driver on netconfd', (server) => {
  let caller: DriverCaller;
  let other: Ncclient;
  beforeAll(async () => {
    caller = await callerOf(server());
    other = await Ncclient.to(server());
  });
  afterAll(async () => {
    await caller.stop();
    await other.kill();
  });
  beforeEach(() => server().faults.clear());
  const running = () => other.done('read');

  test('reports its identity', async () => {
    expect(await caller.health()).toMatchObject({ softwareVersion: expect.stringMatching(/^NETCONF/), serial: null });
  });

  test('creates an entry with all kinds of nodes, reads it back, and finds its mark', async () => {
    const id = randomUUID();
    const value = {
      ...{
        mtu: 1_400,
        rate: '18446744073709551615',
        loss: '0.25',
        enabled: true,
        cipher: 'lab-vpn:aes',
        quiet: [null],
      },
      ...{
        prefix: ['2001:DB8::/32', '192.0.2.0/24'],
        keepalive: { interval: 10 },
        description: `a <b> & 'c' "d" ]]> é`,
      },
      hop: [
        { id: 2, address: 'x' },
        { id: 1, address: 'y' },
      ],
      'lab-notes:contact': { name: 'Ada', phone: '+49 30' },
    };
    const args = { path: tunnel('paris'), value, mark: 'description' };
    expect(await caller.call('entry.create', args, id)).toEqual({ state: 'SUCCEEDED', result: null });
    expect(await running()).toContain(`tg:${id} a &lt;b&gt; &amp; 'c' "d" ]]&gt; é`);
    const found = await caller.look('entry', { key: tunnel('paris') });
    expect(found).toEqual({ finding: 'PRESENT', operationId: id, values: caller.desired('entry.create', args) });
    expect(await caller.refused('entry.create', args)).toBe('FAILED ALREADY_EXISTS');
  });

  test('merges, replaces and deletes entries, and reports missing ones as missing', async () => {
    await caller.done('entry.create', { path: tunnel('rome'), value: { mtu: 1_400, enabled: true } });
    await caller.done('entry.merge', { path: tunnel('rome'), value: { mtu: 1_500 } });
    expect(await caller.look('entry', { key: tunnel('rome') })).toMatchObject({
      values: { mtu: '1500', enabled: 'true' },
    });
    await caller.done('entry.replace', { path: tunnel('rome'), value: { mtu: 1_300 } });
    expect(await caller.look('entry', { key: tunnel('rome') })).toEqual({
      finding: 'PRESENT',
      values: { mtu: '1300' },
    });
    await caller.done('entry.delete', { path: tunnel('rome') });
    expect(await caller.look('entry', { key: tunnel('rome') })).toEqual({ finding: 'ABSENT' });
    expect(await caller.call('entry.delete', { path: tunnel('rome') })).toMatchObject({
      ...{ state: 'FAILED', code: 'NOT_FOUND', absent: true },
    });
  });

  test('sets a leaf, an entry of a leaf-list and a container', async () => {
    const leaf = { path: '/lab-vpn:vpn/banner', value: 'Welcome' };
    await caller.done('entry.replace', leaf);
    expect(await caller.look('entry', { key: leaf.path })).toEqual({ finding: 'PRESENT', values: { '.': 'Welcome' } });
    const listed = { path: "/lab-vpn:vpn/trusted[.='a b']" };
    await caller.done('entry.create', listed);
    expect(await caller.look('entry', { key: listed.path })).toEqual({ finding: 'PRESENT', values: { '.': 'a b' } });
    await caller.done('entry.delete', listed);
    await caller.done('entry.delete', { path: leaf.path });
    await caller.done('entry.merge', { path: `${tunnel('oslo')}/keepalive`, value: { interval: 3 } });
    expect(await caller.look('entry', { key: `${tunnel('oslo')}/keepalive` })).toEqual({
      ...{ finding: 'PRESENT', values: { interval: '3' } },
    });
  });

  test('reads by subtree', async () => {
    await caller.done('entry.replace', { path: tunnel('bonn'), value: { mtu: 1_300, prefix: ['a', 'b'] } });
    const subtree = { 'lab-vpn:vpn': { tunnel: { peer: 'bonn' } } };
    expect(await caller.done('data.read', { subtree })).toEqual({
      data: { 'lab-vpn:vpn': { tunnel: { site: 'berlin', peer: 'bonn', mtu: '1300', prefix: ['a', 'b'] } } },
    });
    expect(await caller.done('data.read', { subtree: { 'lab-vpn:vpn': { tunnel: { peer: 'nobody' } } } })).toEqual({
      data: {},
    });
    expect(await caller.done('data.read', { source: 'state', subtree })).toHaveProperty('data');
    expect(await caller.done('data.read')).toHaveProperty(['data', 'lab-vpn:vpn']);
    expect(await caller.refused('data.read', { source: 'startup' })).toMatch(/^FAILED/);
  });

  test.each([
    [{ destination: '192.0.2.0/24', nextHop: '198.51.100.1' }, '192.0.2.0/24'],
    [{ destination: '2001:DB8::/32', nextHop: '2001:db8:1::1' }, '2001:db8::/32'],
    [{ destination: '203.0.113.7', discard: true }, '203.0.113.7'],
  ])('the life of the static route %j next to another one', async (create, key) => {
    await caller.done('staticRoute.create', { destination: '198.18.7.0/24', discard: true });
    const destinations = expect.arrayContaining([
      ...[expect.objectContaining({ destination: '198.18.7.0/24' }), expect.objectContaining({ destination: key })],
    ]);
    await live(caller, {
      ...{ kind: 'staticRoute', create, object: { resource: 'static-route', scope: '', key }, beside: {} },
      list: [{}, () => ({ routes: destinations })],
      async made() {
        expect((await caller.done('staticRoute.list')).routes).toHaveLength(2);
        const other = { destination: key, discard: true };
        expect(await caller.refused('staticRoute.create', other)).toBe('FAILED ALREADY_EXISTS');
      },
    });
    expect(await caller.done('staticRoute.list')).toMatchObject({ routes: [{ destination: '198.18.7.0/24' }] });
    await caller.done('staticRoute.delete', { destination: '198.18.7.0/24' });
  });

  const foreignRoute = (attributes: string, inner: string) => `<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">
    <routing xmlns="urn:ietf:params:xml:ns:yang:ietf-routing"><control-plane-protocols><control-plane-protocol>
    <type>static</type><name>static</name><static-routes><ipv4 xmlns="urn:ietf:params:xml:ns:yang:ietf-ipv4-unicast-routing">
    <route ${attributes}><destination-prefix>198.18.0.0/15</destination-prefix>${inner}</route></ipv4></static-routes>
    </control-plane-protocol></control-plane-protocols></routing></config>`;
  const edited = async (config: string) => {
    await other.done('edit', { config });
    await other.done('commit');
  };
  const ours = tunnel('madrid');
  foreignObjects(netconf, () => caller, {
    entry: {
      create: ['entry.create', { path: ours, value: { mtu: 1_400, enabled: true } }],
      updates: {
        'entry.merge': () => ({ path: ours, value: { mtu: 1_500 } }),
        'entry.replace': () => ({ path: ours, value: { mtu: 1_500 } }),
      },
      async put(what) {
        const nc = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"';
        const keys = '<site>berlin</site><peer>madrid</peer>';
        await edited(vpn(`<tunnel ${nc}>${keys}</tunnel>`));
        if (what === 'another') await edited(vpn(`<tunnel>${keys}<mtu>1300</mtu></tunnel>`));
      },
      state: async () => (await running()).split('<data>')[1],
    },
    'static-route': {
      create: ['staticRoute.create', { destination: '198.18.0.0/15', nextHop: '198.51.100.1' }],
      async put(what) {
        const nc = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"';
        await edited(foreignRoute(`${nc} nc:operation="remove"`, ''));
        if (what === 'another')
          await edited(foreignRoute('', '<next-hop><next-hop-address>198.51.100.77</next-hop-address></next-hop>'));
      },
      // The head of the reply differs each time.
      state: async () => (await running()).split('<data>')[1],
    },
  });

  test('a refusal quotes the server, and leaves nothing behind', async () => {
    const path = tunnel('refused');
    const refused = await caller.call('entry.create', { path, value: { mtu: 3 } });
    expect(refused).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('invalid-value'),
    });
    expect(await caller.refused('entry.create', { path, value: { nonsense: 1 } })).toBe('FAILED DEVICE_REFUSED');
    expect(await caller.refused('entry.create', { path: '/lab-notes:vpn', value: {} })).toBe('FAILED DEVICE_REFUSED');
    expect(await running()).not.toContain('refused');
    // Neither an edit nor the lock of the failed call remains.
    expect((await other.ask('lock')).ok).toBe(true);
    await other.done('unlock');
  });

  test("another client's lock is respected", async () => {
    await other.done('lock');
    const called = await caller.call('entry.create', { path: tunnel('locked'), value: {} });
    expect(called).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_BUSY',
      message: expect.stringContaining(other.session),
    });
    await other.done('edit', { config: vpn('<banner>mine</banner>') });
    expect(await caller.refused('entry.delete', { path: tunnel('paris') })).toBe('FAILED DEVICE_BUSY');
    await other.done('commit');
    await other.done('unlock');
    expect(await running()).toContain('mine');
    expect(await running()).not.toContain('locked');
  });

  test("another client's edits without a lock are discarded, never committed", async () => {
    await other.done('edit', { config: vpn('<banner>never</banner>') });
    await caller.done('entry.create', { path: tunnel('clean'), value: {} });
    expect(await running()).not.toContain('never');
    expect(await running()).toContain('clean');
    await other.done('commit');
    expect(await running()).not.toContain('never');
  });

  test("another client's edits are a reason to refuse, if the backend says so", async () => {
    const careful = await callerOf(server(), { unlockedEdits: 'refuse' });
    await other.done('edit', { config: vpn('<banner>waiting</banner>') });
    expect(await careful.refused('entry.create', { path: tunnel('careful'), value: {} })).toBe('FAILED DEVICE_BUSY');
    await other.done('commit');
    expect(await running()).toContain('waiting');
    await careful.done('entry.create', { path: tunnel('careful'), value: {} });
    await careful.stop();
  });

  test('a dead session leaves nothing for the next commit', async () => {
    const dead = await Ncclient.to(server());
    await dead.done('edit', { config: vpn('<banner>dead</banner>') });
    await dead.kill();
    await caller.done('entry.merge', { path: tunnel('alive'), value: {} });
    expect(await running()).not.toContain('dead');
  });

  describe('a session that is cut', () => {
    test.each([
      ['before', false],
      ['after', true],
      ['mid-reply', true],
    ] as const)('%s the commit has no verdict', async (drop, applies) => {
      await server().faults.set({ drop, times: 1 });
      const path = tunnel(`cut-${drop}`);
      expect(await caller.refused('entry.create', { path, value: { mtu: 1_300 } })).toBe('NO_VERDICT CONNECTION_LOST');
      const found = await caller.look('entry', { key: path });
      expect(found.finding).toBe(applies ? 'PRESENT' : 'ABSENT');
      await waitFor('the lock to be gone', async () => (await other.ask('lock')).ok);
      await other.done('unlock');
    });

    test('and a late commit leaves the lock until it is done', async () => {
      await server().faults.set({ drop: 'late', delayBeforeMs: 500, times: 1 });
      const path = tunnel('late');
      expect(await caller.refused('entry.create', { path, value: {} })).toBe('NO_VERDICT CONNECTION_LOST');
      await waitFor('the late commit', async () => (await caller.look('entry', { key: path })).finding === 'PRESENT');
    });
  });

  test('a commit past its deadline is not repeated', async () => {
    const hasty = new DriverCaller(netconf, await sshEndpoint(server()), {
      options: { modules: netconfModules },
      deadlineMs: 4_000 * stretch,
    });
    await server().faults.set({ hang: 'before', times: 1 });
    expect(await hasty.refused('entry.create', { path: tunnel('hung'), value: {} })).toBe('NO_VERDICT NO_REPLY');
    await hasty.stop();
    expect(await running()).not.toContain('hung');
  });

  test("the device's log has each commit with its edit", async () => {
    const log = await readDeviceLog(server().deviceLogPath);
    const applied = log.filter((entry) => entry.phase === 'received' && entry.kind === 'apply');
    expect(applied.some((entry) => entry.phase === 'received' && entry.stdin.includes('paris'))).toBe(true);
  });
});

describeWithNetconf(
  'the netconf driver on a netconfd whose running configuration is edited',
  (server) => {
    test('creates, refuses and deletes', async () => {
      const caller = await callerOf(server());
      const other = await Ncclient.to(server());
      await caller.done('entry.create', { path: tunnel('paris'), value: { mtu: 1_400 } });
      expect(await other.done('read')).toContain('paris');
      expect(await caller.refused('entry.create', { path: tunnel('paris'), value: {} })).toBe('FAILED ALREADY_EXISTS');
      expect(await caller.refused('entry.merge', { path: tunnel('paris'), value: { mtu: 3 } })).toBe(
        'FAILED DEVICE_REFUSED',
      );
      await other.done('lock', { target: 'running' });
      expect(await caller.refused('entry.delete', { path: tunnel('paris') })).toBe('FAILED DEVICE_BUSY');
      await other.done('unlock', { target: 'running' });
      await caller.done('entry.delete', { path: tunnel('paris') });
      expect(await other.done('read')).not.toContain('paris');
      await caller.stop();
      await other.kill();
    });
  },
  'running',
);
