// Finds objects by name or id.
import { graphql } from '../generated/cli/index.ts';
import { nearestName } from '../platform/values/nearest-name.ts';
import { CommandFailure } from './failures.ts';
import type { GraphClient } from './graph-client.ts';
import { nearText } from './named-kinds.ts';
import { type Connection, readPages } from './pages.ts';
import { shownId } from './short-id.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

const projectDocument = graphql(`
  query ProjectNames($id: ID!, $names: [String!], $first: Int, $after: String) {
    project(id: $id) { id name }
    projects(names: $names, first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
  }
`);

const backendDocument = graphql(`
  query BackendNames($id: ID!, $names: [String!], $projectId: ID, $first: Int, $after: String) {
    backend(id: $id) { id name project { id } }
    backends(names: $names, projectId: $projectId, first: $first, after: $after) {
      nodes { id name project { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** The id of a project, if one is named. Throws CommandFailure if no project has that name or id. */
export async function projectId(client: GraphClient, nameOrId: string | undefined): Promise<string | undefined> {
  if (nameOrId === undefined) return undefined;
  const named = readPages(client, projectDocument, namedAs(nameOrId), ({ project, projects }) =>
    withOne(project, projects),
  );
  return findNamed(named, 'project', nameOrId, () => nearText(client, 'projects', nameOrId));
}

/** The id of a backend, in one project or in all. Throws CommandFailure if several have that name. */
export function backendId(client: GraphClient, nameOrId: string, inProject?: string): Promise<string> {
  const variables = { ...namedAs(nameOrId), projectId: inProject };
  const named = readPages(client, backendDocument, variables, ({ backend, backends }) =>
    withOne(inProjectOnly(backend, inProject), backends),
  );
  return findNamed(named, 'backend', nameOrId, () => nearText(client, 'backends', nameOrId, inProject));
}

/** Variables for a document that reads one object by id, and for one that lists objects by name. */
export function namedAs(nameOrId: string): { readonly id: string; readonly names: readonly string[] } {
  return { id: nameOrId, names: [nameOrId] };
}

/** A page of the objects with the name, after the one with that id if there is one. */
export function withOne<Node>(one: Node | null, page: Connection<Node>): Connection<Node> {
  return one === null ? page : { ...page, nodes: [one, ...page.nodes] };
}

/** Null unless it is in the named project, if any. */
export function inProjectOnly<Node extends { readonly project: { readonly id: string } | null }>(
  one: Node | null,
  inProject: string | undefined,
): Node | null {
  return inProject === undefined || one?.project?.id === inProject ? one : null;
}

/**
 * The id of the matching object. `near`: the end of the message if there is none (named-kinds.ts). Throws CommandFailure if none has that name or id,
 * or several have the name.
 */
export async function findNamed(
  all: AsyncIterable<Named>,
  what: string,
  nameOrId: string,
  near: () => Promise<string> = async () => '',
): Promise<string> {
  const found: string[] = [];
  const others: string[] = [];
  for await (const node of all) {
    if (node.id === nameOrId) return node.id;
    if (node.name === nameOrId && !found.includes(node.id)) found.push(node.id);
    else if (others.length < mostCompared) others.push(node.name);
  }
  const [first, second] = found;
  if (first === undefined) throw new CommandFailure(await unknownText(what, nameOrId, others, near));
  if (second !== undefined)
    throw new CommandFailure(
      `several ${what}s have the name '${nameOrId}'; use one of these ids: ${found.map(shownId).join(', ')}`,
    );
  return first;
}

const mostCompared = 1_000;

async function unknownText(
  what: string,
  given: string,
  others: readonly string[],
  near: () => Promise<string>,
): Promise<string> {
  const nearest = nearestName(given, others);
  return `there is no ${what} '${given}'${nearest === undefined ? await near() : `; '${nearest}' is near`}`;
}
