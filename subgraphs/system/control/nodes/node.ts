// Turns a type and a key into an object of the graph: this subgraph's own if the caller may see it, others as a stub that the
// owning subgraph resolves or reports as missing.
import type { ResolversTypes } from '../../../../generated/graph/system.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';

/** Identified by a name within its project. Its subgraph judges the key. */
const namedTypes: ReadonlySet<string> = new Set(['ObjectContainer']);

type Node = Awaited<ResolversTypes['Node']>;

/** Null when the caller may not see it, and for types that are not Nodes. */
export async function nodeByKey(
  entities: Entities,
  context: RequestContext,
  type: string,
  key: string,
): Promise<Node | null> {
  const id = encodeId(type, key);
  if (!namedTypes.has(type) && decodeUuid(type, id) === undefined) return null;
  if (entities.elsewhere.has(type)) return { __typename: type, id } as unknown as Node;
  switch (type) {
    case 'Project':
      return named(type, await entities.project(context, key));
    case 'User':
      return named(type, await entities.user(context, key));
    case 'ApiToken':
      return named(type, await entities.apiToken(context, key));
    case 'Machine':
      return named(type, await entities.machine(context, key));
    case 'PublishedOperation':
      return named(type, await entities.publishedOperation(context, key));
    case 'HaMove':
      return named(type, await entities.haMove(context, key));
    case 'Alert':
      return named(type, await entities.alert(context, key));
    case 'AlertRule':
      return named(type, await entities.alertRule(context, key));
    case 'AlertChannel':
      return named(type, await entities.alertChannel(context, key));
    default:
      return null;
  }
}

function named<Row extends object>(type: string, row: Row | undefined): Row | null {
  return row === undefined ? null : { ...row, __typename: type };
}
