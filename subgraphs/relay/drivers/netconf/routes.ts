// Static routes by the core routing model (RFC 8349, sections 5.3, 8 and 9). The module has no VRF and no distance.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type {
  Driver,
  JsonObject,
  NetconfReply,
  OperationSpec,
  Outcome,
  RenderContext,
  ResourceReader,
  XmlElement,
} from '../driver.ts';
import { argumentsSchema, given, isObject, plainRead } from '../json.ts';
import { readMark, writeMark } from '../mark.ts';
import { notMeant, recognised, settingsSha256, sumOf } from '../meant-object.ts';
import { editOutcome, finding, renderEdit, renderLook } from './edits.ts';
import { isNode, type Path, pathFilter } from './instance-path.ts';
import { modulesOf, routing } from './modules.ts';
import { readOutcome } from './replies.ts';
import { content, leafText } from './values.ts';

type DeleteArguments = { destination: string; settingsSha256?: string };
type Route = { destination: string; nextHop?: string; interface?: string; discard?: boolean };

export const staticProtocol = {
  type: 'string',
  pattern: '^[A-Za-z0-9._-]{1,63}$',
  default: 'static',
  description:
    'The name of the routing protocol instance of type static that has the static routes (RFC 8349, section 5.3).',
} as const;

const destination = {
  type: 'string',
  format: 'address-block',
  maxLength: 49,
  description: 'The destination: an address block, IPv4 or IPv6.',
} as const;

function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** The model's prefixes have a length. */
function prefixOf(block: string): string {
  const canonical = canonicalText(block);
  if (canonical.includes('/')) return canonical;
  return `${canonical}/${isIpv6(canonical) ? 128 : 32}`;
}

const core = (name: string, keys: Path[number]['keys'] = []) => ({ module: routing.core, name, keys });
const keyOf = (module: string, name: string, value: string) => ({ node: { module, name }, value });

/** `destination`: absent, all routes of the IP version. */
function pathOf(protocol: string, version: 'ipv4' | 'ipv6', destination?: string): Path {
  const module = routing[version];
  const keys = destination === undefined ? [] : [keyOf(module, 'destination-prefix', prefixOf(destination))];
  return [
    core('routing'),
    core('control-plane-protocols'),
    core('control-plane-protocol', [
      keyOf(routing.core, 'type', `${routing.core}:static`),
      keyOf(routing.core, 'name', protocol),
    ]),
    core('static-routes'),
    { module, name: version, keys: [] },
    { module, name: 'route', keys },
  ];
}

function routePath(destination: string, protocol: string): Path {
  return pathOf(protocol, isIpv6(destination) ? 'ipv6' : 'ipv4', destination);
}

function protocolOf({ backend }: Pick<RenderContext, 'backend'>): string {
  return String(backend.options.staticProtocol ?? staticProtocol.default);
}

/** The instance is in the request; there is one of the name in the reply. */
function pathIn({ data, modules }: NetconfReply, destination: string): Path {
  const entries = (data?.children ?? []).flatMap(({ children }) => children.flatMap((each) => each.children));
  const [instance] = entries.filter((each) => isNode(each, core('control-plane-protocol'), modules));
  const name = instance?.children.find((leaf) => isNode(leaf, core('name'), modules));
  return routePath(destination, name?.text ?? '');
}

const object = ({ destination: block }: { destination: string }) => ({
  ...{ resource: 'static-route', scope: '', key: canonicalText(block) },
});

const canonical = (address: string | undefined) => address && canonicalText(address);

function desired(route: Route): JsonObject {
  const { destination: block, nextHop, interface: outgoing, discard } = route;
  return given({
    destination: canonicalText(block),
    nextHop: canonical(nextHop),
    interface: outgoing,
    discard: discard === true ? true : undefined,
  });
}

/** The node next-hop. Its nodes come from a grouping, so that they have the module of the route; `blackhole` silently discards (section 8). */
function nextHopOf({ nextHop, interface: outgoing, discard }: Route): JsonObject {
  return given({
    'special-next-hop': discard === true ? 'blackhole' : undefined,
    'outgoing-interface': outgoing,
    'next-hop-address': canonical(nextHop),
  });
}

/** The route that was read, in the terms of the arguments. Settings without a matching argument are shown unchanged. */
function routeOf(values: JsonObject, block: string): JsonObject {
  const { 'next-hop': hop = {}, ...rest } = values;
  const hops = isObject(hop) ? hop : {};
  const known: Readonly<Record<string, string>> = { 'next-hop-address': 'nextHop', 'outgoing-interface': 'interface' };
  const shown = Object.entries(hops).map(([name, value]) => {
    if (name === 'special-next-hop' && value === 'blackhole') return ['discard', true] as const;
    return [known[name] ?? name, value] as const;
  });
  return { destination: block, ...Object.fromEntries(shown), ...rest };
}

/** The same from a call's arguments, as `lookIn` finds it. */
function wanted(route: Route): JsonObject {
  const { destination: block, ...made } = desired(route);
  return { destination: block ?? '', ...made };
}

export const routeCreate: OperationSpec<Route, NetconfReply> = {
  name: 'staticRoute.create',
  summary: 'Creates a static route. The routing protocol instance that has it comes with it.',
  category: 'USER',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      destination,
      nextHop: { type: 'string', format: 'address', maxLength: 45, description: 'The address of the next router.' },
      interface: {
        type: 'string',
        pattern: '^[A-Za-z0-9._/-]{1,63}$',
        description: 'The interface on which packets leave: 1 to 63 letters, digits and . _ / -.',
      },
      discard: { type: 'boolean', description: 'If true, packets to the destination are dropped without an answer.' },
    },
    ['destination'],
  ),
  example: { destination: '192.0.2.0/24', nextHop: '198.51.100.1' },
  refine: ({ destination: block, nextHop, interface: outgoing, discard }) => {
    const hasTarget = nextHop !== undefined || outgoing !== undefined;
    if (hasTarget === (discard === true))
      return [{ path: ['nextHop'], message: 'give either nextHop, interface or both of them, or discard: true' }];
    if (nextHop !== undefined && isIpv6(nextHop) !== isIpv6(block))
      return [{ path: ['nextHop'], message: 'has another IP version than destination' }];
    return [];
  },
  object,
  mapping: 'creates',
  desired,
  render: (route, context) => {
    const nodes = routePath(route.destination, protocolOf(context));
    const module = nodes.at(-1)?.module ?? '';
    const { operationId } = context;
    const value = { description: writeMark({ operationId, words: '' }), 'next-hop': nextHopOf(route) };
    return renderEdit('create', nodes, content(value, module, modulesOf(context.backend)), context);
  },
  interpret: (reply, route) =>
    editOutcome(reply, pathIn(reply, route.destination), wanted(route), (values) =>
      routeOf(values, String(object(route).key)),
    ),
};

/** Why the route that is there is not the meant one. The session's lock keeps it until the edit. */
function obstacle(args: DeleteArguments, reply: NetconfReply): Outcome | undefined {
  const { destination: block } = args;
  const look = finding(reply, pathIn(reply, block), (values) => routeOf(values, canonicalText(block)));
  if (look.finding === 'UNREADABLE')
    return {
      state: 'FAILED',
      code: 'DEVICE_BUSY',
      message: `It could not be read, so nothing was sent. ${look.message}`,
    };
  if (look.finding === 'ABSENT') {
    const message = `The device has no static route to ${block}.`;
    return { state: 'FAILED', code: 'NOT_FOUND', message, absent: true };
  }
  const { settingsSha256: sum } = args;
  const isMeant = sum === undefined ? look.operationId !== undefined : sum === sumOf(look.values);
  return isMeant ? undefined : { state: 'FAILED', code: 'CHANGED', message: notMeant };
}

export const routeDelete: OperationSpec<DeleteArguments, NetconfReply> = {
  name: 'staticRoute.delete',
  summary: 'Deletes a static route, if a call made it, or if it has these settings.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      destination,
      settingsSha256: {
        ...settingsSha256,
        description:
          'The SHA-256 sum of the settings that were recorded: only a route with these is deleted. Default: the route must have the mark of a call, or be as it was when it was adopted.',
      },
    },
    ['destination'],
  ),
  example: { destination: '192.0.2.0/24' },
  object,
  mapping: 'deletes',
  recognised,
  render: (args, context) => {
    const path = routePath(args.destination, protocolOf(context));
    return renderEdit('delete', path, '', context, { allows: (reply) => obstacle(args, reply) === undefined });
  },
  interpret: (reply, args) => {
    if (reply.unsent !== true) return editOutcome(reply, pathIn(reply, args.destination), undefined);
    const again = { code: 'DEVICE_BUSY', message: 'The device answered differently when asked again.' };
    return obstacle(args, reply) ?? { state: 'FAILED', ...again };
  },
};

export const routeList: OperationSpec<Record<string, never>, NetconfReply> = {
  name: 'staticRoute.list',
  summary: 'Lists the static routes of the configuration.',
  ...plainRead,
  render: (_args, context) => {
    const modules = modulesOf(context.backend);
    // One element for each IP version. The rest of the two paths is equal, and may occur twice (RFC 6241, section 6.2.5).
    const filter = (['ipv4', 'ipv6'] as const)
      .map((version) => pathFilter(pathOf(protocolOf(context), version), modules))
      .join('');
    return { kind: 'netconf', source: 'running', filter, modules };
  },
  interpret: (reply) => readOutcome(reply, () => ({ routes: reply.data === null ? [] : routesIn(reply.data, reply) })),
};

function routesIn(element: XmlElement, reply: NetconfReply): JsonObject[] {
  return element.children.flatMap((child) => {
    const version = (['ipv4', 'ipv6'] as const).find((each) =>
      isNode(child, { module: routing[each], name: 'route' }, reply.modules),
    );
    return version === undefined ? routesIn(child, reply) : [listed(child, version, reply)];
  });
}

function listed(route: XmlElement, version: 'ipv4' | 'ipv6', { modules }: NetconfReply): JsonObject {
  const module = routing[version];
  const leaf = (of: XmlElement | undefined, name: string) => {
    const found = of?.children.find((child) => isNode(child, { module, name }, modules));
    return found && leafText(found, modules);
  };
  const hop = route.children.find((child) => isNode(child, { module, name: 'next-hop' }, modules));
  const block = leaf(route, 'destination-prefix') ?? '';
  return {
    destination: canonicalText(block),
    nextHop: leaf(hop, 'next-hop-address') ?? null,
    interface: leaf(hop, 'outgoing-interface') ?? null,
    special: leaf(hop, 'special-next-hop') ?? null,
    operationId: readMark(leaf(route, 'description'))?.operationId ?? null,
  };
}

export const staticRoute: ResourceReader<NetconfReply> = {
  lists: {},
  own: [],
  render: ({ key }, context) => renderLook(routePath(key, protocolOf(context)), context),
  interpret: (reply, { key }) => finding(reply, pathIn(reply, key), (values) => routeOf(values, key)),
  remove: (object) =>
    object.scope === ''
      ? { operation: 'staticRoute.delete', arguments: { destination: object.key, ...recognised(object) } }
      : undefined,
};

export const typedCalls: Driver['typed'] = {
  routerStaticRouteCreate: ({ destination: block, nextHop, interface: outgoing, discard, ...more }) =>
    Object.keys(more).length > 0
      ? undefined
      : {
          operation: 'staticRoute.create',
          arguments: given({ destination: block, nextHop, interface: outgoing, discard }),
        },
};
