// Finds objects by name or id.
import { nearestName } from '../platform/values/nearest-name.ts';
import { CommandFailure } from './failures.ts';
import { type GraphClient, untyped } from './graph-client.ts';
import { namedKinds, nearText } from './named-kinds.ts';
import { type Connection, readPages } from './pages.ts';
import { shownId } from './short-id.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** The id of a project, if one is named. Throws CommandFailure if no project has that name or id. */
export async function projectId(client: GraphClient, nameOrId: string | undefined): Promise<string | undefined> {
  return nameOrId === undefined ? undefined : idNamed(client, 'projects', nameOrId);
}

/** The id of a backend, in one project or in all. Throws CommandFailure if several have that name. */
export function backendId(client: GraphClient, nameOrId: string, inProject?: string): Promise<string> {
  return idNamed(client, 'backends', nameOrId, inProject);
}

/** Nouns whose objects are read with `names`, and alone with the singular of the list's field. */
type FoundKind = 'projects' | 'backends' | 'loadbalancers' | 'certificates' | 'hosts' | 'clusters' | 'options';

/** The id of the object with a name or id, in one project or in all. Throws CommandFailure if there is none, or if there are several. */
export function idNamed(client: GraphClient, noun: FoundKind, nameOrId: string, inProject?: string): Promise<string> {
  const { what, list, inProject: isOfProject } = namedKinds[noun];
  const one = list.slice(0, -1);
  const fields = `id name ${isOfProject ? 'project { id }' : ''}`;
  const document = untyped<Readonly<Record<string, unknown>>>(`
    query ${one.charAt(0).toUpperCase()}${one.slice(1)}Names(
      $id: ID!, $names: [String!], ${isOfProject ? '$projectId: ID, ' : ''}$first: Int, $after: String
    ) {
      ${one}(id: $id) { ${fields} }
      ${list}(names: $names, ${isOfProject ? 'projectId: $projectId, ' : ''}first: $first, after: $after) {
        nodes { ${fields} }
        pageInfo { hasNextPage endCursor }
      }
    }`);
  const variables = { ...namedAs(nameOrId), ...(isOfProject ? { projectId: inProject } : {}) };
  const named = readPages(client, document, variables, (data) =>
    withOne(inProjectOnly(data[one] as NodeInProject | null, inProject), data[list] as Connection<NodeInProject>),
  );
  return findNamed(named, what, nameOrId, () => nearText(client, noun, nameOrId, inProject));
}

interface NodeInProject extends Named {
  readonly project?: { readonly id: string } | null;
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
function inProjectOnly(one: NodeInProject | null, inProject: string | undefined): NodeInProject | null {
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
