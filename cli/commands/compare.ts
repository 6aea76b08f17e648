// `tidegate compare NAME --since TIME`: the settings of an object and its parts now, against those of an earlier time.
import { graphql } from '../../generated/cli/index.ts';
import { differencesOf } from '../../schema/kinds/settings-differences.ts';
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
    const found = differencesOf(versions.reverse()).map(({ last, outcome, changes }) => ({
      ...{ subject: subjectText(last), outcome, changes },
    }));
    if (options.json) return printer.json(found);
    if (found.length === 0) throw new CommandFailure(`the settings of '${names[0]}' are the same as then`, 0);
    for (const { subject, outcome, changes } of found) {
      await printer.line(outcome === 'CHANGED' ? subject : `${subject}: ${outcome.toLowerCase()}`);
      for (const change of changes) await printer.line(`  ${fieldText(change, longestValue)}`);
    }
  },
});
