// A rule's matches and actions, as statements of libnftables-json(5).

import type { ArgumentFault, JsonObject, JsonValue } from '../driver.ts';
import { ipVersionOf, toExpression } from './address.ts';
import type { AddressFamily } from './schema.ts';

type Peer = { address?: string; set?: string; setIpVersion?: 4 | 6 };
export type Matching = {
  family: AddressFamily;
  source?: Peer;
  destination?: Peer;
  protocol?: 'tcp' | 'udp' | 'icmp';
  destinationPort?: number;
  action: 'accept' | 'drop' | 'reject';
};

/**
 * IANA, Assigned Internet Protocol Numbers. Numbers, because nft resolves names with the device's /etc/protocols, which a small
 * system lacks.
 */
const protocolNumbers = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** Faults between the fields; the JSON Schema can't express them. */
export function matchFaults(matching: Matching): ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  for (const side of ['source', 'destination'] as const) {
    const peer = matching[side];
    if (!peer) continue;
    if ((peer.address === undefined) === (peer.set === undefined)) {
      faults.push({ path: [side], message: 'must have exactly one of address and set' });
    }
    if (peer.setIpVersion !== undefined && peer.set === undefined) {
      faults.push({ path: [side, 'setIpVersion'], message: 'requires set' });
    }
  }
  const versions = versionsOf(matching);
  if (versions.length === 2 && versions[0] !== versions[1]) {
    faults.push({ path: ['destination'], message: 'must have the same IP version as source' });
  }
  if (matching.family !== 'inet' && versions.some((version) => version !== (matching.family === 'ip' ? 4 : 6))) {
    faults.push({
      path: ['family'],
      message: 'must match the IP version of source and destination; inet allows both versions',
    });
  }
  if (matching.destinationPort !== undefined && matching.protocol !== 'tcp' && matching.protocol !== 'udp') {
    faults.push({ path: ['destinationPort'], message: 'requires the protocol tcp or udp' });
  }
  return faults;
}

/** IP version of each given side. */
function versionsOf({ source, destination }: Matching): (4 | 6)[] {
  const versions: (4 | 6)[] = [];
  if (source) versions.push(versionOf(source, destination));
  if (destination) versions.push(versionOf(destination, source));
  return versions;
}

function versionOf(peer: Peer, other: Peer | undefined): 4 | 6 {
  if (peer.address !== undefined) return ipVersionOf(peer.address);
  if (peer.setIpVersion !== undefined) return peer.setIpVersion;
  return other?.address === undefined ? (other?.setIpVersion ?? 4) : ipVersionOf(other.address);
}

export function statements(matching: Matching): JsonValue[] {
  const { source, destination, action } = matching;
  return [
    ...(source ? [matchPeer('saddr', source, versionOf(source, destination))] : []),
    ...(destination ? [matchPeer('daddr', destination, versionOf(destination, source))] : []),
    ...matchProtocol(matching),
    { [action]: null },
  ];
}

function matchPeer(field: 'saddr' | 'daddr', peer: Peer, version: 4 | 6): JsonObject {
  const right = peer.set === undefined ? toExpression(peer.address ?? '') : `@${peer.set}`;
  return equals({ payload: { protocol: version === 4 ? 'ip' : 'ip6', field } }, right);
}

function matchProtocol(matching: Matching): JsonObject[] {
  const { protocol, destinationPort } = matching;
  if (protocol === undefined) return [];
  if (destinationPort !== undefined) return [equals({ payload: { protocol, field: 'dport' } }, destinationPort)];
  return [equals({ meta: { key: 'l4proto' } }, protocol === 'icmp' ? icmpOf(matching) : protocolNumbers[protocol])];
}

/** ICMP is a different protocol in each IP version: both if nothing determines which. */
function icmpOf(matching: Matching): JsonValue {
  const version = { inet: versionsOf(matching)[0], ip: 4, ip6: 6 }[matching.family];
  const { icmp, icmpv6 } = protocolNumbers;
  if (version === undefined) return { set: [icmp, icmpv6] };
  return version === 4 ? icmp : icmpv6;
}

function equals(left: JsonValue, right: JsonValue): JsonObject {
  return { match: { op: '==', left, right } };
}
