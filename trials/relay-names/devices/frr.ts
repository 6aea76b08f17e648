// The input of a router, parsed the way its script and vtysh parse it: lines with a keyword. Lines of the configuration are split at
// blanks, and `|` and `?` have a special meaning in them. The words must be exactly those of the call.
import { isIP } from 'node:net';
import { canonicalAddressBlock } from '../../../platform/net/address-block.ts';
import type { Driver, JsonObject, JsonValue, WireCall } from '../../../subgraphs/relay/drivers/driver.ts';
import { frr } from '../../../subgraphs/relay/drivers/frr/driver.ts';
import { contextOf, isSame, operationId, type Subject } from '../subject.ts';

const context = contextOf(frr, 'ssh');
const keywords = ['daemon', 'need', 'text', 'deep', 'verb', 'at', 'mark', 'own', 'line'];

function base(operation: string, serial: number): JsonObject {
  const own = `10.${(serial >> 8) & 255}.${serial & 255}`;
  const name = `n${serial}`;
  switch (operation) {
    case 'staticRoute.create':
      return {
        destination: `${own}.0/24`,
        nextHop: '198.51.100.2',
        interface: 'transit',
        vrf: name,
        distance: 7,
        tag: 9,
      };
    case 'staticRoute.delete':
      return { destination: `${own}.0/24`, nextHop: '198.51.100.2', interface: 'transit', vrf: name };
    case 'bgpNeighbor.create':
      return {
        ...{ asNumber: 65_001, address: `${own}.1`, remoteAs: 65_009, description: name, password: `pass${serial}` },
        ...{ multihopTtl: 3, sourceAddress: '198.51.100.1' },
      };
    case 'bgpNeighbor.delete':
      return { asNumber: 65_001, address: `${own}.1`, was: { remoteAs: '65009', description: name } };
    case 'bgp.create':
      return { asNumber: 65_001, vrf: name, routerId: `${own}.1` };
    case 'bgp.delete':
      return { asNumber: 65_001, vrf: name };
    case 'prefixListEntry.create':
      return { list: name, sequence: 5, action: 'permit', prefix: `${own}.0/24`, minLength: 25, maxLength: 30 };
    case 'prefixListEntry.delete':
      return { list: name, ipVersion: 4, sequence: 5, was: { action: 'permit', prefix: `${own}.0/24` } };
    case 'routeMapEntry.create':
      return {
        ...{ routeMap: name, sequence: 10, action: 'permit', description: name, matchPrefixList: name },
        ...{ matchIpv6PrefixList: name, localPreference: 5, metric: 6 },
      };
    case 'routeMapEntry.delete':
      return { routeMap: name, sequence: 10, was: { action: 'permit' } };
    case 'bgpSession.list':
      return { vrf: name };
    case 'bgpSession.get':
      return { vrf: name, address: `${own}.1` };
    case 'route.list':
      return { vrf: name, protocol: 'static' };
    case 'route.get':
      return { vrf: name, destination: `${own}.0/24` };
    default:
      return frr.operations.get(operation)?.example ?? {};
  }
}

type Words = readonly (JsonValue | undefined)[];

const plain = (text: JsonValue | undefined) => canonicalAddressBlock(String(text)) ?? String(text);
const isSix = (text: JsonValue | undefined) => String(text).includes(':');
const block = (text: JsonValue | undefined) =>
  isIP(plain(text)) === 0 ? plain(text) : `${plain(text)}/${isSix(text) ? 128 : 32}`;
const ip = (text: JsonValue | undefined) => (isSix(text) ? 'ipv6' : 'ip');
const isDefault = (vrf: JsonValue | undefined) => vrf === undefined || vrf === 'default';
const vrfWords = (vrf: JsonValue | undefined): Words => (isDefault(vrf) ? [] : ['vrf', vrf]);
const optional = (word: string, value: JsonValue | undefined): Words => (value === undefined ? [] : [word, value]);

function routeWords(args: JsonObject): Words {
  const { destination, nextHop, interface: outgoing, discard, tag, distance, vrf } = args;
  const target: Words = discard === true ? ['blackhole'] : [nextHop && plain(nextHop), outgoing];
  return [ip(destination), 'route', block(destination), ...target, ...optional('tag', tag), distance, ...vrfWords(vrf)];
}

function marked(words: JsonValue | undefined): Words {
  return ['description', `tg:${operationId}`, ...(words === undefined || words === '' ? [] : String(words).split(' '))];
}

/** The lines of a call, as words. */
function wantedOf(operation: string, args: JsonObject): readonly Words[] {
  const router: Words = ['router', 'bgp', args.asNumber, ...vrfWords(args.vrf)];
  const neighbor = (...words: Words): Words => ['neighbor', plain(args.address), ...words];
  const given = (name: string, words: Words): readonly Words[] => (args[name] === undefined ? [] : [words]);
  switch (operation) {
    case 'staticRoute.create':
      return [routeWords(args)];
    case 'staticRoute.delete':
      return [['no', ...routeWords(args)]];
    case 'bgp.create':
      return [router, ...given('routerId', ['bgp', 'router-id', args.routerId]), ['exit']];
    case 'bgp.delete':
      return [['no', ...router]];
    case 'bgpNeighbor.create':
      return [
        ...[router, neighbor('remote-as', args.remoteAs), neighbor(...marked(args.description))],
        ...given('password', neighbor('password', args.password)),
        ...given('multihopTtl', neighbor('ebgp-multihop', args.multihopTtl)),
        ...given('sourceAddress', neighbor('update-source', plain(args.sourceAddress))),
        ['exit'],
      ];
    case 'bgpNeighbor.delete':
      return [router, ['no', ...neighbor()], ['exit']];
    case 'prefixListEntry.create': {
      const { list, sequence, action, prefix, minLength, maxLength } = args;
      const lengths = [...optional('ge', minLength), ...optional('le', maxLength)];
      return [[ip(prefix), 'prefix-list', list, 'seq', sequence, action, block(prefix), ...lengths]];
    }
    case 'prefixListEntry.delete':
      return [['no', args.ipVersion === 6 ? 'ipv6' : 'ip', 'prefix-list', args.list, 'seq', args.sequence]];
    case 'routeMapEntry.create':
      return [
        ...[['route-map', args.routeMap, args.action, args.sequence], marked(args.description)],
        ...given('matchPrefixList', ['match', 'ip', 'address', 'prefix-list', args.matchPrefixList]),
        ...given('matchIpv6PrefixList', ['match', 'ipv6', 'address', 'prefix-list', args.matchIpv6PrefixList]),
        ...given('localPreference', ['set', 'local-preference', args.localPreference]),
        ...given('metric', ['set', 'metric', args.metric]),
        ['exit'],
      ];
    case 'routeMapEntry.delete':
      return [['no', 'route-map', args.routeMap, 'permit', args.sequence]];
    case 'bgpSession.list':
      return [['show', 'bgp', ...vrfWords(args.vrf), 'summary', 'json']];
    case 'bgpSession.get':
      return [['show', 'bgp', ...vrfWords(args.vrf), 'neighbors', plain(args.address), 'json']];
    case 'route.list':
      return [['show', args.ipVersion === 6 ? 'ipv6' : 'ip', 'route', ...vrfWords(args.vrf), args.protocol, 'json']];
    case 'route.get':
      return [['show', ip(args.destination), 'route', ...vrfWords(args.vrf), plain(args.destination), 'json']];
    case 'config.save':
      return [['write', 'memory']];
    case 'system.info':
      return [['show', 'version']];
    default:
      return [];
  }
}

/** The words that vtysh sees in a line. Undefined if it would see something other than words. */
function wordsOf(line: string): readonly string[] | undefined {
  if (/[?|\t]/.test(line) || /^\s*[!#]/.test(line) || !/^[ -~]*$/.test(line)) return undefined;
  return line.trim().split(/ +/);
}

function misread(driver: Driver, operation: string, args: JsonObject, call: WireCall): string | undefined {
  if (call.kind !== 'exec') return `a call of kind ${call.kind}`;
  const example = driver.operations.get(operation)?.render(base(operation, 1), context);
  if (example?.kind !== 'exec' || example.command !== call.command) return 'another command than with other arguments';
  const input = (call.stdin ?? '').split('\n');
  if (input.pop() !== '' || input.pop() !== 'end') return 'the input has another end';
  if (input.shift() !== `call ${operationId}`) return 'the input has another beginning';
  if (input.some((line) => !keywords.some((word) => line.startsWith(`${word} `)))) return 'a line has no keyword';
  const lines = input.filter((line) => line.startsWith('line ')).map((line) => line.slice('line '.length));
  const words = lines.map(wordsOf);
  const odd = words.indexOf(undefined);
  if (odd >= 0) return `vtysh sees more than words in: ${lines[odd]}`;
  const wanted = wantedOf(operation, args).map((line) => line.filter((word) => word !== undefined).map(String));
  return isSame(words, wanted) ? undefined : `vtysh is told ${JSON.stringify(words)}, not ${JSON.stringify(wanted)}`;
}

export function frrSubjectOf(driver: Driver): Subject {
  return {
    driver,
    operations: [...driver.operations.values()],
    ...{ context, base },
    misread: (operation, args, call) => misread(driver, operation, args, call),
  };
}
