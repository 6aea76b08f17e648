// Where the search looks: each source is one bounded request, and answers for its own kinds with the caller's rights.
import {
  SearchBackendsAtDocument,
  SearchClustersDocument,
  SearchGslbDocument,
  SearchGslbsAtDocument,
  SearchLoadBalancersAtDocument,
  SearchLoadbalancerDocument,
  SearchMachinesDocument,
  SearchNodeDocument,
  SearchProjectsDocument,
  SearchRelayDocument,
  SearchUsersDocument,
} from '../../../generated/dashboard/graphql.ts';
import { formatCmpObject } from '../cmp-object.ts';
import type { Requester } from '../graph/request.ts';
import { linkTo } from '../links.ts';
import { formatType, formatWord } from '../view/format.ts';

export interface Found {
  readonly id: string;
  readonly label: string;
  /** The object's kind and state. */
  readonly what: string;
  readonly href: string;
}

interface Source {
  /** In an error message. */
  readonly title: string;
  /** The page of the found objects. A deployment without this page has no such objects. */
  readonly page: string;
  readonly forAdmins?: boolean;
  readonly search: (requester: Requester, text: string) => Promise<readonly Found[]>;
}

const longestText = 200;
const mostWords = 8;
/** An address or a host name, or the beginning of one. */
const addressPattern = /^(?=.*[.:])[\w.:-]{2,200}$/;
const isAddress = (text: string) => addressPattern.test(text);

/** A global id: base64url of a type and a key. */
const idPattern = /^[\w-]{16,128}={0,2}$/;

function found(
  typename: string,
  id: string,
  label: string,
  how: readonly (string | null | undefined)[],
): readonly Found[] {
  const href = linkTo(typename, id);
  const what = [formatType(typename), ...how.filter(Boolean)].join(' · ');
  return href === undefined ? [] : [{ id: `${typename} ${id}`, label, what, href }];
}

export const sources: readonly Source[] = [
  {
    title: 'Backends and calls',
    page: 'relay',
    async search(requester, text) {
      const words = text.split(/\s+/).slice(0, mostWords).join(' ');
      const { backends, relayOperations } = await requester.request(SearchRelayDocument, { text, words });
      return [
        ...backends.nodes.flatMap(({ id, name, site, operatingStatus }) =>
          found('Backend', id, name, [site, formatWord(operatingStatus)]),
        ),
        ...relayOperations.nodes.flatMap(({ id, name, state, backend, cmpObject }) =>
          found('RelayOperation', id, name, [
            formatWord(state),
            backend?.name,
            cmpObject === null ? null : formatCmpObject(cmpObject),
          ]),
        ),
      ];
    },
  },
  {
    title: 'Load balancers',
    page: 'loadbalancer',
    search: async (requester, text) =>
      (await requester.request(SearchLoadbalancerDocument, { text })).loadBalancers.nodes.flatMap(
        ({ id, name, operatingStatus, project }) =>
          found('LoadBalancer', id, name, [project?.name, formatWord(operatingStatus)]),
      ),
  },
  {
    title: 'Names',
    page: 'gslb',
    search: async (requester, text) =>
      (await requester.request(SearchGslbDocument, { text })).gslbs.nodes.flatMap(({ id, fqdn, operatingStatus }) =>
        found('Gslb', id, fqdn, [formatWord(operatingStatus)]),
      ),
  },
  {
    title: 'Hosts of load balancers',
    page: 'loadbalancer',
    forAdmins: true,
    search: async (requester, text) =>
      (await requester.request(SearchMachinesDocument, { text })).loadBalancerHosts.nodes.flatMap(
        ({ id, name, presence }) => found('LoadBalancerHost', id, name, [formatWord(presence)]),
      ),
  },
  {
    title: 'Clusters',
    page: 'objects',
    forAdmins: true,
    search: async (requester, text) =>
      (await requester.request(SearchClustersDocument, { text })).objectClusters.nodes.flatMap(
        ({ id, name, presence }) => found('ObjectCluster', id, name, [formatWord(presence)]),
      ),
  },
  {
    title: 'Backends by address',
    page: 'relay',
    async search(requester, text) {
      if (!isAddress(text)) return [];
      const { backendsAt } = await requester.request(SearchBackendsAtDocument, { address: text });
      return backendsAt.flatMap(({ id, name, host }) => found('Backend', id, name, [`at ${host}`]));
    },
  },
  {
    title: 'Load balancers by address',
    page: 'loadbalancer',
    async search(requester, text) {
      if (!isAddress(text)) return [];
      const { loadBalancersAt } = await requester.request(SearchLoadBalancersAtDocument, { address: text });
      return loadBalancersAt.flatMap(({ id, name, project }) =>
        found('LoadBalancer', id, name, [project?.name, `with ${text}`]),
      );
    },
  },
  {
    title: 'Names by address',
    page: 'gslb',
    async search(requester, text) {
      if (!isAddress(text)) return [];
      const { gslbsAt } = await requester.request(SearchGslbsAtDocument, { address: text });
      return gslbsAt.flatMap(({ id, fqdn }) => found('Gslb', id, fqdn, [`with a member at ${text}`]));
    },
  },
  {
    title: 'Users',
    page: 'people',
    forAdmins: true,
    search: async (requester, text) =>
      (await requester.request(SearchUsersDocument, { text })).users.nodes.flatMap(({ id, name }) =>
        found('User', id, name, []),
      ),
  },
  {
    title: 'Projects',
    page: 'people',
    search: async (requester, text) =>
      (await requester.request(SearchProjectsDocument, { text })).projects.nodes.flatMap(({ id, name, description }) =>
        found('Project', id, name, [description]),
      ),
  },
  {
    title: 'Ids',
    page: 'relay',
    async search(requester, text) {
      if (!idPattern.test(text)) return [];
      const { node } = await requester.request(SearchNodeDocument, { id: text });
      return node === null ? [] : found(node.__typename, node.id, text, ['by its id']);
    },
  },
];

/** The text to search for. Empty if there is none yet. */
export function searchedText(typed: string): string {
  return typed.trim().slice(0, longestText);
}
