// Finds what a person names: a project or a backend, by name or by id.
import { CommandFailure } from '../command.ts';
import type { GraphClient } from './graph-client.ts';
import { readPages } from './pages.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

const projectsDocument = `query ($first: Int, $after: String) {
  projects(first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
}`;

const backendsDocument = `query ($first: Int, $after: String) {
  backends(first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
}`;

/** The id of a project. Throws CommandFailure when there is none of that name or id. */
export function projectId(client: GraphClient, nameOrId: string): Promise<string> {
  return findId(client, projectsDocument, 'project', nameOrId);
}

/** The id of a backend; of several of one name, one must be named by id. */
export function backendId(client: GraphClient, nameOrId: string): Promise<string> {
  return findId(client, backendsDocument, 'backend', nameOrId);
}

async function findId(client: GraphClient, document: string, what: string, nameOrId: string): Promise<string> {
  const found: string[] = [];
  for await (const node of readPages<Named>(client, document, {})) {
    if (node.id === nameOrId) return node.id;
    if (node.name === nameOrId) found.push(node.id);
  }
  const [first, second] = found;
  if (first === undefined) throw new CommandFailure(`there is no ${what} '${nameOrId}'`);
  if (second !== undefined) throw new CommandFailure(`several ${what}s are called '${nameOrId}': ${found.join(', ')}`);
  return first;
}
