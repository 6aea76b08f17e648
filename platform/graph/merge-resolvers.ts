// A subgraph's resolvers come from its features: the root types' fields from all of them, another type's from the feature whose
// type it is and from those that add to it.

/** Field by field; a scalar's or an enum's resolver is taken as it is. Throws when two features give the same field. */
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
