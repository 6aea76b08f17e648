// `tidegate loadbalancers list`.
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../find.ts';
import { text } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';

const document = graphql(`
  query LoadBalancersList($projectId: ID, $tag: String, $first: Int, $after: String) {
    loadBalancers(projectId: $projectId, tag: $tag, first: $first, after: $after) {
      nodes { id name urls provisioningStatus operatingStatus wantedNodes minNodes maxNodes }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = listVerb({
  summary: 'List load balancers.',
  options: { tag: text('TAG', 'Only with this tag.'), project: commonOptions.project },
  async read({ client, options }) {
    const filter = { projectId: await projectId(client, options.project), tag: options.tag };
    return readPages(client, document, filter, ({ loadBalancers }) => loadBalancers);
  },
  columns: {
    NAME: 'name',
    PROVISIONING: 'provisioningStatus',
    OPERATING: 'operatingStatus',
    NODES: ({ wantedNodes, minNodes, maxNodes }) => `${wantedNodes} (${minNodes}..${maxNodes})`,
    URLS: ({ urls }) => urls.join(' '),
  },
});
