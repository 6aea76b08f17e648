// `tidegate hosts`: the machines on which nodes run. Administrators only.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { findNamed } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { flag, type Options } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun, Verb } from '../../cli/verb.ts';
import { patienceOf } from '../../cli/wait.ts';

const listDocument = graphql(`
  query HostsList($first: Int, $after: String) {
    loadBalancerHosts(first: $first, after: $after) {
      nodes { id name site provider status cordoned removing nodeCount maxNodes publicRange seenAt }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const cordonDocument = graphql(`
  mutation HostsCordon($input: LoadBalancerHostCordonInput!) {
    loadBalancerHostCordon(input: $input) {
      loadBalancerHost { id name cordoned }
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

const pages = (client: GraphClient) =>
  readPages(client, listDocument, {}, ({ loadBalancerHosts }) => loadBalancerHosts);

const list = remoteVerb({
  summary: 'List load balancer hosts.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const found = await readAll(pages(client));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [
      each.name,
      each.removing ? `${each.status} removing` : each.cordoned ? `${each.status} cordoned` : each.status,
      each.provider,
      `${each.nodeCount} of ${each.maxNodes}`,
      each.publicRange,
      each.site ?? '-',
    ]);
    return printer.table(['HOST', 'STATUS', 'PROVIDER', 'NODES', 'ADDRESSES', 'SITE'], rows);
  },
});

function cordoning<O extends Options>(cordoned: boolean, summary: string, own: O): Verb {
  return remoteVerb({
    summary,
    takes: ['NAME'],
    options: own,
    async run({ client, names, options, printer }) {
      const id = await findNamed(pages(client), 'host', names[0]);
      const evacuate = 'evacuate' in options && options.evacuate === true;
      const input = { idempotencyKey: randomUUID(), id, cordoned, evacuate };
      const { loadBalancerHost } = await client.mutate(cordonDocument, input);
      if (options.json) await printer.json(loadBalancerHost);
      else await printer.line(`${names[0]} ${cordoned ? 'gets no new nodes' : 'gets new nodes again'}`);
    },
  });
}

const remove = remoteVerb({
  summary: 'Remove a host that is gone for good; its nodes are replaced elsewhere.',
  takes: ['NAME'],
  options: { wait: commonOptions.wait },
  async run({ client, signal, names, options, printer }) {
    const [name] = names;
    const id = await findNamed(pages(client), 'host', name);
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
  cordon: cordoning(true, 'Give a host no new nodes.', {
    evacuate: flag('Replace its nodes by nodes on other hosts, one after the other.'),
  }),
  release: cordoning(false, 'Give a cordoned host new nodes again.', {}),
  delete: remove,
};
