// Root fields that find one thing by its id, or by the name that people know.

import type { Identity } from '../caller/identity.ts';
import { CodedError } from '../errors/errors.ts';
import { projectsFor } from '../input/authorise.ts';
import type { Page } from '../pages/connection.ts';
import { encodeId } from '../values/ids.ts';

type NaturalKey = { readonly id: string } | { readonly name: string };

/** `nameField`: the argument of the name. Throws INVALID_INPUT unless exactly one of the two is given. */
export function naturalKey(args: Readonly<Record<string, unknown>>, nameField = 'name'): NaturalKey {
  const { id } = args;
  const name = args[nameField];
  if (typeof id === 'string' && name == null) return { id };
  if (typeof name === 'string' && id == null) return { name };
  throw new CodedError('INVALID_INPUT', `Give exactly one of id and ${nameField}.`);
}

/** UUIDs of the project of a name: the given one, if the caller may see it, or the caller's only one. Throws INVALID_INPUT. */
export function projectOfName(identity: Identity | null, projectId: string | null | undefined): readonly string[] {
  const projects = projectsFor(identity, projectId);
  if (projects !== 'all' && projects.length < 2) return projects;
  throw new CodedError('INVALID_INPUT', 'projectId: you see several projects; give the project of the name.');
}

interface KeyArguments {
  readonly id?: string | null;
  readonly name?: string | null;
  readonly projectId?: string | null;
}

interface Finders<Row> {
  readonly byId: (globalId: string) => Promise<Row | null>;
  /** A page of the list, whose filter this is. */
  readonly page: (filter: {
    readonly names: string[];
    readonly projectId: string;
    readonly first: number;
  }) => Promise<Page<Row>>;
}

/** One thing of a project, by its global id, or by its name in a project. Throws INVALID_INPUT. */
export async function findByKey<Row>(
  identity: Identity | null,
  args: KeyArguments,
  { byId, page }: Finders<Row>,
): Promise<Row | null> {
  const key = naturalKey({ ...args });
  if ('id' in key) return byId(key.id);
  const [projectId] = projectOfName(identity, args.projectId);
  if (projectId === undefined) return null;
  const { nodes } = await page({ names: [key.name], projectId: encodeId('Project', projectId), first: 1 });
  return nodes[0] ?? null;
}
