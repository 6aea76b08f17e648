// What a change of the graph means to its clients.
import { findBreakingChanges, findDangerousChanges, type GraphQLSchema } from 'graphql';

/**
 * Changes that break clients, and defaults that changed, by which the same request does something else. Clients must accept what
 * else graphql-js calls dangerous: new values, types of a union, and optional inputs.
 */
export function clientChanges(
  before: GraphQLSchema,
  after: GraphQLSchema,
): { readonly breaking: readonly string[]; readonly defaults: readonly string[] } {
  const defaults = findDangerousChanges(before, after).filter(({ type }) => type === 'ARG_DEFAULT_VALUE_CHANGE');
  const told = (changes: readonly { readonly description: string }[]) => changes.map(({ description }) => description);
  return { breaking: told(findBreakingChanges(before, after)), defaults: told(defaults) };
}
