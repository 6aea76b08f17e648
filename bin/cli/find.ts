// Finds what a person names: a project or a backend, by name or by id.
import { graphql } from '../../generated/cli/index.ts';
import { CommandFailure } from './failures.ts';
import type { GraphClient } from './graph-client.ts';
import { readPages } from './pages.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

const projectsDocument = graphql(`
  query ProjectNames($first: Int, $after: String) {
    projects(first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
  }
`);

const backendsDocument = graphql(`
  query BackendNames($projectId: ID, $first: Int, $after: String) {
    backends(projectId: $projectId, first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
  }
`);

/** The id of a project, where one was named. Throws CommandFailure when there is none of that name or id. */
export async function projectId(client: GraphClient, nameOrId: string | undefined): Promise<string | undefined> {
  if (nameOrId === undefined) return undefined;
  return findId(
    readPages(client, projectsDocument, {}, ({ projects }) => projects),
    'project',
    nameOrId,
  );
}

/** The id of a backend, in one project or all; of several of one name, one must be named by id. */
export function backendId(client: GraphClient, nameOrId: string, inProject?: string): Promise<string> {
  const found = readPages(client, backendsDocument, { projectId: inProject }, ({ backends }) => backends);
  return findId(found, 'backend', nameOrId);
}

async function findId(all: AsyncIterable<Named>, what: string, nameOrId: string): Promise<string> {
  const found: string[] = [];
  for await (const node of all) {
    if (node.id === nameOrId) return node.id;
    if (node.name === nameOrId) found.push(node.id);
  }
  const [first, second] = found;
  if (first === undefined) throw new CommandFailure(`there is no ${what} '${nameOrId}'`);
  if (second !== undefined) throw new CommandFailure(`several ${what}s are called '${nameOrId}': ${found.join(', ')}`);
  return first;
}
