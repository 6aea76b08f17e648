// `tidegate backends list`.
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../cli/find.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';

const document = graphql(`
  query BackendsList($projectId: ID, $first: Int, $after: String) {
    backends(projectId: $projectId, first: $first, after: $after) {
      nodes { ...BackendFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const head = ['NAME', 'DRIVER', 'ADDRESS', 'SITE', 'PROVISIONING', 'OPERATING', 'CIRCUIT', 'WAITING', 'IN FLIGHT'];

export const list = remoteVerb({
  summary: 'List backends.',
  takes: [],
  options: { project: commonOptions.project },
  async run({ client, options, printer }) {
    const inProject = await projectId(client, options.project);
    const found = await readAll(readPages(client, document, { projectId: inProject }, ({ backends }) => backends));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [
      each.name,
      each.driver,
      `${each.host}:${each.port}`,
      each.site ?? '-',
      each.provisioningStatus,
      each.operatingStatus,
      each.circuit.state,
      String(each.queue.waiting),
      String(each.queue.inFlight),
    ]);
    return printer.table(head, rows);
  },
});
