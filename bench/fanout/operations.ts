// The twenty operations of the clients: five selections with four filters. Each operation gets every event that the benchmark writes for
// the client's project, so that all clients expect the same list.

export const eventKind = 'project.changed';
const subjectType = 'Project';

export interface Operation {
  readonly query: string;
  readonly filter: Readonly<Record<string, unknown>>;
}

const selections = [
  'id to',
  'id changedAt kind subjectVersion from to',
  'id changedAt kind subjectType subjectId subjectVersion from to reason requestId',
  'id changedAt kind subjectVersion from to reason project { id name }',
  'id changedAt kind subjectVersion to reason subject { id ... on Project { name description } }',
];

const filters = [
  {},
  { kinds: [eventKind] },
  { subjectTypes: [subjectType] },
  { kinds: [eventKind], subjectTypes: [subjectType] },
];

export const operations: readonly Operation[] = selections.flatMap((fields) =>
  filters.map((filter) => ({
    query: `subscription Changes($kinds: [String!], $subjectTypes: [String!], $after: String) {
      statusChanges(kinds: $kinds, subjectTypes: $subjectTypes, after: $after) { cursor change { ${fields} } }
    }`,
    filter,
  })),
);
