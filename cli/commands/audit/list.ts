// `tidegate audit list`: who asked for what, and whether it was done.
import type { AuditListQuery, AuditOutcome } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { isObject } from '../../../platform/values/json.ts';
import { actorText } from '../../actor.ts';
import { projectId } from '../../find.ts';
import { anyObjectId } from '../../found-objects.ts';
import { choice, text, time } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import { filterOptions } from '../events/change.ts';

const document = graphql(`
  query AuditList(
    $projectId: ID, $actorName: String, $action: String, $subjectId: ID, $outcomes: [AuditOutcome!], $requestId: String
    $recordedFrom: DateTime, $recordedBefore: DateTime, $first: Int, $after: String
  ) {
    auditEntries(
      projectId: $projectId, actorName: $actorName, action: $action, subjectId: $subjectId, outcomes: $outcomes
      requestId: $requestId, recordedFrom: $recordedFrom, recordedBefore: $recordedBefore, first: $first, after: $after
    ) {
      nodes {
        recordedAt actor { name kind } action outcome code subjectId requestId callerRequestId details project { name }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

type Entry = AuditListQuery['auditEntries']['nodes'][number];

const outcomes = ['ACCEPTED', 'REFUSED'] as const satisfies readonly AuditOutcome[];

const options = {
  actor: text('NAME', 'Only of users, tokens and machines whose name contains this.'),
  mutation: text('NAME', 'Only mutations whose name contains this, for example backendUpdate.'),
  subject: filterOptions.subject,
  outcome: choice('OUTCOME', outcomes, 'Only what was carried out, or what was refused.'),
  'request-id': text('ID', 'Only of the request with this id, ours or the one that its caller gave.'),
  'recorded-from': time('Only requested at this time or later.'),
  'recorded-before': time('Only requested before this time.'),
  limit: commonOptions.limit,
  project: commonOptions.project,
} as const;

export const list = listVerb<typeof options, Entry>({
  summary: 'List who asked for what, and whether it was done, newest first.',
  examples: ['tidegate audit list --subject fw-1', 'tidegate audit list --actor alice --outcome REFUSED'],
  options,
  async read({ client, options: given }) {
    const variables = {
      projectId: await projectId(client, given.project),
      actorName: given.actor,
      action: given.mutation,
      subjectId: given.subject === undefined ? undefined : await anyObjectId(client, given.subject),
      outcomes: given.outcome === undefined ? undefined : [given.outcome],
      requestId: given['request-id'],
      recordedFrom: given['recorded-from'],
      recordedBefore: given['recorded-before'],
    };
    return readPages(client, document, variables, ({ auditEntries }) => auditEntries, given.limit ?? 20);
  },
  columns: {
    AT: 'recordedAt',
    WHO: ({ actor }) => (actor === null ? 'nobody' : actorText(actor)),
    MUTATION: 'action',
    OBJECT: (entry) => namedIn(entry) ?? entry.subjectId,
    RESULT: ({ outcome, code }) => (code === null ? outcome : `${outcome} ${code}`),
    REQUEST: ({ requestId, callerRequestId }) => callerRequestId ?? requestId,
  },
});

/** The name that the request gave; of other requests the id says more. */
function namedIn({ details }: Entry): string | undefined {
  if (!isObject(details)) return undefined;
  const name = details.name ?? details.fqdn;
  return typeof name === 'string' ? name : undefined;
}
