// A subgraph as seen by the process that runs it: a name and an executable schema. Each field of its type Subscription takes
// `after` and gives items with a `cursor` (docs/decisions/0002).
import type { GraphQLSchema } from 'graphql';

export interface Subgraph {
  /** Its name in the supergraph, for example relay. */
  readonly name: string;
  /** Executable federation subgraph schema; resolvers take a `RequestContext`. */
  readonly schema: GraphQLSchema;
}
