// Finds what a person names, by name or by id.
import { graphql } from '../generated/cli/index.ts';
import { CommandFailure } from './failures.ts';
import type { GraphClient } from './graph-client.ts';
import { type Connection, readPages } from './pages.ts';

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

/** The id of a project, if one was named. Throws CommandFailure if no project has that name or id. */
export async function projectId(client: GraphClient, nameOrId: string | undefined): Promise<string | undefined> {
  if (nameOrId === undefined) return undefined;
  return findNamed(
    readPages(client, projectsDocument, {}, ({ projects }) => projects),
    'project',
    nameOrId,
  );
}

/** The id of a backend, in one project or in all. Throws CommandFailure if several have that name. */
export function backendId(client: GraphClient, nameOrId: string, inProject?: string): Promise<string> {
  const found = readPages(client, backendsDocument, { projectId: inProject }, ({ backends }) => backends);
  return findNamed(found, 'backend', nameOrId);
}

/** Variables of a document that asks for one object by id, and for those of a list by name. */
export function namedAs(nameOrId: string): { readonly id: string; readonly names: readonly string[] } {
  return { id: nameOrId, names: [nameOrId] };
}

/** A page of the objects with the name, after the one with the id if there is one. */
export function withOne<Node>(one: Node | null, page: Connection<Node>): Connection<Node> {
  return one === null ? page : { ...page, nodes: [one, ...page.nodes] };
}

/** Null unless it is in the project, if one was named. */
export function inProjectOnly<Node extends { readonly project: { readonly id: string } | null }>(
  one: Node | null,
  inProject: string | undefined,
): Node | null {
  return inProject === undefined || one?.project?.id === inProject ? one : null;
}

/** The id of one of them. Throws CommandFailure if none has that name or id, or several have the name. */
export async function findNamed(all: AsyncIterable<Named>, what: string, nameOrId: string): Promise<string> {
  const found: string[] = [];
  for await (const node of all) {
    if (node.id === nameOrId) return node.id;
    if (node.name === nameOrId) found.push(node.id);
  }
  const [first, second] = found;
  if (first === undefined) throw new CommandFailure(`there is no ${what} '${nameOrId}'`);
  if (second !== undefined)
    throw new CommandFailure(`several ${what}s have the name '${nameOrId}'; use one of these ids: ${found.join(', ')}`);
  return first;
}
