// `tidegate operations list`.

import type { LongRunningState } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { cmpOption } from '../../cmp-object.ts';
import { backendId, projectId } from '../../find.ts';
import { chosenFrom, several, text, time } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import { type Operation, operationColumns } from './operation.ts';

const document = graphql(`
  query OperationsList(
    $projectId: ID, $backendId: ID, $states: [LongRunningState!], $cmpObject: CmpObjectInput, $names: [String!], $text: String
    $createdFrom: DateTime, $createdBefore: DateTime, $first: Int, $after: String
  ) {
    relayOperations(
      projectId: $projectId, backendId: $backendId, states: $states, cmpObject: $cmpObject, names: $names, text: $text
      createdFrom: $createdFrom, createdBefore: $createdBefore, first: $first, after: $after
    ) {
      nodes { ...CallFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const states: readonly LongRunningState[] = [
  ...(['PENDING', 'SENT', 'SUCCEEDED', 'FAILED', 'ACCEPTED', 'UNKNOWN', 'REJECTED'] as const),
];

const options = {
  backend: text('NAME', 'Only on this backend.'),
  state: several('STATE', 'Only in this state, for example UNKNOWN.', chosenFrom(states)),
  cmp: cmpOption,
  name: several('NAME', 'Only with this name, for example rule.create.'),
  text: text('TEXT', 'Only with all these words: in its name, object, backend, error, requester or request id.'),
  'created-from': time('Only calls accepted at this time or later.'),
  'created-before': time('Only calls accepted before this time.'),
  limit: commonOptions.limit,
  project: commonOptions.project,
} as const;

export const list = listVerb<typeof options, Operation>({
  summary: 'List calls, newest first.',
  options,
  async read({ client, options: given }) {
    const inProject = await projectId(client, given.project);
    const variables = {
      projectId: inProject,
      backendId: given.backend === undefined ? undefined : await backendId(client, given.backend, inProject),
      states: given.state.length === 0 ? undefined : given.state,
      cmpObject: given.cmp,
      names: given.name.length === 0 ? undefined : given.name,
      text: given.text,
      createdFrom: given['created-from'],
      createdBefore: given['created-before'],
    };
    return readPages(client, document, variables, ({ relayOperations }) => relayOperations, given.limit ?? 20);
  },
  columns: operationColumns,
});
