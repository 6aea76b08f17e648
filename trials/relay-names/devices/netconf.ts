// The input of a NETCONF server: one edit or one filter, parsed as XML without the driver. A text must stay the text of one element, and a
// path must lead only to the edited element.
import { readXml, type XmlElement } from '../../../platform/xml/read-xml.ts';
import type {
  DriverOperation,
  JsonObject,
  JsonValue,
  NetconfCall,
  WireCall,
} from '../../../subgraphs/relay/drivers/driver.ts';
import { netconf } from '../../../subgraphs/relay/drivers/netconf/driver.ts';
import { contextOf, difference, operationId, type Subject } from '../subject.ts';

const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
const vpn = 'urn:tidegate:lab:vpn';
const keys = ['site', 'peer'];
const unknown = 'urn:tidegate:unknown-module:';
const routing = 'urn:ietf:params:xml:ns:yang:';
/** The operation of RFC 6241, section 7.2, for each operation of the driver. */
const operations: Readonly<Record<string, string>> = {
  ...{ 'entry.create': 'create', 'entry.merge': 'merge', 'entry.replace': 'replace', 'entry.delete': 'delete' },
  ...{ 'staticRoute.create': 'create', 'staticRoute.delete': 'delete' },
};

const bases: Readonly<Record<string, JsonObject>> = {
  'entry.create': {
    ...{ path: "/lab-vpn:vpn/tunnel[site='berlin'][peer='paris']", mark: 'description' },
    value: { mtu: 1_400, prefix: ['a', 'b'] },
  },
  'entry.merge': { path: '/lab-vpn:vpn/banner', value: 'Welcome' },
  'entry.replace': { path: "/lab-vpn:vpn/tunnel[site='berlin'][peer='paris']", value: { mtu: 1_400 } },
  'entry.delete by key': { peer: 'paris' },
  'data.read': { subtree: { 'lab-vpn:vpn': { banner: 'x' } } },
};

function root(xml: string): XmlElement {
  return readXml(`<root xmlns:nc="${base}">${xml}</root>`);
}

function moduleOf(namespace: string): string {
  if (namespace === vpn) return 'lab-vpn';
  if (namespace.startsWith(unknown)) return namespace.slice(unknown.length);
  if (namespace.startsWith(routing)) return namespace.slice(routing.length);
  throw new Error(`an element of namespace ${namespace}`);
}

/** The path to the one element that is edited. */
function wayTo(element: XmlElement): readonly XmlElement[] | undefined {
  if (element.attributes.has(`{${base}}operation`)) return [element];
  const ways = element.children.map(wayTo).filter((way) => way !== undefined);
  if (ways.length > 1) throw new Error('two edits');
  return ways[0] && [element, ...ways[0]];
}

function isKey({ name, namespace }: XmlElement): boolean {
  return namespace === vpn && keys.includes(name);
}

/** As an instance-identifier. */
function pathOf(way: readonly XmlElement[]): string {
  let module = '';
  return way
    .map((element) => {
      const of = moduleOf(element.namespace);
      const named = of === module ? element.name : `${of}:${element.name}`;
      module = of;
      const conditions = element.children.filter(isKey).map(({ name, text }) => {
        return `[${name}=${text.includes("'") ? `"${text}"` : `'${text}'`}]`;
      });
      return `/${named}${conditions.join('')}`;
    })
    .join('');
}

function valueIn(element: XmlElement): JsonValue {
  if (element.children.length === 0) return element.text;
  if (element.text !== '') throw new Error('a text beside elements');
  const members = new Map<string, JsonValue[]>();
  for (const child of element.children.filter((each) => !isKey(each)))
    members.set(child.name, [...(members.get(child.name) ?? []), valueIn(child)]);
  return Object.fromEntries([...members].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? null) : all]));
}

/** The call's own arguments, as XML texts. */
function texts(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(texts);
  if (typeof value !== 'object' || value === null) return value === null ? '' : String(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name.split(':').at(-1) ?? '', texts(each ?? null)]),
  );
}

function edited(operation: string, call: NetconfCall): readonly XmlElement[] {
  const config = root(call.edit?.config ?? '');
  const way = wayTo(config)?.slice(1) ?? [];
  if (config.children.length !== 1 || way.length === 0) throw new Error('not one edit');
  if (way.at(-1)?.attributes.get(`{${base}}operation`) !== operations[operation]) throw new Error('another operation');
  return way;
}

function entryOf(operation: string, args: JsonObject, call: NetconfCall): JsonObject {
  const way = edited(operation, call);
  const last = way.at(-1);
  if (last === undefined) throw new Error('no element');
  const value = valueIn(last);
  const { mark } = args;
  if (mark === undefined) return { path: pathOf(way), ...(args.value === undefined ? {} : { value }) };
  const { [String(mark).split(':').at(-1) ?? '']: marked, ...rest } = value as JsonObject;
  if (marked !== `tg:${operationId}`) throw new Error('no mark');
  return { path: pathOf(way), mark: mark ?? null, ...(args.value === undefined ? {} : { value: rest }) };
}

/** The path in its usual spelling: no module name if it does not change, and single quotes. */
function usual(path: JsonValue | undefined): JsonValue {
  let module = '';
  return String(path).replace(
    /((?:\[[^\]]*=(?:'[^']*'|"[^"]*")\])+)|\/(?:([^:/[\]]+):)?([^/[\]:]+)/g,
    (_all, conditions, named, name) => {
      if (conditions !== undefined)
        return String(conditions)
          .replace(/"([^"']*)"\]/g, "'$1']")
          .replaceAll(`[${module}:`, '[');
      const changed = named !== undefined && named !== module;
      module = named ?? module;
      return changed ? `/${named}:${name}` : `/${name}`;
    },
  );
}

function routeOf(operation: string, call: NetconfCall): JsonObject {
  const route = edited(operation, call).at(-1);
  const leaf = (of: XmlElement | undefined, name: string) => of?.children.find((child) => child.name === name)?.text;
  const hop = route?.children.find(({ name }) => name === 'next-hop');
  const destination = leaf(route, 'destination-prefix')?.replace(/\/(32|128)$/, (length, bits) => {
    return bits === (leaf(route, 'destination-prefix')?.includes(':') ? '128' : '32') ? '' : length;
  });
  const given = { nextHop: leaf(hop, 'next-hop-address'), interface: leaf(hop, 'outgoing-interface') };
  return {
    destination: destination ?? null,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(leaf(hop, 'special-next-hop') === 'blackhole' ? { discard: true } : {}),
  } as JsonObject;
}

function misread(operation: string, args: JsonObject, call: WireCall): string | undefined {
  if (call.kind !== 'netconf') return 'another wire';
  if (operation === 'data.read') {
    if (args.subtree === undefined) return call.filter === null ? undefined : 'a filter that nobody asked for';
    const read = valueIn(root(call.filter ?? ''));
    return difference({ subtree: texts(args.subtree) }, { subtree: read === '' ? {} : read });
  }
  if (operation === keyed.name) return difference(args, keyOf(call));
  if (operation === 'staticRoute.list') return call.edit === undefined ? undefined : 'an edit';
  if (operation.startsWith('staticRoute.')) {
    const { discard, ...rest } = args;
    const asked = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, canonical(String(value))]));
    const told = Object.entries(routeOf(operation, call)).map(([name, value]) => [
      name,
      typeof value === 'string' ? canonical(value) : value,
    ]);
    return difference({ ...asked, ...(discard === true ? { discard } : {}) }, Object.fromEntries(told));
  }
  const { path, value, ...rest } = args;
  const asked = { path: usual(path), ...rest, ...(value === undefined ? {} : { value: texts(value) }) };
  return difference(asked, entryOf(operation, args, call));
}

/** As parsed by Node. */
function canonical(text: string): string {
  const [address = '', length] = text.split('/');
  if (!address.includes(':')) return text.replace(/\/32$/, '');
  const host = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return length === undefined || length === '128' ? host : `${host}/${length}`;
}

/** A text as a key in a path, in quotes that it does not contain. */
const keyed: DriverOperation = {
  ...operationOf('entry.delete'),
  name: 'entry.delete by key',
  argumentsSchema: {
    type: 'object',
    properties: { peer: { type: 'string' } },
    required: ['peer'],
    additionalProperties: false,
  },
  refine: ({ peer }) =>
    (operationOf('entry.delete').refine?.({ path: pathTo(String(peer)) }) ?? []).map((fault) => ({
      ...fault,
      path: ['peer'],
    })),
  render: ({ peer }, context) => operationOf('entry.delete').render({ path: pathTo(String(peer)) }, context),
};

function operationOf(name: string): DriverOperation {
  const found = netconf.operations.get(name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}

function pathTo(peer: string): string {
  const quote = peer.includes("'") ? '"' : "'";
  return `/lab-vpn:vpn/tunnel[site='berlin'][peer=${quote}${peer}${quote}]`;
}

function keyOf(call: NetconfCall): JsonObject {
  const entry = edited('entry.delete', call).at(-1);
  const [, peer, ...more] = entry?.children ?? [];
  if (more.length > 0 || peer?.name !== 'peer') throw new Error('not one key');
  return { peer: peer.text };
}

export const netconfSubject: Subject = {
  driver: netconf,
  operations: [...netconf.operations.values(), keyed],
  context: contextOf(netconf, 'netconf', { modules: { 'lab-vpn': vpn } }),
  base: (operation) => bases[operation] ?? netconf.operations.get(operation)?.example ?? {},
  misread,
};
