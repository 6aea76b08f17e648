// The filters for mappings, shared by `list` and `verify`.
import { graphql } from '../../../generated/cli/index.ts';
import { cmpOption } from '../../cmp-object.ts';
import { backendId, projectId } from '../../find.ts';
import { chosenFrom, several, text, time, type Values } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions, type RemoteCall } from '../../remote-verb.ts';
import { type Mapping, mappingStates, verificationResults } from './mapping.ts';

export const filterOptions = {
  backend: text('NAME', 'Only on this backend.'),
  state: several('STATE', 'Only in this state, for example ACTIVE.', chosenFrom(mappingStates)),
  verification: several(
    'RESULT',
    'Only if the last verification found MATCHES, DRIFTED or MISSING.',
    chosenFrom(verificationResults),
  ),
  cmp: cmpOption,
  'updated-from': time('Only mappings changed at this time or later.'),
  project: commonOptions.project,
} as const;

type Filters = Values<typeof filterOptions>;

const listDocument = graphql(`
  query MappingsList($projectId: ID, $backendId: ID, $states: [MappingState!], $verification: [MappingVerificationResult!],
    $updatedFrom: DateTime, $first: Int, $after: String) {
    mappings(projectId: $projectId, backendId: $backendId, mappingStates: $states, verifications: $verification,
      updatedFrom: $updatedFrom, first: $first, after: $after) {
      nodes { ...MappingFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const cmpObjectDocument = graphql(`
  query MappingsOfCmpObject($namespace: String, $type: String!, $externalId: String!, $states: [MappingState!],
    $first: Int, $after: String) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
      mappings(mappingStates: $states, first: $first, after: $after) {
        nodes { ...MappingFields }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

/** The matching mappings, newest first. `states`: default if the command line gives none. */
export async function* readMappings(
  client: RemoteCall['client'],
  filters: Filters,
  { limit, states = [] }: { readonly limit: number; readonly states?: Filters['state'] },
): AsyncGenerator<Mapping> {
  const inStates = filters.state.length > 0 ? filters.state : states;
  const { verification, 'updated-from': updatedFrom, cmp: cmpObject } = filters;
  const inProject = await projectId(client, filters.project);
  const onBackend = filters.backend === undefined ? undefined : await backendId(client, filters.backend, inProject);
  const common = { states: inStates.length === 0 ? undefined : inStates };
  if (cmpObject === undefined) {
    const variables = {
      ...common,
      projectId: inProject,
      verification: verification.length === 0 ? undefined : verification,
      updatedFrom,
      backendId: onBackend,
    };
    yield* readPages(client, listDocument, variables, ({ mappings }) => mappings, limit);
    return;
  }
  // One CMP object has few mappings, so the graph selects by object and state, and the rest is filtered here.
  let left = limit;
  const all = readPages(client, cmpObjectDocument, { ...common, ...cmpObject }, (data) => data.cmpObject?.mappings);
  for await (const mapping of all) {
    const { lastVerification, updatedAt } = mapping;
    if (onBackend !== undefined && mapping.backend?.id !== onBackend) continue;
    if (verification.length > 0 && !verification.some((result) => result === lastVerification?.result)) continue;
    if (updatedFrom !== undefined && new Date(updatedAt) < new Date(updatedFrom)) continue;
    if (left === 0) return;
    left -= 1;
    yield mapping;
  }
}
