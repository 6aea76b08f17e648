// `tidegate events list`.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changeLine, filterOf, filterOptions } from './change.ts';
import { SubjectNames } from './subject-names.ts';

const document = graphql(`
  query EventsList(
    $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $cmpObject: CmpObjectInput
    $first: Int, $after: String
  ) {
    statusHistory(
      projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, cmpObject: $cmpObject
      first: $first, after: $after
    ) {
      nodes { ...StatusChangeFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = remoteVerb({
  summary: 'List status changes, newest first.',
  takes: [],
  options: { ...filterOptions, limit: commonOptions.limit },
  async run({ client, options, printer }) {
    const filter = await filterOf(client, options);
    const pages = readPages(client, document, filter, ({ statusHistory }) => statusHistory, options.limit ?? 20);
    const changes = await readAll(pages);
    if (options.json) return printer.json(changes);
    const names = new SubjectNames(client);
    for (const change of changes) await printer.line(changeLine(change, await names.of(change), printer));
  },
});
