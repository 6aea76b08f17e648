// `tidegate gslbs list`.
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../find.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';

const document = graphql(`
  query GslbsList($projectId: ID, $first: Int, $after: String) {
    gslbs(projectId: $projectId, first: $first, after: $after) {
      nodes { id fqdn policy provisioningStatus operatingStatus frozenAt pools { name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = listVerb({
  summary: 'List GSLBs: DNS names whose answer follows what is alive.',
  options: { project: commonOptions.project },
  read: async ({ client, options }) =>
    readPages(client, document, { projectId: await projectId(client, options.project) }, ({ gslbs }) => gslbs),
  columns: {
    NAME: 'fqdn',
    POLICY: 'policy',
    PROVISIONING: 'provisioningStatus',
    OPERATING: 'operatingStatus',
    POOLS: ({ pools }) => pools.map(({ name }) => name).join(' '),
    '': ({ frozenAt }) => (frozenAt === null ? '' : 'FROZEN'),
  },
});
