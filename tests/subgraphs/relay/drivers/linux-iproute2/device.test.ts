// Every operation against the real ip behind a real sshd.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { given } from '../../../../../subgraphs/relay/drivers/json.ts';
import { linuxIproute2 } from '../../../../../subgraphs/relay/drivers/linux-iproute2/driver.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import type { DriverCaller } from '../../support/driver-caller.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { live } from '../../support/object-life.ts';
import { Router } from './router.ts';

let router: Router;
let caller: DriverCaller;

beforeAll(async () => {
  router = await Router.start();
  caller = router.caller;
});

beforeEach(() => router.clear());

afterAll(() => router?.stop());

const destination = '192.0.2.0/24';
const named = { destination, metric: 1, table: 254 };
const object = { scope: 'table 254', key: `${destination} metric 1` };

test('the router reports its version', async () => {
  expect(await caller.health()).toEqual({ softwareVersion: '6.1.0', serial: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(await caller.done('system.get')).toEqual({
    iproute2: '6.1.0',
    kernel: expect.stringMatching(/^\d+\.\d+/),
    forwards: { ipv4: expect.any(Boolean), ipv6: expect.any(Boolean) },
  });
});

test.each([
  ['a next hop', { destination, nextHop: '198.18.0.2' }, { interface: 'lan0' }],
  ['a next hop and its interface', { destination, nextHop: '198.18.1.2', interface: 'wan0', metric: 255 }, {}],
  ['an interface', { destination, interface: 'wan0' }, {}],
  ['discarded packets', { destination, discard: true }, {}],
  ['one address', { destination: '192.0.2.7/32', nextHop: '198.18.0.2' }, { interface: 'lan0' }],
  ['every destination', { destination: '0.0.0.0/0', nextHop: '198.18.0.2' }, { interface: 'lan0' }],
  ['another table', { destination, interface: 'lan0', table: 2_147_483_647, metric: 4_294_967_295 }, {}],
  ['IPv6, a next hop', { destination: '2001:DB8:77:0::/64', nextHop: '2001:db8:a:0::2' }, { interface: 'lan0' }],
  ['IPv6, a link-local next hop', { destination: '::/0', nextHop: 'fe80::2', interface: 'wan0', metric: 7 }, {}],
  ['IPv6, an interface', { destination: '2001:db8:77::1', interface: 'wan0' }, {}],
  ['IPv6, discarded packets', { destination: '2001:db8:77::/48', discard: true, table: 1 }, {}],
])('the life of a route: %s', (_what, args, own) => {
  const { metric = null, table = null } = caller.desired('staticRoute.create', args);
  return live(caller, {
    ...{ kind: 'staticRoute', create: args, result: () => null, again: 'SUCCEEDED', unmarked: true, beside: own },
    get: [{ destination: args.destination, metric, table }, ({ values }) => values],
    list: [{ table }, ({ values }) => ({ routes: [values] })],
    mapped: ({ values }) => ({ recorded: values }),
  });
});

test('a table without routes is empty, not unreadable', async () => {
  expect(await caller.done('staticRoute.list', { table: 4_711 })).toEqual({ routes: [] });
  expect(await caller.look('static-route', { ...object, scope: 'table 4711' })).toEqual({ finding: 'ABSENT' });
});

test.each([
  ['192.0.2.0/24', '198.18.0.2', '198.18.0.3'],
  ['2001:db8:77::/48', '2001:db8:a::2', '2001:db8:a::3'],
])(
  'the metric is part of the key: the same one changes a route, another makes a second route: %s',
  async (to, one, two) => {
    const routes = async () => (await caller.done('staticRoute.list')).routes;
    await caller.done('staticRoute.create', { destination: to, nextHop: one, metric: 5 });
    const first = { nextHop: one };
    await caller.done('staticRoute.create', { destination: to, nextHop: two, metric: 5, replaces: first });
    expect(await routes()).toMatchObject([{ nextHop: two, metric: 5 }]);
    const second = { nextHop: two, interface: 'lan0' };
    await caller.done('staticRoute.create', { destination: to, discard: true, metric: 5, replaces: second });
    expect(await routes()).toMatchObject([{ discard: true, metric: 5 }]);
    await caller.done('staticRoute.create', { destination: to, nextHop: one, metric: 6 });
    expect(await routes()).toMatchObject([{ metric: 5 }, { nextHop: one, metric: 6 }]);
    await caller.done('staticRoute.delete', { destination: to, discard: true, metric: 5 });
    expect(await routes()).toMatchObject([{ nextHop: one, metric: 6 }]);
  },
);

describe('routes of other programs', () => {
  test.each([
    ['-4', '192.0.2.0/24', '198.18.0.9', '198.18.0.2'],
    ['-6', '2001:db8:77::/48', '2001:db8:a::9', '2001:db8:a::2'],
  ])(
    'a route that is not static is neither replaced, deleted, nor taken as ours: %s',
    async (version, to, theirs, nextHop) => {
      await router.ip('route', 'add', to, 'via', theirs, 'proto', 'ra', 'metric', '5');
      try {
        expect(await caller.call('staticRoute.create', { destination: to, nextHop, metric: 5 })).toMatchObject({
          ...{ state: 'FAILED', code: 'ALREADY_EXISTS', message: expect.stringContaining('give another metric') },
        });
        const gone = { destination: to, nextHop, metric: 5 };
        expect(await caller.refused('staticRoute.delete', gone)).toBe('FAILED NOT_FOUND');
        expect(await caller.look('static-route', { scope: 'table 254', key: `${to} metric 5` })).toEqual({
          finding: 'ABSENT',
        });
        expect(await caller.done('staticRoute.list')).toEqual({ routes: [] });
        expect(await router.ip(version, 'route', 'show', 'exact', to)).toContain(`via ${theirs}`);
      } finally {
        await router.ip('route', 'del', to, 'metric', '5');
      }
    },
  );

  test('several static routes with one key are left alone, and reported', async () => {
    await caller.done('staticRoute.create', { destination, nextHop: '198.18.0.2' });
    await router.ip('route', 'append', destination, 'via', '198.18.0.3', 'proto', 'static', 'metric', '1');
    for (const [operation, more] of [
      ['staticRoute.create', { nextHop: '198.18.0.4' }],
      ['staticRoute.delete', { nextHop: '198.18.0.2' }],
    ] as const)
      expect(await caller.call(operation, { destination, ...more })).toMatchObject({
        ...{ state: 'FAILED', code: 'SEVERAL', message: expect.stringContaining('ip route del') },
      });
    expect(await caller.look('static-route', object)).toEqual({
      finding: 'PRESENT',
      values: { ...named, nextHops: ['via 198.18.0.2 dev lan0', 'via 198.18.0.3 dev lan0'] },
    });
  });

  test('a second IPv6 next hop is reported, and left alone together with the first', async () => {
    const to = '2001:db8:77::/48';
    const place = { scope: 'table 254', key: `${to} metric 1` };
    await caller.done('staticRoute.create', { destination: to, nextHop: '2001:db8:a::2' });
    await router.ip('route', 'append', to, 'via', '2001:db8:a::3', 'proto', 'static', 'metric', '1');
    const both = {
      values: { nextHops: ['via 2001:db8:a::2 dev lan0 weight 1', 'via 2001:db8:a::3 dev lan0 weight 1'] },
    };
    expect(await caller.look('static-route', place)).toMatchObject(both);
    for (const [operation, refusal] of [
      ['staticRoute.create', 'FAILED ALREADY_EXISTS'],
      ['staticRoute.delete', 'FAILED CHANGED'],
    ] as const)
      expect(await caller.refused(operation, { destination: to, nextHop: '2001:db8:a::2' })).toBe(refusal);
    expect(await caller.look('static-route', place)).toMatchObject(both);
  });

  test.each([
    [['unreachable', destination], { type: 'unreachable' }],
    [[destination, 'dev', 'lan0', 'mtu', '1400'], { interface: 'lan0', others: ['metrics [{"mtu":1400}]'] }],
    [
      [destination, 'via', '203.0.113.1', 'dev', 'lan0', 'onlink', 'src', '198.18.0.1'],
      { nextHop: '203.0.113.1', interface: 'lan0', others: ['prefsrc 198.18.0.1', 'onlink'] },
    ],
    [[destination, 'via', 'inet6', 'fe80::2', 'dev', 'lan0'], { nextHop: 'fe80::2', interface: 'lan0' }],
  ])('a setting that no call makes is reported: %j', async (words, values) => {
    const [type, to, ...rest] = words[0] === 'unreachable' ? words : ['unicast', ...words];
    await router.ip('route', 'add', `${type}`, `${to}`, 'proto', 'static', 'metric', '1', ...rest);
    const shown = { ...named, ...values };
    expect(await caller.look('static-route', object)).toEqual({ finding: 'PRESENT', values: shown });
    const remove = linuxIproute2.resources?.get('static-route')?.remove?.({ ...object, uuid: null, recorded: shown });
    const isOther = 'others' in values || 'type' in values;
    expect(remove === undefined).toBe(isOther);
    const { nextHop, interface: outgoing } = { nextHop: undefined, interface: undefined, ...values };
    const target = given({ nextHop, interface: outgoing, discard: 'type' in values ? true : undefined });
    const removed = await caller.call('staticRoute.delete', { destination, ...target });
    expect(removed).toMatchObject(isOther ? { code: 'CHANGED' } : { state: 'SUCCEEDED' });
  });

  test('a route for a type of service has its own key', async () => {
    await router.ip('route', 'add', destination, 'tos', '0x10', 'dev', 'lan0', 'proto', 'static', 'metric', '1');
    expect(await caller.look('static-route', object)).toEqual({ finding: 'ABSENT' });
    await caller.done('staticRoute.create', { destination, discard: true });
    await caller.done('staticRoute.delete', { destination, discard: true });
    expect(await router.ip('route', 'show', 'exact', destination)).toContain('tos 0x10');
  });
});

test.each([
  [{ nextHop: '203.0.113.1' }, 'DEVICE_REFUSED', /invalid gateway.*\n.*network of one of its interfaces/],
  [{ nextHop: '198.18.0.2', interface: 'wan0' }, 'DEVICE_REFUSED', /invalid gateway/],
  [{ interface: 'nope' }, 'NO_INTERFACE', /`ip link` shows/],
  // ip would take this name for the interface with number 1.
  [{ interface: 'if1' }, 'NO_INTERFACE', /`ip link` shows/],
])('the router refuses unsupported routes, and the message says what to do: %j', async (target, code, message) => {
  const called = await caller.call('staticRoute.create', { destination, ...target });
  expect(called).toEqual({ state: 'FAILED', code, message: expect.stringMatching(message) });
  expect(await caller.look('static-route', object)).toEqual({ finding: 'ABSENT' });
});

test('another name of an interface is refused', async () => {
  await router.ip('link', 'property', 'add', 'dev', 'lan0', 'altname', 'office');
  expect(await caller.refused('staticRoute.create', { destination, interface: 'office' })).toBe('FAILED NO_INTERFACE');
});

test('an interface that is down, and an account without rights, are refused', async () => {
  await router.ip('link', 'add', 'down0', 'type', 'bridge');
  const down = await caller.call('staticRoute.create', { destination, interface: 'down0' });
  expect(down).toMatchObject({ code: 'DEVICE_REFUSED', message: expect.stringContaining('set it up first') });
  await router.device.faults.set({ refuse: 'yes' });
  const refused = await caller.call('staticRoute.create', { destination, discard: true });
  expect(refused).toMatchObject({ code: 'DEVICE_REFUSED', message: expect.stringContaining('CAP_NET_ADMIN') });
});

test('the typed mutation', async () => {
  const typed = linuxIproute2.typed.routerStaticRouteCreate;
  const call = typed?.({ destination, nextHop: '198.18.0.2', discard: false, distance: 20 });
  expect(call).toMatchObject({ operation: 'staticRoute.create', fields: { metric: 'distance' } });
  await caller.done(call?.operation ?? '', call?.arguments);
  expect(await caller.done('staticRoute.list')).toMatchObject({ routes: [{ nextHop: '198.18.0.2', metric: 20 }] });
  expect(typed?.({ destination, discard: true, vrf: 'blue' })).toBeUndefined();
});

test('partial input does nothing', async () => {
  await caller.done('staticRoute.create', { destination, nextHop: '198.18.0.2' });
  for (const [operation, args] of [
    ['staticRoute.create', { destination, nextHop: '198.18.0.3', interface: 'lan0' }],
    ['staticRoute.delete', { destination, nextHop: '198.18.0.2' }],
  ] as const) {
    const call = caller.render(operation, args);
    if (call.kind !== 'exec' || call.stdin === undefined) throw new Error('no input');
    // At the end of each line, before it and after it. The very last newline may be missing.
    const ends = [...call.stdin.matchAll(/\n/g)].flatMap(({ index }) => [index - 1, index, index + 1]);
    for (const end of [0, ...ends.filter((at) => at < (call.stdin?.length ?? 0) - 1)]) {
      const sent = await caller.send({ ...call, stdin: call.stdin.slice(0, end) });
      if (!sent.ok || sent.reply.kind !== 'exec') throw new Error('no reply');
      expect([end, sent.reply.stdout]).toEqual([
        end,
        expect.stringMatching(/^iproute2 refused (CUT_SHORT|BAD_INPUT)( [0-9a-f-]{36})?\n$/),
      ]);
    }
  }
  expect(await caller.done('staticRoute.get', { destination })).toMatchObject({ nextHop: '198.18.0.2' });
});

test('no argument of a program contains text from a user', async () => {
  await caller.done('staticRoute.create', { destination: '203.0.113.64/26', interface: 'wan0' });
  const log = await router.device.log();
  const received = log.filter((entry) => entry.phase === 'received');
  expect(received.some(({ stdin }) => stdin.includes('203.0.113.64/26'))).toBe(true);
  expect(received.filter(({ args }) => /203\.0\.113|wan0/.test(args.join(' ')))).toEqual([]);
});

describe('a connection that breaks', () => {
  test.each([
    ['before', 'ABSENT'],
    ['after', 'PRESENT'],
    ['late', 'PRESENT'],
  ] as const)('%s the creation: the call has no reply, and a probe finds the result', async (drop, finding) => {
    await router.device.faults.set({ drop, times: 1 });
    const args = { destination, nextHop: '198.18.0.2' };
    expect(await caller.call('staticRoute.create', args)).toMatchObject({
      ...{ state: 'NO_REPLY', failure: { kind: 'NO_VERDICT', code: 'CONNECTION_LOST' } },
    });
    await waitFor(finding, async () => (await caller.look('static-route', object)).finding === finding);
    expect(await caller.look('static-route', object)).toMatchObject({ finding });
    expect(await caller.done('staticRoute.create', args)).toBeNull();
  });

  test.each([
    ['before', 'PRESENT'],
    ['after', 'ABSENT'],
  ] as const)('%s the deletion', async (drop, finding) => {
    await caller.done('staticRoute.create', { destination, discard: true });
    await router.device.faults.set({ drop, times: 1 });
    const deleted = await caller.call('staticRoute.delete', { destination, discard: true });
    expect(deleted).toMatchObject({ state: 'NO_REPLY' });
    expect(await caller.look('static-route', object)).toMatchObject({ finding });
  });
});

const shown = () => router.ip('-details', 'route', 'show', 'exact', destination);
foreignObjects(linuxIproute2, () => caller, {
  'static-route': {
    create: ['staticRoute.create', { destination, nextHop: '198.18.0.2' }],
    async put(what) {
      if ((await shown()) !== '') await router.ip('route', 'del', destination);
      if (what === 'another')
        await router.ip('route', 'add', destination, 'via', '198.18.0.77', 'proto', 'static', 'metric', '1');
    },
    state: shown,
  },
});
