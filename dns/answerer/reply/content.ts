// The content of a zone's answer before it is encoded: the answer of a policy, fixed records, or a denial.
import { answer } from '../../policy/answer.ts';
import type { ClientAddress, GeoSource } from '../../policy/client.ts';
import { types } from '../../wire/message.ts';
import { addressOfSubnet } from '../query/client-subnet.ts';
import type { Query } from '../query/query.ts';
import type { RecordSet } from '../record-set.ts';
import { type NameNode, type Policy, typesOf } from '../zone/name-node.ts';
import type { Found } from '../zone/zone.ts';

export type Content =
  | { readonly kind: 'RECORDS'; readonly set: RecordSet; readonly scopeBits: number }
  | { readonly kind: 'NODATA'; readonly has: readonly number[]; readonly scopeBits: number }
  | { readonly kind: 'NO_SUCH_NAME' }
  | { readonly kind: 'FAILURE' };

export interface Policies {
  readonly geo: GeoSource;
  /** 0 ≤ x < 1. */
  readonly draw: () => number;
}

const typeNames: Readonly<Record<number, string>> = { [types.A]: 'A', [types.AAAA]: 'AAAA', [types.CNAME]: 'CNAME' };

/** `resolver`: its address is used if the question has no client subnet. */
export function contentOf(found: Found | undefined, query: Query, resolver: Buffer, policies: Policies): Content {
  if (found === undefined) return { kind: 'NO_SUCH_NAME' };
  const { node } = found;
  if (query.type !== types.ANY) return contentOfType(node, query.type, query, resolver, policies);
  // RFC 8482 section 4.1: one record set is enough. Only a name without any has none.
  for (const type of typesToTry(node)) {
    const content = contentOfType(node, type, query, resolver, policies);
    if (content.kind !== 'NODATA') return content;
  }
  return { kind: 'NODATA', has: [], scopeBits: 0 };
}

function contentOfType(node: NameNode, type: number, query: Query, resolver: Buffer, policies: Policies): Content {
  const fixed = node.fixed.get(type);
  if (fixed !== undefined) return { kind: 'RECORDS', set: fixed, scopeBits: 0 };
  const { policy } = node;
  if (policy !== undefined) {
    const known = policy.constant?.get(type);
    if (known !== undefined) return { kind: 'RECORDS', set: known, scopeBits: 0 };
    const content = ofPolicy(node, policy, type, query, resolver, policies);
    if (content.kind === 'RECORDS' && isAddress(type)) policy.constant?.set(type, { ...content.set, key: node.key });
    return content;
  }
  return { kind: 'NODATA', has: typesOf(node).filter((each) => each !== type), scopeBits: 0 };
}

/** A policy without addresses may have a CNAME, which answers any type. */
function typesToTry({ fixed, policy }: NameNode): readonly number[] {
  const ofPolicy = policy === undefined || policy.types.length > 0 ? (policy?.types ?? []) : [types.A];
  return [...ofPolicy, ...fixed.keys()];
}

function isAddress(type: number): boolean {
  return type === types.A || type === types.AAAA;
}

function ofPolicy(
  node: NameNode,
  { name, data }: Policy,
  type: number,
  { key, edns }: Query,
  resolver: Buffer,
  { geo, draw }: Policies,
): Content {
  const subnet = edns?.subnet;
  const client: ClientAddress =
    subnet === undefined || subnet.bits === 0
      ? { bytes: resolver, bits: resolver.length * 8 }
      : { bytes: addressOfSubnet(subnet), bits: subnet.bits };
  const { outcome, records, ttlSeconds, scopeBits } = answer(name, {
    type: typeNames[type] ?? 'OTHER',
    client,
    geo,
    draw,
  });
  if (outcome === 'SERVFAIL') return { kind: 'FAILURE' };
  const [first] = records;
  if (outcome === 'NODATA' || first === undefined)
    return { kind: 'NODATA', has: typesOf(node).filter((each) => each !== type), scopeBits };
  const wire: Buffer[] = [];
  for (const record of records) {
    const bytes = data.get(record.data) as Buffer;
    // Members may have the same address, but a record set contains each record once (RFC 2181 section 5).
    if (!wire.includes(bytes)) wire.push(bytes);
  }
  return { kind: 'RECORDS', set: { key, type: types[first.type], ttlSeconds, data: wire }, scopeBits };
}
