// BGP (bgpd): instances, one for each VRF, and their neighbours. A neighbour's description has the mark of the call that set it.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, ExecReply, JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, plainRead } from '../json.ts';
import { madeBy, markersOf, readMark, wordsOf, writeMark } from '../mark.ts';
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
  asNumber,
  description,
  identified,
  isIpv6,
  markLines,
  password,
  vrf,
  vrfOf,
  wasOf,
} from './schema.ts';
import { type Meant, quoted, run } from './scripts.ts';

type InstanceKey = { asNumber: number; vrf?: string };
type Instance = InstanceKey & { routerId?: string };
type NeighborKey = { asNumber: number; vrf?: string; address: string };
type Settings = { remoteAs: number; description?: string; multihopTtl?: number; sourceAddress?: string };
type Neighbor = NeighborKey & Settings & { password?: string };
type DeleteArguments = NeighborKey & {
  madeBy?: string[];
  was?: Omit<Settings, 'remoteAs'> & { remoteAs?: string; other?: string[] };
};

const daemon = 'bgpd';

/** The line under which the configuration of an instance is. */
function headOf({ asNumber: own, vrf: name }: InstanceKey): string {
  const inVrf = vrfOf(name);
  return `router bgp ${own}${inVrf === undefined ? '' : ` vrf ${inVrf}`}`;
}

interface Head {
  readonly asNumber: number;
  readonly vrf: string | undefined;
}

function readHead(line: string): Head | undefined {
  const found = /^router bgp (\d+)(?: vrf (\S+))?$/.exec(line);
  return found === null ? undefined : { asNumber: Number(found[1]), vrf: found[2] };
}

function instances(have: readonly ConfigLine[]): JsonObject[] {
  return have.flatMap(({ head, line }) => {
    const found = head === '' ? readHead(line) : undefined;
    if (found === undefined) return [];
    const id = have.find((each) => each.head === line && each.line.startsWith('bgp router-id '));
    return [given({ ...found, ...(id === undefined ? {} : { routerId: id.line.slice('bgp router-id '.length) }) })];
  });
}

function instanceOf(name: string | undefined, have: readonly ConfigLine[]): JsonObject | undefined {
  return instances(have).find((each) => each.vrf === vrfOf(name));
}

const instanceObject = ({ vrf: name }: InstanceKey) => ({ resource: 'bgp', scope: '', key: vrfOf(name) ?? 'default' });

const instanceLines = ({ routerId, ...key }: Instance) => [
  headOf(key),
  ...(routerId === undefined ? [] : [` bgp router-id ${routerId}`]),
  'exit',
];

/** Nothing of an instance says who made it, so that no call changes one that is there. */
function instanceMeant(name: string | undefined): Meant {
  const inVrf = vrfOf(name) === undefined ? '' : ` vrf ${quoted(vrfOf(name) ?? '')}`;
  return { verb: 'create', at: `^\trouter bgp [0-9]+${inVrf}$` };
}

export const bgpCreate: OperationSpec<Instance, ExecReply> = {
  name: 'bgp.create',
  summary: 'Creates the BGP instance of the router, or of a VRF. An instance that is there already is left alone.',
  category: 'INIT',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ asNumber, vrf },
      routerId: { ...address, description: 'The router id, written as an IPv4 address' },
    },
    ['asNumber'],
  ),
  example: { asNumber: 65_001 },
  refine: ({ routerId = '' }) =>
    isIpv6(routerId) ? [{ path: ['routerId'], message: 'routerId must be written as an IPv4 address' }] : [],
  object: instanceObject,
  mapping: 'creates',
  desired: ({ routerId, ...key }) => given({ asNumber: key.asNumber, vrf: vrfOf(key.vrf), routerId }),
  render: (instance, call) => {
    const object = instanceMeant(instance.vrf);
    return run('change', { daemon, text: 'bgp ', object, lines: instanceLines(instance) }, call);
  },
  renderDryRun: (instance, call) => run('check', { lines: instanceLines(instance) }, call),
  interpretDryRun: checkOutcome,
  interpret: (reply, instance, call) =>
    setOutcome(
      reply,
      call,
      (have): Shown => {
        const found = instanceOf(instance.vrf, have);
        if (found === undefined) return 'ABSENT';
        // FRR refuses another AS number, and changes nothing then.
        if (found.asNumber !== instance.asNumber) return 'ABSENT';
        return instance.routerId === undefined || found.routerId === instance.routerId ? 'AS_WANTED' : 'OTHERWISE';
      },
      given(instance),
    ),
};

export const bgpDelete: OperationSpec<InstanceKey, ExecReply> = {
  name: 'bgp.delete',
  summary: 'Deletes the BGP instance of the router, or of a VRF, with all its neighbours.',
  category: 'INIT',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ asNumber, vrf }, ['asNumber']),
  example: { asNumber: 65_001 },
  object: instanceObject,
  mapping: 'deletes',
  render: (key, call) => run('change', { daemon, need: headOf(key), text: 'bgp ', lines: [`no ${headOf(key)}`] }, call),
  interpret: (reply, { vrf: name }, call) => deleteOutcome(reply, call, (have) => instanceOf(name, have) !== undefined),
};

export const bgpList: OperationSpec<JsonObject, ExecReply> = {
  name: 'bgp.list',
  summary: 'Lists the BGP instances of the configuration.',
  ...plainRead,
  render: (_args, call) => run('read', { daemon, text: 'bgp ' }, call),
  interpret: (reply, _args, call) => listOutcome(reply, call, (have) => ({ instances: instances(have) })),
};

export const bgp: ResourceReader<ExecReply> = {
  lists: {},
  own: ['routerId'],
  names: /^[A-Za-z0-9._-]{1,35}$/,
  render: () => run('read', { daemon, text: 'bgp ' }),
  interpret: (reply, { key }) =>
    findingOf(reply, (have) => {
      const values = instanceOf(key, have);
      return values && { values };
    }),
};

const neighborObject = (neighbor: NeighborKey) => ({
  resource: 'bgp-neighbor',
  scope: `${neighbor.asNumber} ${vrfOf(neighbor.vrf) ?? 'default'}`,
  key: canonicalText(neighbor.address),
});

function neighborLines(neighbor: Neighbor, operationId: string): string[] {
  const start = ` neighbor ${canonicalText(neighbor.address)}`;
  const { remoteAs, description: words = '', multihopTtl, sourceAddress } = neighbor;
  return [
    headOf(neighbor),
    `${start} remote-as ${remoteAs}`,
    `${start} description ${writeMark({ operationId, words })}`,
    ...(neighbor.password === undefined ? [] : [`${start} password ${neighbor.password}`]),
    ...(multihopTtl === undefined ? [] : [`${start} ebgp-multihop ${multihopTtl}`]),
    ...(sourceAddress === undefined ? [] : [`${start} update-source ${canonicalText(sourceAddress)}`]),
    'exit',
  ];
}

function neighborValues(neighbor: Neighbor): JsonObject {
  const { description: words = '', sourceAddress } = neighbor;
  return given({
    ...neighbor,
    vrf: vrfOf(neighbor.vrf),
    address: canonicalText(neighbor.address),
    description: words === '' ? undefined : words,
    sourceAddress: sourceAddress === undefined ? undefined : canonicalText(sourceAddress),
  });
}

interface FoundNeighbor {
  readonly operationId?: string;
  readonly values: JsonObject;
}

/** Reads the neighbour's lines directly under the instance, without lines of address families. */
function readNeighbor(key: NeighborKey, have: readonly ConfigLine[]): FoundNeighbor | undefined {
  const start = `neighbor ${canonicalText(key.address)} `;
  const lines = have.filter(({ head, line }) => head === headOf(key) && line.startsWith(start));
  if (lines.length === 0) return undefined;
  const settings = lines.map(({ line }) => line.slice(start.length));
  const other = settings.filter(
    (setting) => !/^(remote-as|description|password|ebgp-multihop|update-source) /.test(setting),
  );
  const text = (word: string) => settings.find((setting) => setting.startsWith(`${word} `))?.slice(word.length + 1);
  const number = (word: string) => (text(word) === undefined ? undefined : Number(text(word)));
  const mark = readMark(text('description'));
  const words = wordsOf(text('description'));
  const values = given({
    ...{ asNumber: key.asNumber, vrf: vrfOf(key.vrf), address: canonicalText(key.address) },
    remoteAs: number('remote-as') || text('remote-as'),
    description: words === '' ? undefined : words,
    password: text('password'),
    multihopTtl: number('ebgp-multihop'),
    sourceAddress: text('update-source'),
    other: other.length === 0 ? undefined : other,
  });
  return mark === undefined ? { values } : { operationId: mark.operationId, values };
}

function neighborShown(neighbor: Neighbor, have: readonly ConfigLine[]): Shown {
  const found = readNeighbor(neighbor, have);
  if (found === undefined) return 'ABSENT';
  const wanted = Object.entries({ ...neighborValues(neighbor), description: neighbor.description || undefined });
  return wanted.every(([name, value]) => found.values[name] === value) ? 'AS_WANTED' : 'OTHERWISE';
}

function neighborFaults(neighbor: Neighbor): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  // FRR accepts it silently and does nothing.
  if (neighbor.multihopTtl !== undefined && neighbor.asNumber === neighbor.remoteAs)
    faults.push({ path: ['multihopTtl'], message: 'an internal neighbour (of the same AS) has no multihopTtl' });
  if (neighbor.sourceAddress !== undefined && isIpv6(neighbor.sourceAddress) !== isIpv6(neighbor.address))
    faults.push({ path: ['sourceAddress'], message: 'sourceAddress has another IP version than address' });
  return faults;
}

function meant(verb: Meant['verb'], key: NeighborKey): Meant {
  return { verb, at: `^${quoted(headOf(key))}\t neighbor ${quoted(canonicalText(key.address))} ` };
}

const markedLines = (key: NeighborKey, calls?: readonly string[]) =>
  markLines(` neighbor ${quoted(canonicalText(key.address))} description`, calls);

/** All lines of a neighbour without a mark and without its password. */
function wholeOf(key: NeighborKey, was: NonNullable<DeleteArguments['was']>): string[] {
  const words = {
    ...{ 'remote-as': was.remoteAs, description: was.description, 'ebgp-multihop': was.multihopTtl },
    'update-source': was.sourceAddress,
  };
  const lines = Object.entries(words).flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]));
  const start = `${headOf(key)}\t neighbor ${canonicalText(key.address)}`;
  return [...lines, ...(was.other ?? [])].map((line) => `${start} ${line}`);
}

const neighborText = (key: NeighborKey) => `neighbor ${canonicalText(key.address)} `;

export const bgpNeighborCreate: OperationSpec<Neighbor, ExecReply> = {
  name: 'bgpNeighbor.create',
  summary: 'Creates a BGP neighbour, or sets the given settings of one that this relay made. The instance must exist.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      asNumber: { ...asNumber, description: 'The AS number of the instance' },
      vrf,
      address: { ...address, description: "The neighbour's address" },
      remoteAs: { ...asNumber, description: "The neighbour's AS number" },
      description,
      password: {
        ...password,
        description: 'The password of TCP MD5 signatures (RFC 2385): printable ASCII without spaces, | and ?',
      },
      multihopTtl: { type: 'integer', minimum: 2, maximum: 255, description: 'How many hops away it may be' },
      sourceAddress: { ...address, description: 'The own address of the connection' },
    },
    ['asNumber', 'address', 'remoteAs'],
  ),
  example: { asNumber: 65_001, address: '198.51.100.2', remoteAs: 65_002 },
  refine: neighborFaults,
  object: neighborObject,
  mapping: 'creates',
  desired: neighborValues,
  render: (neighbor, call) =>
    run(
      'change',
      {
        ...{ daemon, need: headOf(neighbor), text: neighborText(neighbor) },
        object: { ...meant('create', neighbor), marks: markedLines(neighbor) },
        lines: neighborLines(neighbor, call.operationId),
      },
      call,
    ),
  renderDryRun: (neighbor, call) => run('check', { lines: neighborLines(neighbor, call.operationId) }, call),
  interpretDryRun: checkOutcome,
  interpret: (reply, neighbor, call) =>
    setOutcome(
      reply,
      call,
      (have) => neighborShown(neighbor, have),
      given({ address: canonicalText(neighbor.address) }),
    ),
};

const number32 = { type: 'integer', minimum: 0, maximum: 4_294_967_295 };

export const bgpNeighborDelete: OperationSpec<DeleteArguments, ExecReply> = {
  name: 'bgpNeighbor.delete',
  summary: 'Deletes a BGP neighbour, if it has the mark of the call that made it, or exactly these settings.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ asNumber, vrf, address, madeBy },
      was: wasOf({
        remoteAs: {
          ...{ type: 'string', pattern: '^([0-9]{1,10}|external|internal)$' },
          description: "The neighbour's AS number, or external or internal",
        },
        ...{ description, multihopTtl: number32 },
        sourceAddress: { type: 'string', pattern: '^[!-~]{1,255}$', description: 'An own address, or an interface' },
      }),
    },
    ['asNumber', 'address'],
  ),
  example: { asNumber: 65_001, address: '198.51.100.2', was: { remoteAs: '65002' } },
  refine: identified,
  object: neighborObject,
  mapping: 'deletes',
  render: (key, call) =>
    run(
      'change',
      {
        ...{ daemon, need: headOf(key), text: neighborText(key) },
        object: {
          ...{ ...meant('delete', key), marks: markedLines(key, key.madeBy ?? []) },
          own: key.was === undefined ? [] : [wholeOf(key, key.was)],
        },
        lines: [headOf(key), ` no neighbor ${canonicalText(key.address)}`, 'exit'],
      },
      call,
    ),
  interpret: (reply, key, call) => deleteOutcome(reply, call, (have) => readNeighbor(key, have) !== undefined),
};

export const bgpNeighbor: ResourceReader<ExecReply> = {
  lists: { other: 'SET' },
  own: [],
  secrets: ['password'],
  render: ({ key }) => run('read', { daemon, text: `neighbor ${key} ` }),
  interpret(reply, { scope, key }) {
    const at = neighborOf(scope, key);
    return at === undefined
      ? { finding: 'UNREADABLE', message: 'The name of the neighbour is not one of this driver.' }
      : findingOf(reply, (have) => readNeighbor(at, have));
  },
  remove({ scope, key, ...object }) {
    const at = neighborOf(scope, key);
    if (at === undefined) return undefined;
    const { asNumber: _own, vrf: _vrf, address: _address, password: _hash, ...settings } = object.recorded ?? {};
    const { remoteAs } = settings;
    const was = given({ ...settings, remoteAs: remoteAs === undefined ? undefined : String(remoteAs) });
    const made = markersOf(object);
    const which = made === undefined ? { was: object.recorded && was } : { madeBy: made };
    return { operation: 'bgpNeighbor.delete', arguments: given({ ...at, ...which }) };
  },
};

/** From the names of `neighborObject`. */
function neighborOf(scope: string, key: string): NeighborKey | undefined {
  const [own = '', name, ...more] = scope.split(' ');
  if (!/^\d{1,10}$/.test(own) || name === undefined || more.length > 0) return undefined;
  return { asNumber: Number(own), ...(name === 'default' ? {} : { vrf: name }), address: key };
}
