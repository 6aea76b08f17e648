// `tidegate hosts`: the machines on which nodes run. Administrators only.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { findNamed } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun, Verb } from '../../cli/verb.ts';

const listDocument = graphql(`
  query HostsList($first: Int, $after: String) {
    loadBalancerHosts(first: $first, after: $after) {
      nodes { id name site provider status cordoned nodeCount maxNodes publicRange seenAt }
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
      each.cordoned ? `${each.status} cordoned` : each.status,
      each.provider,
      `${each.nodeCount} of ${each.maxNodes}`,
      each.publicRange,
      each.site ?? '-',
    ]);
    return printer.table(['HOST', 'STATUS', 'PROVIDER', 'NODES', 'ADDRESSES', 'SITE'], rows);
  },
});

function cordoning(cordoned: boolean, summary: string): Verb {
  return remoteVerb({
    summary,
    takes: ['NAME'],
    options: {},
    async run({ client, names, options, printer }) {
      const id = await findNamed(pages(client), 'host', names[0]);
      const input = { idempotencyKey: randomUUID(), id, cordoned };
      const { loadBalancerHost } = await client.mutate(cordonDocument, input);
      if (options.json) await printer.json(loadBalancerHost);
      else await printer.line(`${names[0]} ${cordoned ? 'gets no new nodes' : 'gets new nodes again'}`);
    },
  });
}

export const hosts: Noun = {
  list,
  cordon: cordoning(true, 'Give a host no new nodes.'),
  release: cordoning(false, 'Give a cordoned host new nodes again.'),
};
