// `tidegate backends list`.
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../find.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';

const document = graphql(`
  query BackendsList($projectId: ID, $first: Int, $after: String) {
    backends(projectId: $projectId, first: $first, after: $after) {
      nodes { ...BackendFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = listVerb({
  summary: 'List backends.',
  options: { project: commonOptions.project },
  read: async ({ client, options }) =>
    readPages(client, document, { projectId: await projectId(client, options.project) }, ({ backends }) => backends),
  columns: {
    NAME: 'name',
    DRIVER: 'driverName',
    ADDRESS: ({ host, port }) => `${host}:${port}`,
    SITE: 'site',
    ENABLED: ({ enabled }) => (enabled ? 'yes' : 'no'),
    OPERATING: 'operatingStatus',
    CIRCUIT: ({ circuit }) => circuit.state,
    WAITING: ({ queue }) => queue.waiting,
    'IN FLIGHT': ({ queue }) => queue.inFlight,
  },
});
