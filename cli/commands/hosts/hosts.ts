// `tidegate hosts`: the machines on which nodes run. Administrators only.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { UsageError } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import { givenHostFields, hostOptions } from '../../host-options.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { flag } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changeVerb, listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { patienceOf } from '../../wait.ts';

const listDocument = graphql(`
  query HostsList($first: Int, $after: String) {
    loadBalancerHosts(first: $first, after: $after) {
      nodes {
        id name site provider presence cordoned removing nodeCount maxNodes publicRange managementRange heardAt noNodesReason
        record { site provider publicRange managementRange maxNodes healthPort }
        reported { site provider publicRange managementRange tunnelAddress maxNodes healthPort confinementFault }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const cordonDocument = graphql(`
  mutation HostsCordon($input: LoadBalancerHostCordonSetInput!) {
    loadBalancerHostCordonSet(input: $input) {
      loadBalancerHost { id name cordoned } commit { token } userErrors { code message field }
    }
  }
`);
const releaseDocument = graphql(`
  mutation HostsRelease($input: LoadBalancerHostCordonLiftInput!) {
    loadBalancerHostCordonLift(input: $input) {
      loadBalancerHost { id name cordoned } commit { token } userErrors { code message field }
    }
  }
`);
const setDocument = graphql(`
  mutation HostsSet($input: LoadBalancerHostUpdateInput!) {
    loadBalancerHostUpdate(input: $input) {
      loadBalancerHost { id name maxNodes publicRange managementRange noNodesReason }
      commit { token }
      userErrors { code message field }
    }
  }
`);
const deleteDocument = graphql(`
  mutation HostsDelete($input: LoadBalancerHostDeleteInput!) {
    loadBalancerHostDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);
const oneDocument = graphql(`
  query HostsOne($id: ID!) { loadBalancerHost(id: $id) { nodeCount } }
`);

const list = listVerb({
  summary: 'List load balancer hosts.',
  options: {},
  read: ({ client }) => readPages(client, listDocument, {}, ({ loadBalancerHosts }) => loadBalancerHosts),
  columns: {
    HOST: 'name',
    PRESENCE: ({ presence, removing, cordoned }) =>
      removing ? `${presence} removing` : cordoned ? `${presence} cordoned` : presence,
    PROVIDER: 'provider',
    NODES: ({ nodeCount, maxNodes }) => `${nodeCount} of ${maxNodes}`,
    ADDRESSES: 'publicRange',
    SITE: 'site',
    'NEW NODES': ({ noNodesReason }) => noNodesReason ?? 'yes',
    CONFINED: ({ reported }) => reported.confinementFault ?? 'yes',
  },
});

const cordon = changeVerb({
  summary: 'Give a host no new nodes.',
  takes: ['NAME'],
  options: { evacuate: flag('Replace its nodes by nodes on other hosts, one after the other.') },
  document: cordonDocument,
  input: async ({ client, names, options }) => ({
    ...{ id: await idNamed(client, 'hosts', names[0]), evacuate: options.evacuate },
  }),
  says: (_, { names }) => `${names[0]} gets no new nodes`,
});

const release = changeVerb({
  summary: 'Give a cordoned host new nodes again.',
  takes: ['NAME'],
  options: {},
  document: releaseDocument,
  input: async ({ client, names }) => ({ id: await idNamed(client, 'hosts', names[0]) }),
  says: (_, { names }) => `${names[0]} gets new nodes again`,
});

const set = changeVerb({
  summary: 'Give a host networks, room and a site. Its own report can only narrow them.',
  takes: ['NAME'],
  options: hostOptions,
  document: setDocument,
  async input({ client, names, options }) {
    const given = givenHostFields(options);
    if (Object.keys(given).length === 0) throw new UsageError('give at least one of the options');
    return { id: await idNamed(client, 'hosts', names[0]), ...given };
  },
  says({ loadBalancerHost: host }, { names }) {
    const has = `${names[0]} has ${host?.publicRange ?? 'no addresses'} for clients, and room for ${host?.maxNodes} nodes`;
    return host?.noNodesReason == null ? has : `${has}, but it gets no new nodes: ${host.noNodesReason}`;
  },
});

const remove = remoteVerb({
  summary: 'Remove a permanently lost host; its nodes are replaced elsewhere.',
  takes: ['NAME'],
  options: { wait: commonOptions.wait },
  async run({ client, signal, names, options, printer }) {
    const [name] = names;
    const id = await idNamed(client, 'hosts', name);
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    const patience = patienceOf({ client, signal, options });
    const waits = patience !== undefined;
    if (waits) {
      await patience.untilReplicated(commit);
      await patience.until(
        () => client.query(oneDocument, { id }),
        ({ loadBalancerHost }) => loadBalancerHost === null,
        ({ loadBalancerHost }) => `${loadBalancerHost?.nodeCount} nodes on ${name} are not deleted yet`,
      );
    }
    if (options.json) return printer.json({ id, deleted: waits });
    return printer.line(
      `${name} is ${waits ? '' : 'being '}removed. Its machine may connect again, as a new host, unless it is revoked: tidegate machines revoke ${name}`,
    );
  },
});

export const hosts: Noun = {
  list,
  show: kindVerb('LoadBalancerHost', 'show'),
  set,
  cordon,
  release,
  delete: remove,
};
