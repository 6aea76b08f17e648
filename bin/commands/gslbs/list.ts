// `tidegate gslbs list`.
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../cli/find.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';

const document = graphql(`
  query GslbsList($projectId: ID, $first: Int, $after: String) {
    gslbs(projectId: $projectId, first: $first, after: $after) {
      nodes { id fqdn policy provisioningStatus operatingStatus frozenAt pools { name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = remoteVerb({
  summary: 'List GSLBs: DNS names whose answer follows what is alive.',
  takes: [],
  options: { project: commonOptions.project },
  async run({ client, options, printer }) {
    const inProject = await projectId(client, options.project);
    const found = await readAll(readPages(client, document, { projectId: inProject }, (data) => data.gslbs));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [
      each.fqdn,
      each.policy,
      each.provisioningStatus,
      each.operatingStatus ?? '-',
      each.pools.map(({ name }) => name).join(' '),
      each.frozenAt === null ? '' : 'FROZEN',
    ]);
    return printer.table(['NAME', 'POLICY', 'PROVISIONING', 'OPERATING', 'POOLS', ''], rows);
  },
});
