// In quiet mode a mutation is refused before its resolver runs: some reach a device or a cluster before they write.
import type { GraphQLSchema } from 'graphql';
import { quietMode } from '../errors/errors.ts';

/** They keep sessions, which are in memory then. */
const ofSessions: ReadonlySet<string> = new Set(['login', 'sessionStart', 'sessionRefresh', 'logout']);

/** Changes the schema. */
export function refuseMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {}))
    if (!ofSessions.has(field.name)) field.resolve = () => ({ userErrors: [quietMode()] });
}
