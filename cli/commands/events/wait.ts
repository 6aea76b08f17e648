// `tidegate events wait`: waits for a state. It begins with the present states, so that nothing is missed in between.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { flag, integer, several } from '../../option.ts';
import { type RemoteCall, remoteVerb } from '../../remote-verb.ts';
import { followStatus, type StatusFilter } from '../../status-stream.ts';
import { visible } from '../../visible.ts';
import { changeLine, filterOf, filterOptions, type StatusChange } from './change.ts';
import { SubjectNames } from './subject-names.ts';

const startDocument = graphql(`
  query EventsWaitStart { statusCursor }
`);
const lastDocument = graphql(`
  query EventsWaitLast(
    $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $cmpObject: CmpObjectInput, $first: Int
  ) {
    statusHistory(
      projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, cmpObject: $cmpObject
      first: $first
    ) { nodes { ...StatusChangeFields } }
  }
`);

const usualSeconds = 60;
/** Number of past events to read. They include the last state of a subject unless it has many kinds. */
const lookedAt = 50;

const options = {
  ...filterOptions,
  to: { ...several('STATE', 'Until one of these states, for example SUCCEEDED.'), needed: true },
  'only-new': flag('Ignore earlier changes, and wait for the next one.'),
  timeout: integer('SECONDS', `Wait at most this long (${usualSeconds}); then the exit code is 4.`, {
    least: 1,
    most: 86_400,
  }),
} as const;

export const wait = remoteVerb({
  summary: 'Wait until something changes to a state, or has changed to it last.',
  takes: [],
  options,
  async run(call) {
    const { client, options: given, printer } = call;
    const filter = await filterOf(client, given);
    const found = await firstChange(call, filter, new Set(given.to.map((each) => each.toUpperCase())));
    if (given.json) return printer.json(found);
    await printer.line(changeLine(found, await new SubjectNames(client).of(found), printer));
  },
});

async function firstChange(
  { client, options: given, signal, stderr }: RemoteCall<typeof options, readonly []>,
  filter: StatusFilter,
  wanted: ReadonlySet<string>,
): Promise<StatusChange> {
  const { statusCursor } = await client.query(startDocument, {});
  if (!given['only-new']) {
    const { statusHistory } = await client.query(lastDocument, { ...filter, first: lookedAt });
    const present = lastOfEach(statusHistory.nodes).find(({ to }) => wanted.has(to));
    if (present !== undefined) return present;
  }
  const seconds = given.timeout ?? usualSeconds;
  const late = AbortSignal.timeout(seconds * 1_000);
  const onLost = (why: string) => stderr.write(`tidegate: connection lost (${visible(why)}); reconnecting\n`);
  const onMissed = (why: string) =>
    stderr.write(`tidegate: a change could not be read (${visible(why)}); continuing with the next one\n`);
  const stream = { client, after: statusCursor, filter, signal: AbortSignal.any([signal, late]), onLost, onMissed };
  for await (const { change } of followStatus(stream)) if (change !== null && wanted.has(change.to)) return change;
  if (signal.aborted) throw new Interruption();
  throw new CommandFailure(`not within ${seconds} s: no change to ${[...wanted].join(' or ')}`, exitCodes.late);
}

/** Current state of each subject: its newest change of each kind. */
function lastOfEach(newestFirst: readonly StatusChange[]): readonly StatusChange[] {
  const last = new Map<string, StatusChange>();
  for (const change of newestFirst) {
    const of = `${change.subjectId} ${change.kind}`;
    if (!last.has(of)) last.set(of, change);
  }
  return [...last.values()];
}
