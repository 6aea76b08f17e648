// Static routes of the kernel, that is routes of protocol `static`. The kernel identifies a route by its table, destination and
// metric, so these three are its name here. The kernel keeps no comment, so a route is recognised by where it leads: its target.
import { invariant } from '../../../../platform/errors/errors.ts';
import { canonicalText, isInBlock } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, ExecReply, JsonObject, MappedObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, isObject } from '../json.ts';
import type { Call } from '../script-input.ts';
import { outcomeOf, routesIn } from './replies.ts';
import { run } from './scripts.ts';

type Identity = { readonly destination: string; readonly metric: number; readonly table: number };
type Target = { readonly nextHop?: string; readonly interface?: string; readonly discard?: boolean };
type Route = Identity & Target;
type Creation = Route & { readonly replaces?: Target };

type Version = '4' | '6';

const mainTable = 254;
const localTable = 255;

const table = {
  type: 'integer',
  minimum: 1,
  // ip shows no tables with higher numbers, because it reads those numbers as negative.
  maximum: 2_147_483_647,
  default: mainTable,
  description: 'The number of the routing table. Default: 254, which is `main`.',
};

const identity: JsonObject = {
  destination: {
    type: 'string',
    format: 'address-block',
    maxLength: 49,
    description: 'An address or an address block.',
  },
  metric: {
    type: 'integer',
    // With 0 a deletion takes a route of any metric.
    minimum: 1,
    maximum: 4_294_967_295,
    default: 1,
    description: 'Of several routes to the destination, the one with the lowest metric is used. Default: 1.',
  },
  table,
};

const target: JsonObject = {
  nextHop: {
    type: 'string',
    format: 'address',
    description: 'The address of the next router. Not allowed with discard.',
  },
  interface: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$',
    description:
      'The interface on which packets leave: at most 15 letters, digits, dots, underscores and hyphens, the first a letter or digit. Not with discard.',
  },
  discard: { type: 'boolean', description: 'True: packets are dropped without an answer (blackhole).' },
};

function tableFaults({ table: number }: { readonly table: number }): readonly ArgumentFault[] {
  return number === localTable
    ? [{ path: ['table'], message: `table ${localTable} (local) is the kernel's own: give another one` }]
    : [];
}

function targetFaults(route: Target, path: readonly string[] = []): readonly ArgumentFault[] {
  const hasHop = route.nextHop !== undefined || route.interface !== undefined;
  return hasHop === (route.discard === true)
    ? [{ path: [...path, 'nextHop'], message: 'give either nextHop, interface or both of them, or discard: true' }]
    : [];
}

function creationFaults(route: Creation): readonly ArgumentFault[] {
  const { destination, nextHop, replaces } = route;
  const faults = [...tableFaults(route), ...targetFaults(route)];
  if (replaces !== undefined) faults.push(...targetFaults(replaces, ['replaces']));
  if (nextHop === undefined) return faults;
  if (versionOf(nextHop) !== versionOf(destination))
    faults.push({ path: ['nextHop'], message: 'nextHop has another IP version than destination' });
  if (isInBlock(nextHop, 'fe80::/10') && route.interface === undefined)
    faults.push({ path: ['interface'], message: 'a link-local nextHop needs an interface' });
  return faults;
}

function versionOf(address: string): Version {
  return address.includes(':') ? '6' : '4';
}

/** A route in the words of ip. */
function wordsOf({ destination, metric, table: number, nextHop, interface: outgoing, discard }: Route): string {
  return [
    discard === true ? 'blackhole' : 'unicast',
    `${canonicalText(destination)} table ${number} metric ${metric} proto static`,
    ...(nextHop === undefined ? [] : [`via ${familyOf(nextHop, destination)}${canonicalText(nextHop)}`]),
    ...(outgoing === undefined ? [] : [`dev ${outgoing}`]),
  ].join(' ');
}

/** An IPv4 route may have a next hop of IPv6. */
function familyOf(nextHop: string, destination: string): string {
  return versionOf(nextHop) === versionOf(destination) ? '' : 'inet6 ';
}

/**
 * For the whole line that ip shows for one of these targets. The kernel finds the interface of a next hop by itself; words at the end
 * tell the state of the interface.
 */
function ownOf({ destination, metric }: Identity, targets: readonly Target[]): string {
  const ways = targets.map(({ nextHop, interface: outgoing, discard }) => {
    const via =
      nextHop === undefined ? '' : ` via ${literal(`${familyOf(nextHop, destination)}${canonicalText(nextHop)}`)}`;
    const dev = outgoing === undefined ? '( dev [^ ]+)?' : ` dev ${literal(outgoing)}`;
    return discard === true ? 'blackhole [^ ]+( dev lo)?' : `(unicast )?[^ ]+${via}${dev}`;
  });
  const state = '( (dead|linkdown|offload|trap|offload_failed|rt_offload|rt_trap))*';
  return `(${ways.join('|')}) proto static( scope [^ ]+)?( metric ${metric})?( pref medium)?${state} *`;
}

function literal(text: string): string {
  return text.replaceAll('.', '[.]');
}

/** Finds the routes in the route's place. Routes for a type of service (`tos`) have their own places. */
const whatIsThere = ({ destination, metric, table: number }: Identity) =>
  `route show table ${number} exact ${canonicalText(destination)} metric ${metric} tos 0`;

function objectOf({ destination, metric, table: number }: Identity) {
  return { resource: 'static-route', scope: `table ${number}`, key: `${canonicalText(destination)} metric ${metric}` };
}

/** Undefined if it is not the name of a route. */
function identityOf({ scope, key }: Pick<MappedObject, 'scope' | 'key'>): Identity | undefined {
  const [, number] = /^table ([1-9]\d*)$/.exec(scope) ?? [];
  const [, destination, metric] = /^([0-9a-f.:/]+) metric ([1-9]\d*)$/i.exec(key) ?? [];
  if (number === undefined || destination === undefined) return undefined;
  return { destination, metric: Number(metric), table: Number(number) };
}

const create: OperationSpec<Creation, ExecReply> = {
  name: 'staticRoute.create',
  summary:
    'Creates a static route, or replaces one with this destination, metric and table that is as given. It lasts until a restart, or until its interface goes down.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...identity,
      ...target,
      replaces: {
        ...argumentsSchema(target),
        description:
          'Where the route leads that is replaced. Any other one is left alone, and the call is refused. Default: as recorded in its mapping',
      },
    },
    ['destination'],
  ),
  example: { destination: '192.0.2.0/24', discard: true },
  refine: creationFaults,
  object: objectOf,
  mapping: 'creates',
  desired: ({ destination, metric, table: number, nextHop, interface: outgoing, discard }) =>
    given({
      destination: canonicalText(destination),
      metric,
      table: number,
      nextHop: nextHop === undefined ? undefined : canonicalText(nextHop),
      interface: outgoing,
      discard: discard === true ? true : undefined,
    }),
  recognised: ({ recorded }) => (isMade(recorded) ? { replaces: targetOf(recorded) } : {}),
  render: ({ replaces, ...route }, call) => {
    const input = {
      versions: versionOf(route.destination),
      show: whatIsThere(route),
      ...(route.interface === undefined ? {} : { dev: route.interface }),
      own: ownOf(route, replaces === undefined ? [route] : [route, replaces]),
      route: wordsOf(route),
    };
    return run('create', input, call);
  },
  interpret: outcomeOf,
};

const remove: OperationSpec<Route, ExecReply> = {
  name: 'staticRoute.delete',
  summary: 'Deletes a static route, if it leads where the call says.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ ...identity, ...target }, ['destination']),
  example: { destination: '192.0.2.0/24', discard: true },
  refine: (route) => [...tableFaults(route), ...targetFaults(route)],
  object: objectOf,
  mapping: 'deletes',
  recognised: ({ recorded }) => (isMade(recorded) ? targetOf(recorded) : {}),
  render: (route, call) => {
    const input = {
      versions: versionOf(route.destination),
      show: whatIsThere(route),
      own: ownOf(route, [route]),
      route: wordsOf(route),
    };
    return run('delete', input, call);
  },
  interpret: outcomeOf,
};

/**
 * The read is not restricted to one metric, because ip leaves out properties that the command restricts, and `values` need the
 * metric.
 */
function readOf({ destination, table: number }: Identity, call?: Call) {
  const show = `route show table ${number} exact ${canonicalText(destination)} tos 0`;
  return run('read', { versions: versionOf(destination), show }, call);
}

/** `undefined`: the router has no such static route. */
function found(reply: ExecReply, wanted: Identity, call?: Call) {
  const shown = routesIn(reply, [versionOf(wanted.destination)], call);
  if (!shown.ok) return shown;
  const routes = shown.routes
    .map(({ route }) => route)
    .filter(({ protocol, metric }) => protocol === 'static' && metric === wanted.metric);
  const values = routes.length === 0 ? undefined : valuesOf(routes, wanted);
  return { ok: true, values } as const;
}

const get: OperationSpec<Identity, ExecReply> = {
  name: 'staticRoute.get',
  summary: 'Reads a static route.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema(identity, ['destination']),
  example: { destination: '192.0.2.0/24' },
  refine: tableFaults,
  render: readOf,
  interpret(reply, wanted, call) {
    const look = found(reply, { ...wanted, destination: canonicalText(wanted.destination) }, call);
    if (!look.ok) return { state: 'FAILED', code: look.code, message: look.message };
    if (look.values !== undefined) return { state: 'SUCCEEDED', result: look.values };
    const message = 'The router has no static route with this destination, metric and table.';
    return { state: 'FAILED', code: 'NOT_FOUND', message, absent: true };
  },
};

const list: OperationSpec<{ readonly table: number }, ExecReply> = {
  name: 'staticRoute.list',
  summary: 'Lists the static routes of a table, IPv4 and IPv6.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ table }),
  example: {},
  refine: tableFaults,
  render: ({ table: number }, call) =>
    run('read', { versions: '4 6', show: `route show table ${number} proto static` }, call),
  interpret(reply, { table: number }, call) {
    const shown = routesIn(reply, ['4', '6'], call);
    if (!shown.ok) return { state: 'FAILED', code: shown.code, message: shown.message };
    const routes = shown.routes.map(({ version, route }) => {
      const destination = route.dst === 'default' ? everything[version] : canonicalText(String(route.dst));
      return valuesOf([route], { destination, metric: Number(route.metric ?? 0), table: number });
    });
    return { state: 'SUCCEEDED', result: { routes } };
  },
};

const everything = { '4': '0.0.0.0/0', '6': '::/0' } as const;

/** Properties that don't affect where packets go, or are part of the route's name. */
const known = [
  'type',
  'dst',
  'gateway',
  'via',
  'dev',
  'protocol',
  'scope',
  'metric',
  'flags',
  'pref',
  'nexthops',
  'tos',
];

/** `routes`: all routes at one place. There are several if another program has appended some. */
function valuesOf(routes: readonly JsonObject[], { destination, metric, table: number }: Identity): JsonObject {
  const [route = {}] = routes;
  const hops = routes.flatMap((one) => (Array.isArray(one.nexthops) ? one.nexthops.filter(isObject) : [one]));
  const isOne = hops.length === 1;
  const type = String(route.type);
  const others = routes.flatMap(othersOf);
  return given({
    destination,
    metric,
    table: number,
    nextHop: isOne ? gatewayOf(hops[0]) : undefined,
    // For IPv6 the kernel shows `lo` for routes that drop packets.
    interface: isOne && type === 'unicast' ? textOf(hops[0]?.dev) : undefined,
    discard: type === 'blackhole' ? true : undefined,
    type: type === 'unicast' || type === 'blackhole' ? undefined : type,
    nextHops: isOne ? undefined : hops.map(hopText),
    others: others.length === 0 ? undefined : others,
  });
}

/** Settings that no call makes: `mtu`, the own address, `onlink`. */
function othersOf(route: JsonObject): readonly string[] {
  const settings = Object.entries(route).filter(([name]) => !known.includes(name));
  const preference = route.pref === undefined || route.pref === 'medium' ? [] : [`pref ${route.pref}`];
  // The other flags describe the route's current state: `linkdown`, `offload`.
  const flags = Array.isArray(route.flags)
    ? route.flags.filter((flag) => flag === 'onlink' || flag === 'pervasive')
    : [];
  return [
    ...settings.map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`),
    ...preference,
    ...flags.map(String),
  ];
}

function hopText(hop: JsonObject): string {
  const gateway = gatewayOf(hop);
  const parts = { via: gateway, dev: textOf(hop.dev), weight: hop.weight };
  const text = Object.entries(parts).flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]));
  return text.length === 0 ? String(hop.type) : text.join(' ');
}

/** An IPv4 route may have a next hop of IPv6: ip shows it as `via`. */
function gatewayOf(hop: JsonObject | undefined): string | undefined {
  const gateway = textOf(hop?.gateway) ?? (isObject(hop?.via) ? textOf(hop.via.host) : undefined);
  return gateway === undefined ? undefined : canonicalText(gateway);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Whether a call can make such a route: one with several next hops, or with other settings, is another program's. */
function isMade(recorded: JsonObject | undefined): recorded is JsonObject {
  return recorded !== undefined && ['type', 'nextHops', 'others'].every((name) => recorded[name] === undefined);
}

function targetOf({ nextHop, interface: outgoing, discard }: JsonObject): JsonObject {
  return given({ nextHop, interface: outgoing, discard });
}

export const staticRoute: ResourceReader<ExecReply> = {
  lists: { nextHops: 'SET', others: 'SET' },
  // The kernel finds the interface by the next hop.
  own: ['interface'],
  render(object) {
    const wanted = identityOf(object);
    invariant(wanted !== undefined, `${object.key} in ${object.scope} is not the name of a route`);
    return readOf(wanted);
  },
  interpret(reply, object) {
    const wanted = identityOf(object);
    if (wanted === undefined) return { finding: 'UNREADABLE', message: 'This is not the name of a route.' };
    const look = found(reply, wanted);
    if (!look.ok) return { finding: 'UNREADABLE', message: look.message };
    return look.values === undefined ? { finding: 'ABSENT' } : { finding: 'PRESENT', values: look.values };
  },
  remove(object) {
    const { recorded } = object;
    const route = identityOf(object);
    if (route === undefined || !isMade(recorded)) return undefined;
    return { operation: remove.name, arguments: { ...route, ...targetOf(recorded) } };
  },
};

export const staticRouteOperations = [create, get, list, remove];

/** `routerStaticRouteCreate`. A VRF is a table of the kernel, known by a number and not by the VRF's name. */
export function createCall({ vrf, distance, ...route }: JsonObject) {
  if (vrf !== undefined) return undefined;
  return {
    operation: create.name,
    arguments: given({ ...route, metric: distance }),
    fields: { metric: 'distance' },
  };
}
