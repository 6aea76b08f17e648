// Every promise of the SDL has an answer. The tests query each field of each type, on objects that have all kinds of
// parts.
import { beforeAll, expect, test } from '@jest/globals';
import { type GraphQLField, type GraphQLObjectType, getNamedType, isLeafType, isObjectType } from 'graphql';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { decodeUuid, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { insertNode } from '../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { partNames } from '../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { forFile } from '../../support/jest/shared.ts';
import { BalancerGraph, type Ids, identity, makeTree, projectA } from './support/balancer-graph.ts';
import { connectHost } from './support/host-records.ts';

const graph = forFile(() => BalancerGraph.open());
let ids: Ids & { readonly certificate: string; readonly node: string; readonly host: string };
const admin = identity('ADMIN');
const lower = (name: string) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`;

beforeAll(async () => {
  const made = await makeTree(graph, 'all');
  const { cert, key } = await makeCertificate({ commonName: 'www.example.com' });
  const stored = await graph.make(
    ...(['tlsCertificateCreate', { name: 'c', chain: cert, privateKey: key }, 'tlsCertificate { id }'] as const),
  );
  const listener = { loadBalancerId: made.loadBalancer, protocol: 'TERMINATED_HTTPS', port: 443 };
  await graph.make('listenerCreate', { ...listener, certificateIds: [stored.id] }, 'listener { id }');
  await graph.make(
    ...(['poolUpdate', { id: made.pool, persistence: { type: 'HTTP_COOKIE' } }, 'pool { id }'] as const),
  );
  await graph.make('autoscalingPolicySet', { loadBalancerId: made.loadBalancer, policy: {} }, 'loadBalancer { id }');
  const [hostId, nodeId] = [newUuid(), newUuid()];
  await graph.db.transaction(async (tx) => {
    await connectHost(...([tx, graph.wake, { id: hostId, name: 'host-1' }] as const), {
      ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 1, healthPort: 9 },
      ...{ publicRange: '198.51.100.0/24', managementRange: '198.51.100.0/24' },
    });
    await insertNode(tx, graph.wake, {
      ...{ id: nodeId, projectId: projectA, loadBalancerId: decodeUuid('LoadBalancer', made.loadBalancer) ?? '' },
      ...{ hostId, name: 'node-1', address: '198.51.100.2', managementAddress: '198.51.100.2' },
      ...{ connections: 100, threads: 1 },
    });
  });
  const host = encodeId('LoadBalancerHost', hostId);
  ids = { ...made, certificate: stored.id, node: encodeId('LoadBalancerNode', nodeId), host };
});

/** Types refer to each other in many ways. Deeper ones have their own queries. */
const deepest = 4;

/** All fields of a type, and of the types below it, without types that are also above it. */
function selectionOf(type: GraphQLObjectType, above: readonly string[] = []): string {
  const inside = [...above, type.name];
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const below = getNamedType(field.type);
    if (isLeafType(below)) return [`${field.name}${argumentsOf(field)}`];
    if (!isObjectType(below) || inside.includes(below.name) || isStub(below) || inside.length >= deepest) return [];
    return [`${field.name}${argumentsOf(field)} ${selectionOf(below, inside)}`];
  });
  return fields.length === 0 ? '{ __typename }' : `{ ${fields.join(' ')} }`;
}

/** True for a type of another subgraph. */
function isStub({ name }: GraphQLObjectType): boolean {
  return ['Project', 'CmpObject'].includes(name);
}

function argumentsOf({ args }: GraphQLField<unknown, unknown>): string {
  return args.some(({ name }) => name === 'first') ? '(first: 2)' : '';
}

const idOf = (type: string): string =>
  ({
    TlsCertificate: ids.certificate,
    ProjectSubnet: ids.subnet,
    LoadBalancerNode: ids.node,
    LoadBalancerHost: ids.host,
  })[type] ?? ids[lower(type) as keyof Ids];

test.each(['LoadBalancer', ...partNames, 'TlsCertificate', 'ProjectSubnet', 'LoadBalancerNode', 'LoadBalancerHost'])(
  'every field of %s answers',
  async (name) => {
    const type = graph.schema.getType(name) as GraphQLObjectType;
    const { data, errors } = await graph.run<{ found: object | null }>(
      admin,
      `query ($id: ID!) { found: ${lower(name)}(id: $id) ${selectionOf(type)} }`,
      { id: idOf(name) },
    );
    expect(errors.map(({ message }) => message)).toEqual([]);
    expect(data.found).not.toBeNull();
  },
);
