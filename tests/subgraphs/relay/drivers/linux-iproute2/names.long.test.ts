// The bounds of every argument, and generated routes and interface names against the real ip.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canonicalText } from '../../../../../platform/net/address-block.ts';
import { nameFault } from '../../../../../subgraphs/relay/control/mappings/object-name.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxIproute2 } from '../../../../../subgraphs/relay/drivers/linux-iproute2/driver.ts';
import { type Random, seededRandom } from '../../../../../trials/random.ts';
import { faultsOf } from '../../support/driver-caller.ts';
import { Router } from './router.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const destination = '192.0.2.0/24';

let router: Router;

beforeAll(async () => {
  router = await Router.start();
});

afterAll(() => router?.stop());

const faults = (args: JsonObject, name = 'staticRoute.create') => faultsOf(linuxIproute2, name, args);

test.each<[JsonObject, RegExp]>([
  [{ destination: '192.0.2.1/24', discard: true }, /^destination: /],
  [{ destination: 'default', discard: true }, /^destination: /],
  [{ destination: '192.0.2.0/24 dev lo', discard: true }, /^destination: /],
  [{ destination: `::${'0'.repeat(60)}`, discard: true }, /^destination: /],
  [{ destination, discard: true, metric: 0 }, /^metric: /],
  [{ destination, discard: true, metric: 2 ** 32 }, /^metric: /],
  [{ destination, discard: true, metric: 1.5 }, /^metric: /],
  [{ destination, discard: true, table: 0 }, /^table: /],
  [{ destination, discard: true, table: 2 ** 31 }, /^table: /],
  [{ destination, discard: true, table: 255 }, /^table: .*give another one/],
  [{ destination, discard: true, table: 'main' }, /^table: /],
  [{ destination }, /^nextHop: give either/],
  [{ destination, discard: false }, /^nextHop: give either/],
  [{ destination, discard: true, nextHop: '198.18.0.2' }, /^nextHop: give either/],
  [{ destination, nextHop: '2001:db8::1' }, /^nextHop: .*IP version/],
  [{ destination, nextHop: '198.18.0.0/24' }, /^nextHop: /],
  [{ destination, nextHop: 'fe80::1%lan0' }, /^nextHop: /],
  [{ destination: '::/0', nextHop: 'fe80::1' }, /^interface: .*link-local/],
  ...['', 'a b', 'a\nb', '-a', '.', '..', 'a/b', 'a:1', '"a"', '#a', 'a\\', 'a@b', 'ä', 'x'.repeat(16)].map(
    (name): [JsonObject, RegExp] => [{ destination, interface: name }, /^interface: /],
  ),
  [{ destination, discard: true, vrf: 'blue' }, /vrf/],
])('is refused: %j', (args, fault) => {
  expect(faults(args)[0]).toMatch(fault);
});

test.each(['staticRoute.get', 'staticRoute.delete', 'staticRoute.list'])('%s knows no local table', (name) => {
  const args = { 'staticRoute.get': { destination }, 'staticRoute.delete': { destination, discard: true } }[name] ?? {};
  expect(faults({ ...args, table: 255 }, name)).toEqual([expect.stringMatching(/^table: /)]);
  expect(faults(args, name)).toEqual([]);
});

test.each([
  ['2001:DB8::/32 metric 1', 'table 254', /"2001:db8::\/32 metric 1" in "table 254"/],
  ['192.0.2.7/32 metric 1', 'table 254', /"192\.0\.2\.7 metric 1"/],
  ['192.0.2.0/24', 'table 254', /./],
  ['192.0.2.0/24 metric 0', 'table 254', /./],
  ['192.0.2.1/24 metric 1', 'table 254', /./],
  ['192.0.2.0/24 metric 1', 'main', /./],
  ['192.0.2.0/24 metric 1', 'table 255', /./],
])('no route is adopted as %s in %s', (key, scope, fault) => {
  expect(nameFault(linuxIproute2, { resource: 'static-route', scope, key, uuid: null })).toMatch(fault);
});

const first = [...'abcxyzABCXYZ0189'];
const later = [...first, '.', '_', '-'];
/** Words of ip's own grammar, and numbers, which ip also takes for interfaces. */
const hard = ['via', 'dev', 'metric', 'proto', 'static', 'table', 'help', 'any', 'none', 'if1', '1', '0x1', 'nexthop'];

function interfaceName(random: Random): string {
  if (random.next() < 0.4) return random.pick(hard);
  const rest = Array.from({ length: random.integer(0, 14) }, () => random.pick(later));
  return `${random.pick(first)}${rest.join('')}`;
}

function block(random: Random): string {
  const isIpv6 = random.next() < 0.5;
  const [width, size] = isIpv6 ? [128, 16] : [32, 8];
  const prefix = random.integer(1, width);
  const bits = Array.from({ length: width }, (_, at) => (at < prefix ? random.integer(0, 1) : 0));
  // Global addresses, because the kernel refuses some others as destinations.
  if (isIpv6) bits.splice(0, 3, 0, 0, prefix > 2 ? 1 : 0);
  const groups = Array.from({ length: width / size }, (_, at) =>
    Number.parseInt(bits.slice(at * size, (at + 1) * size).join(''), 2),
  );
  return `${groups.map((group) => group.toString(isIpv6 ? 16 : 10)).join(isIpv6 ? ':' : '.')}/${prefix}`;
}

function randomRoute(random: Random): JsonObject {
  const to = block(random);
  const [nextHops, linkLocal] = to.includes(':')
    ? [['2001:db8:a::', '2001:DB8:b:0:0::'], 'fe80::']
    : [['198.18.0.', '198.18.1.']];
  const host = random.integer(2, 99);
  const target = random.pick<JsonObject>([
    { discard: true },
    { interface: random.pick(['lan0', 'wan0']) },
    { nextHop: `${random.pick(nextHops)}${host}` },
    { nextHop: `${linkLocal ?? '198.18.1.'}${host}`, interface: 'wan0' },
  ]);
  const table = random.pick([1, 254, 100, random.integer(256, 2 ** 31 - 1)]);
  return { destination: to, metric: random.pick([1, 255, 256, random.integer(1, 2 ** 32 - 1)]), table, ...target };
}

test(`generated routes match the routes in the kernel (seed ${seed})`, async () => {
  const random = seededRandom(seed);
  for (let count = 0; count < 60; count += 1) {
    const args = randomRoute(random);
    const { resource, ...object } = router.caller.objectOf('staticRoute.create', args);
    const desired = router.caller.desired('staticRoute.create', args);
    await router.caller.done('staticRoute.create', args);
    const finding = await router.caller.look(resource, object);
    const own = typeof args.nextHop === 'string' ? { interface: expect.stringMatching(/^(?:lan|wan)0$/) } : {};
    expect([args, finding]).toEqual([args, { finding: 'PRESENT', values: { ...own, ...desired } }]);
    expect(desired.destination).toBe(canonicalText(String(args.destination)));
    await router.caller.done('staticRoute.delete', args);
    expect([args, await router.caller.look(resource, object)]).toEqual([args, { finding: 'ABSENT' }]);
  }
}, 60_000);

test(`generated interface names refer to these interfaces (seed ${seed})`, async () => {
  const random = seededRandom(seed);
  const names = new Set(Array.from({ length: 40 }, () => interfaceName(random)));
  for (const name of names) {
    expect([name, faults({ destination, interface: name })]).toEqual([name, []]);
    expect([name, await router.caller.refused('staticRoute.create', { destination, interface: name })]).toEqual([
      ...[name, 'FAILED NO_INTERFACE'],
    ]);
    await router.ip('link', 'add', 'name', name, 'type', 'bridge');
    await router.ip('link', 'set', 'dev', name, 'up');
    await router.caller.done('staticRoute.create', { destination, interface: name });
    expect(await router.caller.done('staticRoute.get', { destination })).toMatchObject({ interface: name });
    await router.ip('link', 'del', 'dev', name);
  }
}, 60_000);
