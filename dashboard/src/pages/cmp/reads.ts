// What an object of the CMP became: one request for each part that the deployment has. A lost part leaves out its own branch.
import {
  CmpGslbDocument,
  CmpLoadbalancerDocument,
  type CmpMappingFragment,
  CmpObjectsDocument,
  CmpRelayDocument,
  type CmpRelayQuery,
} from '../../../../generated/dashboard/graphql.ts';
import type { CmpObjectKey } from '../../cmp-object.ts';
import type { Requester } from '../../graph/request.ts';
import { linkTo } from '../../links.ts';
import { failureOf } from '../../view/refusal.tsx';

export type OwnMapping = CmpMappingFragment;
export type OwnCall = NonNullable<NonNullable<CmpRelayQuery['cmpObject']>['relayOperations']>['nodes'][number];

/** Something that it became, apart from objects of backends. */
export interface Part {
  readonly id: string;
  readonly what: string;
  readonly name: string;
  readonly status: string | null;
  readonly reason: string | null;
  readonly href: string | undefined;
}

export interface Tree {
  readonly mappings: readonly OwnMapping[];
  readonly mappingCount: number;
  /** The newest first. */
  readonly calls: readonly OwnCall[];
  readonly callCount: number;
  readonly parts: readonly Part[];
  /** Which parts could not be read, and why. */
  readonly failures: readonly string[];
}

/** `present`: the names of the deployment's pages. */
export async function readTree(requester: Requester, object: CmpObjectKey, present: readonly string[]): Promise<Tree> {
  const failures: string[] = [];
  const read = async <Value>(what: string, page: string, ask: () => Promise<Value>): Promise<Value | undefined> => {
    if (!present.includes(page)) return undefined;
    try {
      return await ask();
    } catch (error) {
      failures.push(`${what} could not be read: ${failureOf(error).message}`);
      return undefined;
    }
  };
  const [relay, balancers, names, stored] = await Promise.all([
    read('Backend objects', 'relay', async () => (await requester.request(CmpRelayDocument, object)).cmpObject),
    read('Load balancers', 'loadbalancer', async () =>
      (await requester.request(CmpLoadbalancerDocument, object)).cmpObject?.loadBalancers?.nodes.map(
        ({ id, name, operatingStatus: status, operatingReason: reason }): Part => ({
          ...{ id, what: 'load balancer', name, status, reason, href: linkTo('LoadBalancer', id) },
        }),
      ),
    ),
    read('Names', 'gslb', async () =>
      (await requester.request(CmpGslbDocument, object)).cmpObject?.gslbs.nodes.map(
        ({ id, fqdn: name, operatingStatus: status, operatingReason: reason }): Part => ({
          ...{ id, what: 'name', name, status, reason, href: linkTo('Gslb', id) },
        }),
      ),
    ),
    read('Containers', 'objects', async () =>
      (await requester.request(CmpObjectsDocument, object)).cmpObject?.objectContainers?.nodes.map(
        ({ id, name }): Part => ({
          ...{ id, what: 'container', name, status: null, reason: null, href: linkTo('ObjectContainer', id) },
        }),
      ),
    ),
  ]);
  return {
    mappings: relay?.mappings?.nodes ?? [],
    mappingCount: relay?.mappings?.totalCount ?? relay?.mappings?.nodes.length ?? 0,
    calls: relay?.relayOperations?.nodes ?? [],
    callCount: relay?.relayOperations?.totalCount ?? relay?.relayOperations?.nodes.length ?? 0,
    parts: [...(balancers ?? []), ...(names ?? []), ...(stored ?? [])],
    failures,
  };
}
