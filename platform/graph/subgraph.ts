// What a subgraph is to those who run it: a name, an executable schema, and parts that start and stop with it.
import type { GraphQLSchema } from 'graphql';

export interface Subgraph {
  /** Its name in the supergraph, for example relay. */
  readonly name: string;
  /** Executable federation subgraph schema; resolvers take a `RequestContext`. */
  readonly schema: GraphQLSchema;
}

/** Key of a subscription event's `extensions` entry that carries its cursor (opaque text), set by each subgraph for fan-out and resumption. */
export const cursorExtension = 'tidegateCursor';
