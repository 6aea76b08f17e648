// Names for the subjects of status changes, because ids mean nothing to people. Subjects without a readable name keep their ids.
import { LRUCache } from 'lru-cache';
import type {
  SubjectOfBalancersQuery,
  SubjectOfGslbsQuery,
  SubjectOfStorageQuery,
} from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { hostText } from '../../balancer.ts';
import { Interruption } from '../../failures.ts';
import type { GraphClient, GraphqlDocument } from '../../graph-client.ts';
import type { StatusChange } from './change.ts';

const balancersDocument = graphql(`
  query SubjectOfBalancers($id: ID!) {
    node(id: $id) {
      __typename
      ... on LoadBalancer { balancerName: name }
      ... on LoadBalancerNode { nodeName: name loadBalancer { name } }
      ... on PoolMember { host port memberName: name loadBalancer { name } }
      ... on LoadBalancerHost { hostName: name }
      ... on AutoscalingPolicy { loadBalancer { name } }
    }
  }
`);
const backendDocument = graphql(`
  query SubjectOfRelay($id: ID!) { node(id: $id) { __typename ... on Backend { name } } }
`);

const gslbsDocument = graphql(`
  query SubjectOfGslbs($id: ID!) {
    node(id: $id) {
      __typename
      ... on Gslb { fqdn }
      ... on GslbPoolMember { name pool { name } }
      ... on GslbVantagePoint { vantagePointName: name }
    }
  }
`);

const systemDocument = graphql(`
  query SubjectOfSystem($id: ID!) {
    node(id: $id) {
      __typename
      ... on Project { name }
      ... on User { name }
      ... on ApiToken { name }
      ... on Machine { name }
      ... on AlertRule { name }
      ... on AlertChannel { name }
    }
  }
`);

const storageDocument = graphql(`
  query SubjectOfStorage($id: ID!) {
    node(id: $id) {
      __typename
      ... on ObjectCluster { clusterName: name }
      ... on ObjectAccessKey { accessKeyId }
    }
  }
`);

type Reader = (client: GraphClient, id: string) => Promise<string | undefined>;

const foundById: ReadonlySet<string> = new Set(['RelayOperation', 'Mapping']);

/** A document for each subgraph, because a deployment may lack it. */
const readers: Readonly<Record<string, Reader>> = {
  Backend: named(backendDocument, ({ node }) => (node?.__typename === 'Backend' ? node.name : undefined)),
  ...Object.fromEntries(
    ['Project', 'User', 'ApiToken', 'Machine', 'AlertRule', 'AlertChannel'].map((type) => [
      type,
      named(systemDocument, ({ node }) => (node !== null && 'name' in node ? node.name : undefined)),
    ]),
  ),
  ...Object.fromEntries(
    ['ObjectCluster', 'ObjectAccessKey'].map((type) => [type, named(storageDocument, nameOfStorage)]),
  ),
  ...Object.fromEntries(
    ['Gslb', 'GslbPoolMember', 'GslbVantagePoint'].map((type) => [type, named(gslbsDocument, nameOfGslbs)]),
  ),
  ...Object.fromEntries(
    ['LoadBalancer', 'LoadBalancerNode', 'PoolMember', 'LoadBalancerHost', 'AutoscalingPolicy'].map((type) => [
      type,
      named(balancersDocument, nameOfBalancers),
    ]),
  ),
};

function nameOfBalancers({ node }: SubjectOfBalancersQuery): string | undefined {
  switch (node?.__typename) {
    case 'LoadBalancer':
      return node.balancerName;
    case 'LoadBalancerNode':
      return `${node.nodeName} of ${node.loadBalancer.name}`;
    case 'PoolMember':
      return `${node.memberName === '' ? hostText(node) : node.memberName} of ${node.loadBalancer.name}`;
    case 'LoadBalancerHost':
      return node.hostName;
    case 'AutoscalingPolicy':
      return node.loadBalancer.name;
    default:
      return undefined;
  }
}

function nameOfGslbs({ node }: SubjectOfGslbsQuery): string | undefined {
  switch (node?.__typename) {
    case 'Gslb':
      return node.fqdn;
    case 'GslbPoolMember':
      return `${node.name} of ${node.pool.name}`;
    case 'GslbVantagePoint':
      return node.vantagePointName;
    default:
      return undefined;
  }
}

function nameOfStorage({ node }: SubjectOfStorageQuery): string | undefined {
  if (node?.__typename === 'ObjectCluster') return node.clusterName;
  return node?.__typename === 'ObjectAccessKey' ? node.accessKeyId : undefined;
}

function named<Data>(
  document: GraphqlDocument<Data, { id: string }>,
  nameIn: (data: Data) => string | undefined,
): Reader {
  return async (client, id) => nameIn(await client.query(document, { id }));
}

export class SubjectNames {
  readonly #client: GraphClient;
  readonly #known = new LRUCache<string, string>({ max: 1_000 });

  constructor(client: GraphClient) {
    this.#client = client;
  }

  /** `subjectName`: what it was called, if it is gone now. Throws only Interruption. */
  async of({
    subjectType,
    subjectId,
    subjectName,
  }: Pick<StatusChange, 'subjectType' | 'subjectId'> & Partial<StatusChange>): Promise<string> {
    const known = this.#known.get(subjectId);
    if (known !== undefined) return known;
    const reader = readers[subjectType];
    const recorded = foundById.has(subjectType) ? subjectId : (subjectName ?? subjectId);
    if (reader === undefined) return recorded;
    try {
      const name = (await reader(this.#client, subjectId)) ?? recorded;
      this.#known.set(subjectId, name);
      return name;
    } catch (error) {
      if (error instanceof Interruption) throw error;
      return recorded;
    }
  }
}
