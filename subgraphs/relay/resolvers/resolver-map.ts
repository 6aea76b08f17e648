// The type of a subgraph's resolver map, as buildSubgraphSchema takes it.
import type { buildSubgraphSchema } from '@apollo/subgraph';

type Module = Exclude<
  Extract<Parameters<typeof buildSubgraphSchema>[0], readonly unknown[]>[number],
  { kind: unknown }
>;
export type IResolvers = NonNullable<Extract<Module, { resolvers?: unknown }>['resolvers']>;
