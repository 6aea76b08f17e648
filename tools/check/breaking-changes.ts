// Names changes of the graph since a commit that break clients, and changed defaults. One is allowed only with an entry in
// schema/breaking.md that gives its reason: `- Operation.foo was removed. Reason: nobody asked for it.`
import { buildSchema, type GraphQLSchema } from 'graphql';
import { apiSchemaPath } from '../../platform/graph/generated-schema.ts';
import { apiSchemaText } from '../api-schema.ts';
import { clientChanges } from '../client-changes.ts';

/** Was committed until there was schema/api.graphql. */
const committedSupergraph = 'schema/supergraph.graphql';

/**
 * The graph of an earlier commit, as its clients saw it; undefined if there was none, or git is not available.
 *
 * @param show a file's text at that commit
 */
export async function earlierSchema(
  show: (path: string) => Promise<string | undefined>,
): Promise<GraphQLSchema | undefined> {
  const api = await show(apiSchemaPath);
  if (api !== undefined) return buildSchema(api);
  const supergraph = await show(committedSupergraph);
  return supergraph === undefined ? undefined : buildSchema(apiSchemaText(supergraph));
}

export function findUnexplainedChanges(
  before: GraphQLSchema,
  after: GraphQLSchema,
  breakingNotes: string,
  since: string,
): string[] {
  const explained = breakingNotes
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) => line.slice(2));
  const { breaking, defaults } = clientChanges(before, after);
  return [...breaking, ...defaults]
    .filter((description) => !explained.some((line) => isReasoned(line, description)))
    .map((description) => `since ${since}: ${description} (or say why in schema/breaking.md)`);
}

function isReasoned(line: string, description: string): boolean {
  if (!line.startsWith(description)) return false;
  return /^ Reason: \S/.test(line.slice(description.length));
}
