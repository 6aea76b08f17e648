// Reads what there is of the objects that a file names.
import type {
  AppliedBalancerFragment,
  AppliedCertificatesQuery,
  AppliedMemberFragment,
  AppliedSubnetsQuery,
} from '../../generated/cli/graphql.ts';
import { graphql } from '../../generated/cli/index.ts';
import { allAtOnce, chunks } from '../at-once.ts';
import type { GraphClient } from '../graph-client.ts';
import { readManyPages } from '../many-pages.ts';
import { readAll, readPages } from '../pages.ts';

const memberFragment = graphql(`
  fragment AppliedMember on PoolMember { id version name host port weight backup monitorHost monitorPort enabled tags }
`);
graphql(`
  fragment AppliedBalancer on LoadBalancer {
    id version generation name description tags enabled deletionProtected topology minNodes maxNodes provisioningStatus
    nodeSize { connections threads }
    cmpObject { namespace type externalId }
    subnet { id name }
    project { id }
    autoscaling {
      version enabled dryRun signal collectdValue requestsPerNode targetPercent tolerancePercent periodMs warmUpMs
      cooldownMs downWindowMs timeZone
      schedule { days from to minNodes maxNodes }
    }
    pools {
      id version name description memberProtocol algorithm proxyProtocol tls tlsVersions tlsCiphers tlsServerName authorities
      persistence { type cookieName timeoutMs }
      clientCertificate { id }
      failOpenBelowPercent ejectAfterErrors slowStartMs drainMs enabled tags
      healthMonitor {
        id version name monitorType intervalMs timeoutMs rise fall method path hostHeader expectedCodes enabled tags
      }
    }
    listeners {
      id version name description protocol port connectionLimit clientTimeoutMs memberConnectTimeoutMs memberTimeoutMs
      inspectTimeoutMs allowedCidrs insertHeaders tlsVersions tlsCiphers alpnProtocols clientAuthentication
      clientAuthorities clientRevocations hstsMaxAgeSeconds hstsIncludeSubdomains hstsPreload accessLogPercent enabled
      tags
      defaultPool { id name }
      certificates { id }
      l7Policies {
        id version name description action position redirectUrl redirectPrefix redirectCode enabled tags
        redirectPool { id name }
        l7Rules { id version ruleType compareType key value invert enabled tags }
      }
    }
  }
`);

const balancersDocument = graphql(`
  query AppliedBalancers($projectId: ID, $names: [String!], $first: Int, $after: String) {
    loadBalancers(projectId: $projectId, names: $names, first: $first, after: $after) {
      nodes { ...AppliedBalancer }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const certificatesDocument = graphql(`
  query AppliedCertificates($projectId: ID, $first: Int, $after: String) {
    tlsCertificates(projectId: $projectId, first: $first, after: $after) {
      nodes { id version name chain }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const subnetsDocument = graphql(`
  query AppliedSubnets($projectId: ID, $first: Int, $after: String) {
    projectSubnets(projectId: $projectId, first: $first, after: $after) {
      nodes { id version name cidr }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Each has many fields (docs/graph.md, cost). */
const balancersOfRequest = 20;

type Pool = AppliedBalancerFragment['pools'][number] & { readonly members: readonly AppliedMemberFragment[] };
export type ExistingBalancer = Omit<AppliedBalancerFragment, 'pools'> & { readonly pools: readonly Pool[] };
type ExistingCertificate = AppliedCertificatesQuery['tlsCertificates']['nodes'][number];
type ExistingSubnet = AppliedSubnetsQuery['projectSubnets']['nodes'][number];

export interface Existing {
  readonly balancers: readonly ExistingBalancer[];
  readonly certificates: readonly ExistingCertificate[];
  readonly subnets: readonly ExistingSubnet[];
}

/** `balancers`: names. */
export async function readExisting(
  client: GraphClient,
  projectId: string | undefined,
  wants: { readonly balancers: readonly string[]; readonly certificates: boolean; readonly subnets: boolean },
): Promise<Existing> {
  const scope = { projectId };
  const certificates = wants.certificates
    ? await readAll(readPages(client, certificatesDocument, scope, (data) => data.tlsCertificates))
    : [];
  const subnets = wants.subnets
    ? await readAll(readPages(client, subnetsDocument, scope, (data) => data.projectSubnets))
    : [];
  const found = await allAtOnce(chunks([...new Set(wants.balancers)], balancersOfRequest), (names) => {
    const variables = { ...scope, names };
    return readAll(
      readPages(client, balancersDocument, variables, (data) => data.loadBalancers, undefined, balancersOfRequest),
    );
  });
  const balancers = await withMembers(client, found.flat());
  return { balancers, certificates, subnets };
}

async function withMembers(
  client: GraphClient,
  balancers: readonly AppliedBalancerFragment[],
): Promise<ExistingBalancer[]> {
  const pools = balancers.flatMap((balancer) => balancer.pools.map(({ id }) => id));
  const members = await readManyPages<AppliedMemberFragment>(client, pools, {
    ...{ of: 'Pool', field: 'members', selection: '...AppliedMember', fragments: String(memberFragment) },
  });
  return balancers.map((balancer) => ({
    ...balancer,
    pools: balancer.pools.map((pool) => ({ ...pool, members: members.get(pool.id) ?? [] })),
  }));
}
