// `tidegate processes`: what runs on the database, and in which version.
import { graphql } from '../../generated/cli/index.ts';
import { readPages } from '../pages.ts';
import { listVerb } from '../row-verbs.ts';

const document = graphql(`
  query ProcessesList($first: Int, $after: String) {
    processes(first: $first, after: $after) {
      nodes { name programVersion commitHash roles hostName newestMigration live startedAt seenAt }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const processes = listVerb({
  summary: 'List the processes that use the database, with their versions.',
  options: {},
  read: ({ client }) => readPages(client, document, {}, ({ processes: page }) => page),
  columns: {
    NAME: 'name',
    ROLES: ({ roles }) => roles.join(','),
    HOST: 'hostName',
    VERSION: 'programVersion',
    COMMIT: ({ commitHash }) => commitHash?.slice(0, 8) ?? '',
    STATE: ({ live }) => (live ? 'LIVE' : 'SILENT'),
    STARTED: 'startedAt',
    MIGRATION: 'newestMigration',
  },
});
