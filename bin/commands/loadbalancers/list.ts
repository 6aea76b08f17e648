// `tidegate loadbalancers list`.
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../cli/find.ts';
import { text } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';

const document = graphql(`
  query LoadBalancersList($projectId: ID, $tag: String, $first: Int, $after: String) {
    loadBalancers(projectId: $projectId, tag: $tag, first: $first, after: $after) {
      nodes { id name urls provisioningStatus operatingStatus wantedNodes minNodes maxNodes }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = remoteVerb({
  summary: 'List load balancers.',
  takes: [],
  options: { tag: text('TAG', 'Only with this tag.'), project: commonOptions.project },
  async run({ client, options, printer }) {
    const inProject = await projectId(client, options.project);
    const filter = { projectId: inProject, tag: options.tag };
    const found = await readAll(readPages(client, document, filter, ({ loadBalancers }) => loadBalancers));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [
      each.name,
      each.provisioningStatus,
      each.operatingStatus,
      `${each.wantedNodes} (${each.minNodes}..${each.maxNodes})`,
      each.urls.join(' '),
    ]);
    return printer.table(['NAME', 'PROVISIONING', 'OPERATING', 'NODES', 'URLS'], rows);
  },
});
