// Names breaking changes of the graph since a commit. One is allowed only with an entry in schema/breaking.md that gives its
// reason: `- Operation.foo was removed. Reason: nobody asked for it.`
import { findBreakingChanges, type GraphQLSchema } from 'graphql';

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
  return findBreakingChanges(before, after)
    .map((change) => change.description)
    .filter((description) => !explained.some((line) => isReasoned(line, description)))
    .map((description) => `since ${since}: ${description} (or say why in schema/breaking.md)`);
}

function isReasoned(line: string, description: string): boolean {
  if (!line.startsWith(description)) return false;
  return /^ Reason: \S/.test(line.slice(description.length));
}
