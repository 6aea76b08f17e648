// `tidegate audit list`: requests, with their actors and outcomes.
import type { AuditListQuery, AuditOutcome } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { isObject } from '../../../platform/values/json.ts';
import { actorText } from '../../actor.ts';
import { UsageError } from '../../failures.ts';
import { projectId } from '../../find.ts';
import { anyObjectId } from '../../found-objects.ts';
import { choice, flag, one, text, time } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import { filterOptions } from '../events/change.ts';
import { SubjectNames } from '../events/subject-names.ts';

const document = graphql(`
  query AuditList(
    $projectId: ID, $actorName: String, $action: String, $exceptActions: [String!], $subjectId: ID, $outcomes: [AuditOutcome!], $requestId: String
    $recordedFrom: DateTime, $recordedBefore: DateTime, $first: Int, $after: String
  ) {
    auditEntries(
      projectId: $projectId, actorName: $actorName, action: $action, exceptActions: $exceptActions
      subjectId: $subjectId, outcomes: $outcomes, requestId: $requestId, recordedFrom: $recordedFrom, recordedBefore: $recordedBefore, first: $first, after: $after
    ) {
      nodes {
        recordedAt actor { name kind } action outcome code subjectId subject { __typename } requestId callerRequestId details
        project { name }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

type Entry = AuditListQuery['auditEntries']['nodes'][number];

const outcomes = ['ACCEPTED', 'REFUSED'] as const satisfies readonly AuditOutcome[];

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const last = one('AGE', 'Only requested in this time up to now, for example 24h, 7d or 30m.', (given, name) => {
  const [, number, unit = ''] = /^(\d{1,5})([mhd])$/.exec(given) ?? [];
  if (number === undefined)
    throw new UsageError(`${name} takes a number with m, h or d, for example 24h, not '${given}'`);
  return Number(number) * (unitMs[unit] ?? 0);
});

const options = {
  actor: text('NAME', 'Only of users, tokens and machines whose name contains this.'),
  mutation: text('NAME', 'Only mutations whose name contains this, for example backendUpdate.'),
  subject: filterOptions.subject,
  outcome: choice('OUTCOME', outcomes, 'Only successful or only refused requests.'),
  'request-id': text('ID', 'Only of the request with this id, ours or the one that its caller gave.'),
  'recorded-from': time('Only requested at this time or later.'),
  'recorded-before': time('Only requested before this time.'),
  last,
  'session-refreshes': flag('Also renewals of logins, which are left out unless --mutation or --request-id is given.'),
  limit: commonOptions.limit,
  project: commonOptions.project,
} as const;

export const list = listVerb<typeof options, Entry>({
  summary: 'List requests with their actors and outcomes, newest first.',
  examples: ['tidegate audit list --subject fw-1', 'tidegate audit list --actor alice --outcome REFUSED'],
  options,
  async read({ client, options: given }) {
    if (given.last !== undefined && given['recorded-from'] !== undefined)
      throw new UsageError('give only one of --last and --recorded-from');
    const named = given.mutation !== undefined || given['request-id'] !== undefined;
    const variables = {
      projectId: await projectId(client, given.project),
      actorName: given.actor,
      action: given.mutation,
      exceptActions: named || given['session-refreshes'] ? undefined : ['sessionRefresh'],
      subjectId: given.subject === undefined ? undefined : await anyObjectId(client, given.subject),
      outcomes: given.outcome === undefined ? undefined : [given.outcome],
      requestId: given['request-id'],
      recordedFrom: given.last === undefined ? given['recorded-from'] : new Date(Date.now() - given.last).toISOString(),
      recordedBefore: given['recorded-before'],
    };
    return readPages(client, document, variables, ({ auditEntries }) => auditEntries, given.limit ?? 20);
  },
  columns: async (entries, { client }) => {
    const names = new SubjectNames(client);
    const objects = new Map<Entry, string | null>();
    for (const entry of entries) objects.set(entry, namedIn(entry) ?? (await subjectIn(entry, names)));
    return {
      AT: 'recordedAt',
      WHO: ({ actor }) => (actor === null ? 'nobody' : actorText(actor)),
      MUTATION: 'action',
      OBJECT: (entry) => objects.get(entry),
      RESULT: ({ outcome, code }) => (code === null ? outcome : `${outcome} ${code}`),
      REQUEST: ({ requestId, callerRequestId }) => callerRequestId ?? requestId,
    };
  },
});

/** Its current name, or its id if it is gone. */
async function subjectIn({ subjectId, subject }: Entry, names: SubjectNames): Promise<string | null> {
  return subjectId === null || subject === null ? subjectId : names.of({ subjectType: subject.__typename, subjectId });
}

/** The name in the request. For other requests the id is more useful. */
function namedIn({ details }: Entry): string | undefined {
  if (!isObject(details)) return undefined;
  const name = details.name ?? details.fqdn;
  return typeof name === 'string' ? name : undefined;
}
