// Lists changes of the graph since the last release that break a client, or change the result of its requests. One is allowed only with an entry in
// schema/breaking.md that gives its reason: `- Operation.foo was removed. Reason: nobody asked for it.`
import { buildASTSchema, type DocumentNode, type GraphQLSchema } from 'graphql';
import { clientChanges, elementsOf } from '../client-changes.ts';
import { deprecationOf, promisedOn } from '../deprecation.ts';
import type { ReleasedGraph } from '../released-graph.ts';

/** `day`: today, as in 2027-01-31. */
export function findBrokenPromises(released: ReleasedGraph, now: DocumentNode, notes: string, day: string): string[] {
  const build = (document: DocumentNode) => buildASTSchema(document, { assumeValidSDL: true });
  const [before, after] = [build(promisedOn(released.document, day)), build(now)];
  return [
    ...findUnexplainedChanges(before, after, notes, released.version),
    ...removedTooSoon(before, after),
    ...reasonsWithoutChange(before, after, notes),
  ];
}

function findUnexplainedChanges(before: GraphQLSchema, after: GraphQLSchema, notes: string, since: string): string[] {
  const explained = entriesOf(notes);
  return changesOf(before, after)
    .filter((description) => !explained.some((line) => isReasoned(line, description)))
    .map((description) => `since ${since}: ${description} (or say why in schema/breaking.md)`);
}

/** A date that clients have read is kept, regardless of the reason. */
function removedTooSoon(before: GraphQLSchema, after: GraphQLSchema): string[] {
  const now = elementsOf(after);
  return [...elementsOf(before).values()].flatMap(({ path, directives }) => {
    const until = deprecationOf(directives)?.until;
    return until === undefined || now.has(path) ? [] : [`${path} was promised until ${until}: keep it until then`];
  });
}

/** An unused reason would allow the same change later, for which it was not meant. */
function reasonsWithoutChange(before: GraphQLSchema, after: GraphQLSchema, notes: string): string[] {
  const changes = changesOf(before, after);
  return entriesOf(notes)
    .filter((line) => !changes.some((description) => isReasoned(line, description)))
    .map((line) => `schema/breaking.md: "${line}" is no change since the last release, or gives no reason: remove it`);
}

function changesOf(before: GraphQLSchema, after: GraphQLSchema): readonly string[] {
  const { breaking, others } = clientChanges(before, after);
  return [...breaking, ...others];
}

function entriesOf(notes: string): string[] {
  return notes
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) => line.slice(2));
}

function isReasoned(line: string, description: string): boolean {
  if (!line.startsWith(description)) return false;
  return /^ Reason: \S/.test(line.slice(description.length));
}
