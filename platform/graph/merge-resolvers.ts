// Merges the resolvers of a subgraph's features: every feature may add fields to the root types and to the types of other
// features.

/** Field by field; the resolver of a scalar or an enum is used as it is. Throws when two features define the same field. */
export function mergeResolvers<Resolvers extends object>(modules: readonly Resolvers[]): Resolvers {
  const merged: Record<string, object> = {};
  for (const module of modules)
    for (const [type, fields] of Object.entries(module) as [string, object][]) {
      const before = merged[type] ?? {};
      const twice = Object.keys(fields).find((field) => field in before);
      if (twice !== undefined) throw new Error(`two features resolve ${type}.${twice}`);
      merged[type] = type in merged ? { ...before, ...fields } : fields;
    }
  return merged as Resolvers;
}
