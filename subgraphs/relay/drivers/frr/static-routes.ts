// Static routes (staticd). A route is a destination and a next hop. If several routes have the same destination, the routes with
// the lowest distance share the packets. FRR keeps no comment with a route, so a route is recognised by its whole line: that of one which an
// earlier version recorded too.
import { isIP } from 'node:net';
import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, ExecReply, JsonObject, MappedObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, plainRead } from '../json.ts';
import {
  type ConfigLine,
  checkOutcome,
  deleteOutcome,
  findingOf,
  listOutcome,
  type Shown,
  setOutcome,
} from './replies.ts';
import {
  address,
  destination,
  isIpv6,
  isRouteWord,
  outgoingInterface,
  versionWord,
  vrf,
  vrfOf,
  withLength,
} from './schema.ts';
import { type Meant, quoted, run } from './scripts.ts';

type RouteVia = { nextHop?: string; interface?: string; discard?: boolean };
type RouteKey = RouteVia & { destination: string; vrf?: string };
type Settings = { distance?: number; tag?: number };
type Route = RouteKey & Settings;
type CreateArguments = Route & { replaces?: Settings };

const via = {
  nextHop: { ...address, description: 'The address of the next router, of the IP version of the destination' },
  interface: outgoingInterface,
  discard: { type: 'boolean', description: 'True: packets are dropped without an answer (blackhole)' },
};

function refine(route: RouteKey): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  const hasVia = route.nextHop !== undefined || route.interface !== undefined;
  if (hasVia === (route.discard === true))
    faults.push({ path: ['nextHop'], message: 'give either nextHop, interface or both of them, or discard: true' });
  if (route.nextHop !== undefined && isIpv6(route.nextHop) !== isIpv6(route.destination))
    faults.push({ path: ['nextHop'], message: 'nextHop has another IP version than destination' });
  if (route.interface !== undefined && isRouteWord(route.interface))
    faults.push({
      path: ['interface'],
      message: 'interface is, or begins, a word of the command ip route, which has no quoting',
    });
  return faults;
}

/** As FRR shows it. */
function blockOf(text: string): string {
  return withLength(canonicalText(text));
}

function viaOf({ nextHop, interface: outgoing, discard }: RouteVia): string {
  if (discard === true) return 'blackhole';
  const hop = nextHop === undefined ? undefined : canonicalText(nextHop);
  return [hop, outgoing].filter((word) => word !== undefined).join(' ');
}

const object = (route: RouteKey) => ({
  resource: 'static-route',
  scope: vrfOf(route.vrf) ?? 'default',
  key: `${blockOf(route.destination)} ${viaOf(route)}`,
});

/** `ip route DESTINATION VIA`, the beginning of the route's line. */
function lineOf(route: RouteKey): string {
  return `${versionWord(route.destination)} route ${blockOf(route.destination)} ${viaOf(route)}`;
}

function commandOf(route: Route): string {
  const { tag, distance } = route;
  const words = [lineOf(route), tag === undefined ? '' : `tag ${tag}`, distance ?? '', inVrf(route)];
  return words.filter((word) => word !== '').join(' ');
}

/**
 * FRR keeps no mark of a route, so that its whole line has to be one of these. A next hop has one line: another distance, tag or option would
 * change the line that is there, as another word for dropped packets would.
 */
function meant(
  verb: Meant['verb'],
  { destination: to, vrf: inside, ...hop }: RouteKey,
  routes: readonly Settings[],
): Meant {
  const name = vrfOf(inside);
  const start = name === undefined ? '\t' : `vrf ${name}\t `;
  const key = { destination: to, ...given({ nextHop: hop.nextHop, interface: hop.interface, discard: hop.discard }) };
  const any = quoted(lineOf(key)).replace(/ blackhole$/, ' (blackhole|reject|Null0)');
  return {
    verb,
    at: `^${quoted(start)}${any}( ([0-9]|tag |label |onlink|color |bfd|segments ).*)?$`,
    own: routes.map(({ distance, tag }) => [
      `${start}${commandOf({ ...key, ...given({ tag, distance: distance === 1 ? undefined : distance }) })}`,
    ]),
  };
}

function inVrf(route: RouteKey): string {
  const name = vrfOf(route.vrf);
  return name === undefined ? '' : `vrf ${name}`;
}

function desired(route: CreateArguments): JsonObject {
  const { nextHop, interface: outgoing, discard, distance = 1, tag } = route;
  return given({
    destination: blockOf(route.destination),
    vrf: vrfOf(route.vrf),
    ...(nextHop === undefined ? {} : { nextHop: canonicalText(nextHop) }),
    ...(outgoing === undefined ? {} : { interface: outgoing }),
    ...(discard === true ? { discard } : {}),
    ...{ distance, tag },
  });
}

/** A route in the configuration. Undefined if it has a form that this driver does not make. */
function readRoute({ head, line }: ConfigLine): JsonObject | undefined {
  const inside = /^vrf (\S+)$/.exec(head)?.[1];
  if (head !== '' && inside === undefined) return undefined;
  const [version, word, to = '', ...rest] = line.split(' ');
  if (word !== 'route' || (version !== 'ip' && version !== 'ipv6')) return undefined;
  const first = rest.shift() ?? '';
  const nextHop = isIP(first) === 0 ? undefined : first;
  const isInterface = (text: string | undefined) => text !== undefined && /^[A-Za-z]/.test(text) && text !== 'tag';
  const beside = nextHop !== undefined && isInterface(rest[0]) ? rest.shift() : undefined;
  const discard = first === 'blackhole';
  if (nextHop === undefined && !isInterface(first)) return undefined;
  const outgoing = beside ?? (nextHop === undefined && !discard ? first : undefined);
  const tag = rest[0] === 'tag' ? rest.splice(0, 2)[1] : undefined;
  const distance = rest.shift() ?? '1';
  if (rest.length > 0 || !/^\d+$/.test(`${tag ?? 0}${distance}`)) return undefined;
  return given({
    ...{ destination: to, vrf: inside, nextHop, interface: outgoing },
    ...(discard ? { discard } : {}),
    distance: Number(distance),
    ...(tag === undefined ? {} : { tag: Number(tag) }),
  });
}

function find(route: RouteKey, have: readonly ConfigLine[]): JsonObject | undefined {
  const wanted = object(route);
  return have
    .map(readRoute)
    .filter((found) => found !== undefined)
    .find((found) => {
      const { scope, key } = object(found as RouteKey);
      return scope === wanted.scope && key === wanted.key;
    });
}

function shown(route: CreateArguments, have: readonly ConfigLine[]): Shown {
  const found = find(route, have);
  if (found === undefined) return 'ABSENT';
  return found.distance === (route.distance ?? 1) && found.tag === route.tag ? 'AS_WANTED' : 'OTHERWISE';
}

const settings = {
  distance: { type: 'integer', minimum: 1, maximum: 255, description: 'The administrative distance. Default: 1' },
  tag: { type: 'integer', minimum: 1, maximum: 4_294_967_295, description: 'A number for route maps' },
};

/** From what the mapping of a route says. */
const settingsOf = ({ recorded }: Partial<MappedObject>) => given({ distance: recorded?.distance, tag: recorded?.tag });

const example = { destination: '203.0.113.0/24', nextHop: '198.51.100.2' };

export const staticRouteCreate: OperationSpec<CreateArguments, ExecReply> = {
  name: 'staticRoute.create',
  summary: 'Creates a static route, or replaces one to the same next hop that is as given.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ destination, vrf, ...via, ...settings },
      replaces: {
        ...argumentsSchema(settings),
        description:
          'The route to this next hop that is replaced. Any other one is left alone, and the call is refused. Default: as recorded in its mapping',
      },
    },
    ['destination'],
  ),
  example,
  refine,
  object,
  mapping: 'creates',
  desired,
  recognised: (object) => (object.recorded === undefined ? {} : { replaces: settingsOf(object) }),
  render: ({ replaces, ...route }, call) => {
    const object = meant('create', route, replaces === undefined ? [route] : [route, replaces]);
    return run('change', { daemon: 'staticd', text: lineOf(route), object, lines: [commandOf(route)] }, call);
  },
  renderDryRun: (route, call) => run('check', { lines: [commandOf(route)] }, call),
  interpretDryRun: checkOutcome,
  interpret: (reply, route, call) => setOutcome(reply, call, (have) => shown(route, have), desired(route)),
};

export const staticRouteDelete: OperationSpec<Route, ExecReply> = {
  name: 'staticRoute.delete',
  summary: 'Deletes a static route to a next hop, if it has this distance and tag.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ destination, vrf, ...via, ...settings }, ['destination']),
  example,
  refine,
  object,
  mapping: 'deletes',
  recognised: settingsOf,
  render: (route, call) => {
    const object = meant('delete', route, [route]);
    return run('change', { daemon: 'staticd', text: lineOf(route), object, lines: [`no ${commandOf(route)}`] }, call);
  },
  interpret: (reply, route, call) => deleteOutcome(reply, call, (have) => find(route, have) !== undefined),
};

export const staticRouteList: OperationSpec<JsonObject, ExecReply> = {
  name: 'staticRoute.list',
  summary: 'Lists the static routes of the configuration, of all VRFs.',
  ...plainRead,
  render: (_args, call) => run('read', { daemon: 'staticd', text: ' route ' }, call),
  interpret: (reply, _args, call) =>
    listOutcome(reply, call, (have) => ({ routes: have.map((line) => readRoute(line) ?? { native: line.line }) })),
};

export const staticRoute: ResourceReader<ExecReply> = {
  lists: {},
  own: [],
  render: (at) => {
    const route = routeOf(at.scope, at.key);
    return run('read', { daemon: 'staticd', text: route === undefined ? ' route ' : lineOf(route) });
  },
  interpret(reply, { scope, key }) {
    const route = routeOf(scope, key);
    if (route === undefined)
      return { finding: 'UNREADABLE', message: 'The name of the route is not one of this driver.' };
    return findingOf(reply, (have) => {
      const values = find(route, have);
      return values && { values };
    });
  },
  remove(object) {
    const route = routeOf(object.scope, object.key);
    return route && { operation: 'staticRoute.delete', arguments: given({ ...route, ...settingsOf(object) }) };
  },
};

/** From the names of `object`. */
function routeOf(scope: string, key: string): RouteKey | undefined {
  const [to = '', first = '', second, ...more] = key.split(' ');
  if (to === '' || first === '' || more.length > 0) return undefined;
  const at = { destination: to, ...(scope === 'default' ? {} : { vrf: scope }) };
  if (first === 'blackhole') return second === undefined ? { ...at, discard: true } : undefined;
  if (isIP(first) === 0) return second === undefined ? { ...at, interface: first } : undefined;
  return { ...at, nextHop: first, ...(second === undefined ? {} : { interface: second }) };
}
