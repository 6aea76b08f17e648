// A subgraph from its SDL and the resolvers of its features, with the parts common to all: scalars and commits. A missing
// resolver is found when the process starts, not by the first caller.
import { buildSubgraphSchema, type GraphQLSchemaModule } from '@apollo/subgraph';
import { type DocumentNode, Kind, parse } from 'graphql';
import { type Commits, commitResolvers } from '../database/commits.ts';
import { openCursor } from '../events/cursor.ts';
import { countPages } from '../pages/page-counts.ts';
import type { CursorSealer } from '../secrets/cursor-sealer.ts';
import { refuseOtherIds } from './checked-ids.ts';
import { resolveEntitiesAtOnce } from './entities.ts';
import { withPositions } from './execution.ts';
import { inputScalars } from './input-scalars.ts';
import { mergeResolvers } from './merge-resolvers.ts';
import { sealPages } from './sealed-pages.ts';
import { refuseNullWithoutError } from './semantic-non-null.ts';
import type { Subgraph } from './subgraph.ts';
import { watchRefusals } from './terms.ts';
import { refuseUntried } from './tried-mutations.ts';

interface SubgraphOptions<Resolvers extends object> {
  /** The name in its row. */
  readonly name: string;
  /** Complete (sdl.ts). */
  readonly sdl: string;
  readonly commits: Commits;
  readonly cursors: CursorSealer;
  /** Resolvers of each feature. */
  readonly resolvers: readonly Resolvers[];
}

/** Throws when a field of Query, Mutation or Subscription, or the reference to an entity, has no resolver. */
export function createSubgraph<Resolvers extends object>(options: SubgraphOptions<Resolvers>): Subgraph {
  const { name, sdl, commits, cursors } = options;
  const resolvers: Record<string, object> = {
    ...inputScalars,
    Commit: commitResolvers(commits),
    ...mergeResolvers<object>(options.resolvers),
  };
  // With locations, the schema would keep each token of the text.
  const document = parse(sdl, { noLocation: true });
  const missing = unresolved(document, resolvers);
  if (missing.length > 0) throw new Error(`${name}: no resolver for ${missing.join(', ')}`);
  const schema = buildSubgraphSchema([
    { typeDefs: document, resolvers: resolvers as NonNullable<GraphQLSchemaModule['resolvers']> },
  ]);
  resolveEntitiesAtOnce(schema);
  refuseNullWithoutError(schema);
  watchRefusals(schema);
  refuseUntried(schema);
  refuseOtherIds(schema);
  countPages(schema);
  sealPages(schema, cursors);
  return { name, schema: withPositions(schema, (text) => openCursor(cursors, text)) };
}

const rootTypes: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

function unresolved({ definitions }: DocumentNode, resolvers: Readonly<Record<string, object>>): string[] {
  return definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) return [];
    const type = definition.name.value;
    const needed = rootTypes.has(type) ? (definition.fields ?? []).map((field) => field.name.value) : [];
    const keys = (definition.directives ?? []).filter((directive) => directive.name.value === 'key');
    // A stub of another subgraph's entity is not resolvable.
    if (keys.some((key) => !key.arguments?.some((argument) => argument.name.value === 'resolvable')))
      needed.push('__resolveReference');
    return needed.filter((field) => !Object.hasOwn(resolvers[type] ?? {}, field)).map((field) => `${type}.${field}`);
  });
}
