// `tidegate alerts list`.
import type { AlertState, AlertsListQuery } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../find.ts';
import { chosenFrom, flag, several } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';

const document = graphql(`
  query AlertsList($projectId: ID, $states: [AlertState!], $first: Int, $after: String) {
    alerts(projectId: $projectId, states: $states, first: $first, after: $after) {
      nodes {
        id alertState severity condition ruleName subjectType subjectId subjectName status reason since acknowledgedAt resolvedAt
        lastNotifiedAt link
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

type Alert = NonNullable<AlertsListQuery['alerts']>['nodes'][number];

const open: readonly AlertState[] = ['FIRING', 'ACKNOWLEDGED'];
const states: readonly AlertState[] = [...open, 'RESOLVED'];

const options = {
  state: several('STATE', 'Only in this state, for example FIRING (FIRING and ACKNOWLEDGED).', chosenFrom(states)),
  resolved: flag('Also resolved ones.'),
  limit: commonOptions.limit,
  project: commonOptions.project,
} as const;

export const list = listVerb<typeof options, Alert>({
  summary: 'List alerts that are not resolved, newest first.',
  options,
  async read({ client, options: given }) {
    const variables = {
      projectId: await projectId(client, given.project),
      states: given.state.length > 0 ? given.state : given.resolved ? undefined : open,
    };
    return readPages(client, document, variables, ({ alerts }) => alerts, given.limit ?? 20);
  },
  columns: {
    STATE: 'alertState',
    SEVERITY: 'severity',
    RULE: 'ruleName',
    SUBJECT: ({ subjectType, subjectId, subjectName }) => `${subjectType} ${subjectName ?? subjectId}`,
    STATUS: 'status',
    SINCE: 'since',
    REASON: 'reason',
    ID: 'id',
  },
});
