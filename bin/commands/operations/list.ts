// `tidegate operations list`.
import type { RelayOperationState } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { backendId, projectId } from '../../cli/find.ts';
import { chosenFrom, several, text, time } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { cmpObjectOption } from '../mappings/filters.ts';
import { operationHead, operationRow } from './operation.ts';

const document = graphql(`
  query OperationsList(
    $projectId: ID, $backendId: ID, $states: [RelayOperationState!], $cmpObject: CmpObjectInput, $name: String, $text: String
    $createdFrom: DateTime, $createdBefore: DateTime, $first: Int, $after: String
  ) {
    relayOperations(
      projectId: $projectId, backendId: $backendId, states: $states, cmpObject: $cmpObject, name: $name, text: $text
      createdFrom: $createdFrom, createdBefore: $createdBefore, first: $first, after: $after
    ) {
      nodes { ...CallFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const states: readonly RelayOperationState[] = [
  ...(['PENDING', 'SENT', 'SUCCEEDED', 'FAILED', 'ACCEPTED', 'UNKNOWN', 'REJECTED'] as const),
];

export const list = remoteVerb({
  summary: 'List calls, newest first.',
  takes: [],
  options: {
    backend: text('NAME', 'Only on this backend.'),
    state: several('STATE', 'Only in this state, for example UNKNOWN.', chosenFrom(states)),
    'cmp-object': cmpObjectOption,
    name: text('NAME', 'Only with this name, for example rule.create.'),
    text: text('TEXT', 'Only with all these words: in its name, object, backend, error, requester or request id.'),
    'created-from': time('Only calls accepted at this time or later.'),
    'created-before': time('Only calls accepted before this time.'),
    limit: commonOptions.limit,
    project: commonOptions.project,
  },
  async run({ client, options, printer }) {
    const inProject = await projectId(client, options.project);
    const variables = {
      projectId: inProject,
      backendId: options.backend === undefined ? undefined : await backendId(client, options.backend, inProject),
      states: options.state.length === 0 ? undefined : options.state,
      cmpObject: options['cmp-object'],
      name: options.name,
      text: options.text,
      createdFrom: options['created-from'],
      createdBefore: options['created-before'],
    };
    const pages = readPages(client, document, variables, ({ relayOperations }) => relayOperations, options.limit ?? 20);
    const found = await readAll(pages);
    if (options.json) return printer.json(found);
    return printer.table(operationHead, found.map(operationRow));
  },
});
