// `tidegate history [NAME]`: who changed which settings, and when.
import { graphql } from '../../generated/cli/index.ts';
import { projectId } from '../find.ts';
import { subjectNamed } from '../found-objects.ts';
import { flag, time } from '../option.ts';
import { readAll, readPages } from '../pages.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';
import { changeText, subjectText, type Version, whoOf } from '../settings-version.ts';

const document = graphql(`
  query History($subjectId: ID, $projectId: ID, $changedBefore: DateTime, $onlyDeletions: Boolean, $first: Int, $after: String) {
    configurationVersions(
      subjectId: $subjectId, projectId: $projectId, changedBefore: $changedBefore, onlyDeletions: $onlyDeletions
      first: $first, after: $after
    ) {
      nodes { ...VersionFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const history = remoteVerb({
  summary: 'List the changes of the settings of an object and its parts, newest first. Without NAME, of all objects.',
  about: ['An object that was deleted keeps its history. Take a change back with "tidegate undo ID".'],
  examples: ['tidegate history web', 'tidegate history web --before 2026-11-24', 'tidegate history --limit 50'],
  takes: ['[NAME]'],
  options: {
    before: time('Only changes before this time.'),
    deleted: flag('Only deletions. "tidegate undo ID" creates the object again, under a new id.'),
    limit: commonOptions.limit,
    project: commonOptions.project,
  },
  async run({ client, names, options, printer }) {
    const [name] = names;
    const inProject = await projectId(client, options.project);
    const variables = {
      ...(name === undefined ? { projectId: inProject } : { subjectId: await subjectNamed(client, name, inProject) }),
      changedBefore: options.before,
      onlyDeletions: options.deleted,
    };
    const pages = readPages(client, document, variables, (answer) => answer.configurationVersions, options.limit ?? 20);
    const versions: readonly Version[] = await readAll(pages);
    if (options.json) return printer.json(versions);
    await printer.rows({ AT: 'changedAt', WHO: whoOf, OBJECT: subjectText, CHANGE: changeText, ID: 'id' }, versions);
  },
});
