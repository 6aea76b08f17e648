// Every operation of the frr driver on real FRR 8.4, over the relay's own SSH transport. The tests read the state
// without the driver.
// needs: iputils-ping
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inNamespace } from '../../../../../lab/exec.ts';
import type { RunningRouter } from '../../../../../lab/routers/routers.ts';
import { frr } from '../../../../../subgraphs/relay/drivers/frr/driver.ts';
import { describeWithRouters } from '../../../../support/machine/routers.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { DriverCaller, faultsOf } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';
import { type ForeignCase, foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { renderContext } from '../../support/render-context.ts';

describeWithRouters('real FRR', (routers) => {
  const callers: DriverCaller[] = [];
  const one = () => callers[0] as DriverCaller;
  const other = () => callers[1] as DriverCaller;
  const router = (): RunningRouter => routers().routers[0];
  const lines = async () => (await router().vtysh('show running-config')).split('\n').map((line) => line.trim());
  const marks = async (text: string) => (await lines()).filter((line) => line.includes(text));
  const ping = async (to: string) =>
    (await inNamespace(routers().namespaceOf('left'), 'ping', ['-c', '1', '-W', '1', to])).exitCode === 0;

  beforeAll(async () => {
    for (const each of routers().routers) callers.push(new DriverCaller(frr, await sshEndpoint(each)));
  });
  afterAll(async () => {
    for (const caller of callers) await caller.stop();
  });

  test('reports its version', async () => {
    expect(await one().health()).toEqual({ softwareVersion: expect.stringMatching(/^FRR 8\./), serial: null });
    expect(await one().done('system.info')).toMatchObject({ version: expect.stringMatching(/^8\./) });
  });

  describe('static routes', () => {
    test("on both routers let the hosts reach each other; without one they can't", async () => {
      expect(await ping('203.0.113.10')).toBe(false);
      const there = { destination: '203.0.113.0/24', nextHop: '198.51.100.2' };
      expect(await one().done('staticRoute.create', there)).toEqual({ ...there, distance: 1 });
      expect(await ping('203.0.113.10')).toBe(false);
      await other().done('staticRoute.create', { destination: '192.0.2.0/24', nextHop: '198.51.100.1' });
      await waitFor('the hosts to reach each other', () => ping('203.0.113.10'));
      expect(await one().done('route.get', { destination: '203.0.113.0/24' })).toMatchObject({
        '203.0.113.0/24': [{ protocol: 'static', selected: true }],
      });
      expect(await one().done('route.list', { protocol: 'static' })).toHaveProperty(['203.0.113.0/24']);
      // Creating it again gives the same result.
      await one().done('staticRoute.create', there);
      expect(await marks('203.0.113.0/24')).toEqual(['ip route 203.0.113.0/24 198.51.100.2']);
      await one().done('staticRoute.delete', there);
      await waitFor('the hosts to lose each other', async () => !(await ping('203.0.113.10')));
      expect(await one().refused('staticRoute.delete', there)).toBe('FAILED NOT_FOUND');
    });

    test('IPv6', async () => {
      const there = { destination: '2001:DB8:2::/64', nextHop: '2001:db8:12::2' };
      await one().done('staticRoute.create', there);
      await other().done('staticRoute.create', { destination: '2001:db8:1::/64', nextHop: '2001:db8:12::1' });
      await waitFor('the hosts to reach each other', () => ping('2001:db8:2::10'));
      expect(await marks('2001:db8:2::/64')).toEqual(['ipv6 route 2001:db8:2::/64 2001:db8:12::2']);
      expect(await one().done('route.list', { ipVersion: 6, protocol: 'static' })).toHaveProperty(['2001:db8:2::/64']);
    });

    test.each([
      [{ destination: '10.1.0.0/16', interface: 'inside' }, 'ip route 10.1.0.0/16 inside'],
      [
        { destination: '10.1.0.1', nextHop: '198.51.100.2', interface: 'transit' },
        'ip route 10.1.0.1/32 198.51.100.2 transit',
      ],
      [
        { destination: '10.2.0.0/16', discard: true, tag: 7, distance: 200 },
        'ip route 10.2.0.0/16 blackhole tag 7 200',
      ],
      [
        { destination: '10.3.0.0/16', nextHop: '198.51.100.2', vrf: 'red', tag: 4_294_967_295 },
        'ip route 10.3.0.0/16 198.51.100.2 tag 4294967295',
      ],
      [{ destination: '0.0.0.0/0', nextHop: '198.51.100.2', distance: 255 }, 'ip route 0.0.0.0/0 198.51.100.2 255'],
    ])('the life of %j, which the router stores as %s', (create, line) =>
      live(one(), {
        ...{
          kind: 'staticRoute',
          create,
          unmarked: true,
          again: 'SUCCEEDED',
          beside: {},
          mapped: ({ set }) => ({ recorded: set }),
        },
        list: [{}, ({ values }) => ({ routes: expect.arrayContaining([values]) })],
        made: async () => expect(await marks(line.split(' ')[2] ?? '')).toEqual([line]),
      }),
    );

    test('another distance to the same next hop is drift; a route that FRR refuses is not done', async () => {
      const route = { destination: '10.4.0.0/16', nextHop: '198.51.100.2' };
      await one().done('staticRoute.create', { ...route, distance: 5 });
      await router().vtysh('configure terminal', 'ip route 10.4.0.0/16 198.51.100.2 9');
      const { scope, key } = one().objectOf('staticRoute.create', route);
      expect(await one().look('static-route', { scope, key })).toMatchObject({ values: { distance: 9 } });
      // FRR: a route can't be a blackhole and have next hops. It still answers with exit code 0.
      expect(
        await one().refused('staticRoute.create', { destination: '10.4.0.0/16', discard: true, distance: 9 }),
      ).toBe('FAILED DEVICE_REFUSED');
      expect(await one().done('staticRoute.list')).toMatchObject({
        routes: expect.arrayContaining([{ ...route, distance: 9 }]),
      });
    });

    test("a setting that vtysh can't express is refused", () => {
      const faults = (more: object) => faultsOf(frr, 'staticRoute.create', { destination: '10.0.0.0/8', ...more });
      for (const word of ['blackhole', 'bl', 'Null0', 'tag', 'vrf', 't'])
        expect(faults({ interface: word })).toEqual([
          expect.stringContaining('interface: interface is, or begins, a word'),
        ]);
      for (const word of ['eth0 | include x', 'a?', '5', '', 'a b', 'x'.repeat(16)])
        expect(faults({ interface: word })).toHaveLength(1);
      expect(faults({ nextHop: 'fe80::1%eth0' })).not.toEqual([]);
      expect(faults({ vrf: 'red blue', discard: true })).not.toEqual([]);
    });
  });

  describe('BGP', () => {
    const session = (address: string) => ({ address });
    const state = async (caller: DriverCaller, address: string) => {
      const found = await caller.done('bgpSession.get', session(address));
      return (found[address] as { bgpState?: string } | undefined)?.bgpState;
    };

    test('neighbours on both routers establish a session, with the password', async () => {
      const password = 'S3cret/with&chars!#"\\~';
      const mark = randomUUID();
      const neighbor = {
        asNumber: 65_001,
        address: '198.51.100.2',
        remoteAs: 65_002,
        description: 'the other',
        password,
      };
      await one().done('bgpNeighbor.create', neighbor, mark);
      await other().done('bgpNeighbor.create', {
        asNumber: 65_002,
        address: '198.51.100.1',
        remoteAs: 65_001,
        password,
      });
      await waitFor('the session', async () => (await state(one(), '198.51.100.2')) === 'Established');
      expect(await one().done('bgpSession.list')).toMatchObject({
        ipv4Unicast: { peers: { '198.51.100.2': { remoteAs: 65_002, state: 'Established' } } },
      });
      await waitFor('the other network', async () =>
        Object.hasOwn(await one().done('route.list', { protocol: 'bgp' }), '203.0.113.0/24'),
      );
      const { scope, key } = one().objectOf('bgpNeighbor.create', neighbor);
      expect(await one().look('bgp-neighbor', { scope, key })).toEqual({
        ...{ finding: 'PRESENT', operationId: mark, values: neighbor },
      });
      // A different password ends the session.
      const again = randomUUID();
      await one().done('bgpNeighbor.create', { ...neighbor, password: 'another-one' }, again);
      await waitFor('the end of the session', async () => (await state(one(), '198.51.100.2')) !== 'Established');
      await one().done('bgpNeighbor.delete', { asNumber: 65_001, address: '198.51.100.2', madeBy: [again] });
      expect(await one().look('bgp-neighbor', { scope, key })).toEqual({ finding: 'ABSENT' });
    });

    test("a neighbour's settings are set, and manual additions are differences", async () => {
      const neighbor = {
        ...{ asNumber: 65_001, address: '2001:DB8::0:9', remoteAs: 4_200_000_009 },
        ...{ multihopTtl: 3, sourceAddress: '2001:db8:1::1' },
      };
      await one().done('bgpNeighbor.create', neighbor);
      await router().vtysh('configure terminal', 'router bgp 65001', 'neighbor 2001:db8::9 timers 3 9');
      const { scope, key } = one().objectOf('bgpNeighbor.create', neighbor);
      const { values } = (await one().look('bgp-neighbor', { scope, key })) as { values: object };
      expect(values).toEqual({ ...neighbor, address: '2001:db8::9', other: ['timers 3 9'] });
    });

    test('a neighbour without its instance is refused, and no instance is created', async () => {
      const neighbor = { asNumber: 65_001, vrf: 'red', address: '10.9.0.1', remoteAs: 65_009 };
      expect(await one().refused('bgpNeighbor.create', neighbor)).toBe('FAILED NOT_FOUND');
      expect(await one().refused('bgpNeighbor.create', { ...neighbor, vrf: 'default', asNumber: 64_999 })).toBe(
        'FAILED NOT_FOUND',
      );
      expect(await marks('router bgp')).toEqual(['router bgp 65001']);
    });

    test('an instance in a VRF, its neighbour, its sessions and its deletion', async () => {
      const instance = { asNumber: 4_200_000_001, vrf: 'blue', routerId: '10.0.0.1' };
      await one().done('bgp.create', instance);
      expect(await one().look('bgp', { key: 'blue' })).toEqual({ finding: 'PRESENT', values: instance });
      expect(await one().refused('bgp.create', { ...instance, asNumber: 65_077 })).toBe('FAILED ALREADY_EXISTS');
      expect(await one().refused('bgp.create', instance)).toBe('FAILED ALREADY_EXISTS');
      const neighbor = { asNumber: 4_200_000_001, vrf: 'blue', address: '10.9.0.1', remoteAs: 65_009 };
      await one().done('bgpNeighbor.create', neighbor);
      expect(await one().done('bgpSession.list', { vrf: 'blue' })).toBeDefined();
      expect(await one().done('bgp.list')).toMatchObject({ instances: [{ asNumber: 65_001 }, instance] });
      await one().done('bgp.delete', { asNumber: 4_200_000_001, vrf: 'blue' });
      expect(await one().look('bgp', { key: 'blue' })).toEqual({ finding: 'ABSENT' });
      expect(await one().call('bgp.delete', { asNumber: 4_200_000_001, vrf: 'blue' })).toMatchObject({ absent: true });
      expect(JSON.stringify(await one().call('bgpSession.list', { vrf: 'blue' }))).not.toContain('peers');
    });
  });

  describe('prefix lists and route maps', () => {
    test.each([
      [
        { list: 'customers', sequence: 5, action: 'permit', prefix: '192.0.2.0/24', maxLength: 32 },
        'ip prefix-list customers seq 5 permit 192.0.2.0/24 le 32',
      ],
      [
        {
          list: 'customers',
          sequence: 4_294_967_295,
          action: 'deny',
          prefix: '2001:DB8::/32',
          minLength: 40,
          maxLength: 48,
        },
        'ipv6 prefix-list customers seq 4294967295 deny 2001:db8::/32 ge 40 le 48',
      ],
      [
        { list: 'any', sequence: 1, action: 'deny', prefix: '0.0.0.0/0', maxLength: 32 },
        'ip prefix-list any seq 1 deny 0.0.0.0/0 le 32',
      ],
      [
        { list: 'one', sequence: 2, action: 'permit', prefix: '10.0.0.1' },
        'ip prefix-list one seq 2 permit 10.0.0.1/32',
      ],
    ])('the life of %j, which the router stores as %s', (create, line) =>
      live(one(), {
        ...{
          kind: 'prefixListEntry',
          create,
          unmarked: true,
          again: 'SUCCEEDED',
          beside: {},
          mapped: ({ set }) => ({ recorded: set }),
        },
        operations: { list: 'prefixList.list' },
        list: [{}, ({ values }) => expect.objectContaining({ entries: expect.arrayContaining([values]) })],
        made: async () => expect(await marks(`prefix-list ${create.list} seq ${create.sequence} `)).toEqual([line]),
      }),
    );

    test('an entry that another makes redundant is silently dropped, which is a failure', async () => {
      const entry = { list: 'twice', sequence: 5, action: 'permit', prefix: '10.5.0.0/16' };
      await one().done('prefixListEntry.create', entry);
      expect(await one().refused('prefixListEntry.create', { ...entry, sequence: 6 })).toBe('FAILED NOT_TAKEN');
      const more = { ...entry, maxLength: 24 };
      expect(await one().refused('prefixListEntry.create', more)).toBe('FAILED ALREADY_EXISTS');
      await one().done('prefixListEntry.create', { ...more, replaces: { action: 'permit', prefix: '10.5.0.0/16' } });
      expect(await marks('prefix-list twice')).toEqual(['ip prefix-list twice seq 5 permit 10.5.0.0/16 le 24']);
    });

    test('the life of a route map entry, with manual additions', async () => {
      const entry = {
        ...{ routeMap: 'from-customers', sequence: 10, action: 'permit', description: 'of tenant 42' },
        ...{ matchPrefixList: 'customers', localPreference: 4_294_967_295, metric: 0 },
      };
      const [other, more] = [randomUUID(), { routeMap: 'from-customers', sequence: 20, action: 'deny' }];
      await live(one(), {
        ...{ kind: 'routeMapEntry', create: entry, again: null, beside: {}, operations: { list: 'routeMap.list' } },
        list: [
          {},
          ({ mark }) => ({
            entries: [...[expect.objectContaining({ ...mark, sequence: 10 }), expect.objectContaining(more)]],
          }),
        ],
        mapped: ({ madeBy }) => ({ madeBy, changedBy: madeBy }),
        async made({ scope, key }) {
          await one().done('routeMapEntry.create', more, other);
          await router().vtysh('configure terminal', 'route-map from-customers permit 10', 'set weight 5');
          expect(await one().look('route-map-entry', { scope, key })).toMatchObject({
            values: { other: ['set weight 5'] },
          });
        },
      });
      // The deletion works whatever the entry's action is.
      await one().done('routeMapEntry.delete', { routeMap: 'from-customers', sequence: 20, madeBy: [other] });
      expect(await marks('route-map from-customers')).toEqual([]);
    });
  });

  /** `another`: lines of another object. The state at the key is the lines with `text`, with those in their blocks. */
  const foreign = (
    create: ForeignCase['create'],
    text: RegExp,
    remove: string,
    another: readonly string[],
  ): ForeignCase => ({
    create,
    async put(what) {
      await router()
        .vtysh('configure terminal', ...remove.split('\n'))
        .catch(() => undefined);
      if (what === 'another') await router().vtysh('configure terminal', ...another);
    },
    state: async () => {
      const all = (await router().vtysh('show running-config')).split('\n');
      return all.filter(
        (line, index) => text.test(line) || (line.startsWith(' ') && headOf(all, index).search(text) === 0),
      );
    },
  });
  const headOf = (all: readonly string[], index: number) =>
    all.slice(0, index).findLast((line) => !line.startsWith(' ')) ?? '';

  const foreignRoute = { destination: '10.6.0.0/16', nextHop: '198.51.100.2', distance: 5 };
  foreignObjects(frr, one, {
    'static-route': {
      ...foreign(['staticRoute.create', foreignRoute], /^ip route 10.6.0.0/, 'no ip route 10.6.0.0/16 198.51.100.2', [
        'ip route 10.6.0.0/16 198.51.100.2 tag 77',
      ]),
    },
    'route-map-entry': foreign(
      ['routeMapEntry.create', { routeMap: 'foreign.1', sequence: 10, action: 'permit', localPreference: 111 }],
      /^route-map foreign.1 /,
      'no route-map foreign.1',
      ['route-map foreign.1 deny 10', 'description ADMINISTRATOR', 'set metric 77', 'set weight 4'],
    ),
    'prefix-list-entry': foreign(
      [
        'prefixListEntry.create',
        { list: 'foreign', sequence: 5, action: 'permit', prefix: '0.0.0.0/0', maxLength: 32 },
      ],
      /^ip prefix-list foreign /,
      'no ip prefix-list foreign',
      ['ip prefix-list foreign seq 5 deny any', 'ip prefix-list foreign seq 6 deny 192.0.2.0/24'],
    ),
    'bgp-neighbor': foreign(
      ['bgpNeighbor.create', { asNumber: 65_001, address: '10.7.0.1', remoteAs: 65_009, password: 'of-tenant' }],
      /^ {1,2}neighbor 10.7.0.1 /,
      'router bgp 65001\nno neighbor 10.7.0.1',
      [
        ...['router bgp 65001', 'neighbor 10.7.0.1 remote-as external', 'neighbor 10.7.0.1 description ADMINISTRATOR'],
        ...['neighbor 10.7.0.1 password of-administrator', 'neighbor 10.7.0.1 timers 3 9'],
      ],
    ),
  });

  test("the router's own check knows the syntax, and changes nothing", async () => {
    const route = { destination: '10.77.0.0/16', nextHop: '198.51.100.2' };
    expect(await one().dryRun('staticRoute.create', route)).toEqual({ state: 'SUCCEEDED', result: null });
    const neighbor = { asNumber: 65_001, address: '198.51.100.9', remoteAs: 65_002 };
    expect(await one().dryRun('bgpNeighbor.create', neighbor)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await marks('10.77.0.0/16')).toEqual([]);
    expect(await marks('198.51.100.9')).toEqual([]);
  });

  test('saved changes survive a power cut, and nothing else does', async () => {
    await one().done('staticRoute.create', { destination: '10.88.0.0/16', discard: true });
    expect(await one().call('config.save')).toEqual({ state: 'SUCCEEDED', result: null });
    await routers().act('kill', 'router1');
    await routers().act('plug', 'router1');
    await waitFor('the router', async () => (await marks('10.88.0.0/16')).length > 0);
    await one().stop();
    expect(await one().done('staticRoute.list')).toMatchObject({
      routes: expect.arrayContaining([{ destination: '10.88.0.0/16', discard: true, distance: 1 }]),
    });
  });

  test('partial input does nothing', async () => {
    const operationId = randomUUID();
    const call = one().render('staticRoute.create', { destination: '10.99.0.0/16', discard: true }, operationId);
    if (call.kind !== 'exec') throw new Error('an exec');
    const whole = call.stdin ?? '';
    const first = whole.indexOf('\n');
    for (const length of [0, 9, first, first + 1, whole.length - 5, whole.length - 1]) {
      const stdin = whole.slice(0, length);
      const sent = await one().ask({ ...call, stdin });
      const operation = frr.operations.get('staticRoute.create');
      const args = { destination: '10.99.0.0/16', discard: true };
      // Without its first line the script does not know which call it refuses.
      expect([length, operation?.interpret(sent, args, renderContext(frr, { operationId }))]).toMatchObject([
        length,
        { state: length > first ? 'FAILED' : 'UNKNOWN' },
      ]);
    }
    expect(await marks('10.99.0.0/16')).toEqual([]);
  });
});
