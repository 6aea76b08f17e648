// `tidegate compare NAME --since TIME`: the settings of an object and its parts now, against those of an earlier time.
import { graphql } from '../../generated/cli/index.ts';
import { sameJson } from '../../platform/values/json.ts';
import { CommandFailure } from '../failures.ts';
import { projectId } from '../find.ts';
import { subjectNamed } from '../found-objects.ts';
import { time } from '../option.ts';
import { readPages } from '../pages.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';
import { fieldText, subjectText, type Version } from '../settings-version.ts';

const document = graphql(`
  query Comparison($subjectId: ID!, $first: Int, $after: String) {
    configurationVersions(subjectId: $subjectId, first: $first, after: $after) {
      nodes { ...VersionFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const mostVersions = 10_000;
const longestValue = 2_000;

interface Difference {
  readonly subject: string;
  readonly outcome: 'CREATED' | 'DELETED' | 'CHANGED';
  readonly changes: Version['changes'];
}

export const compare = remoteVerb({
  summary: 'Compare the settings of an object and its parts with those of an earlier time.',
  examples: ['tidegate compare web --since 2026-11-24', 'tidegate compare web --since 2026-11-24T08:00:00+01:00'],
  takes: ['NAME'],
  options: {
    since: { ...time('The earlier time.'), required: true },
    project: commonOptions.project,
  },
  async run({ client, names, options, printer }) {
    const subjectId = await subjectNamed(client, names[0], await projectId(client, options.project));
    const since = options.since ?? '';
    const versions: Version[] = [];
    for await (const version of readPages(
      client,
      document,
      { subjectId },
      (answer) => answer.configurationVersions,
      mostVersions,
    )) {
      if (version.changedAt < since) break;
      versions.push(version);
    }
    const found = differencesOf(versions.reverse());
    if (options.json) return printer.json(found);
    if (found.length === 0) throw new CommandFailure(`the settings of '${names[0]}' are the same as then`, 0);
    for (const { subject, outcome, changes } of found) {
      await printer.line(outcome === 'CHANGED' ? subject : `${subject}: ${outcome.toLowerCase()}`);
      for (const change of changes) await printer.line(`  ${fieldText(change, longestValue)}`);
    }
  },
});

/** `versions`: oldest first. Changes that were taken back again are left out. */
function differencesOf(versions: readonly Version[]): readonly Difference[] {
  const bySubject = Map.groupBy(versions, ({ subjectId }) => subjectId);
  return [...bySubject.values()].flatMap((own): Difference[] => {
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return [];
    const isNew = first.number === 1 && first.mutation !== null;
    if (isNew && last.deleted) return [];
    const subject = subjectText(last);
    if (isNew || last.deleted) return [{ subject, outcome: isNew ? 'CREATED' : 'DELETED', changes: [] }];
    const fields = new Map<string, Version['changes'][number]>();
    for (const { field, before, after } of own.flatMap(({ changes }) => changes))
      fields.set(field, { field, before: fields.get(field)?.before ?? before, after });
    const changes = [...fields.values()].filter(({ before, after }) => !sameJson(before, after));
    return changes.length === 0 ? [] : [{ subject, outcome: 'CHANGED', changes }];
  });
}
