// CNAMEs that lead back to themselves. A resolver would follow them until it gives up.

/** `targets`: possible CNAME targets of each name, which may be a wildcard. Undefined if there is no loop. */
export function cnameLoop(targets: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of targets.keys()) {
    // Depth first, without recursion, because a chain may contain all names of the zone.
    const way = [{ name: start, next: 0 }];
    const onWay = new Set([start]);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const target = (targets.get(at.name) ?? [])[at.next];
      at.next += 1;
      const owner = target === undefined ? undefined : ownerOf(target, targets);
      if (target === undefined) {
        done.add(at.name);
        onWay.delete(at.name);
        way.pop();
      } else if (owner !== undefined && onWay.has(owner)) {
        const names = way.map(({ name }) => name);
        return [...names.slice(names.indexOf(owner)), owner];
      } else if (owner !== undefined && !done.has(owner)) {
        way.push({ name: owner, next: 0 });
        onWay.add(owner);
      }
    }
  }
  return undefined;
}

/** The name whose records answer for this one: itself, or the nearest wildcard above it (RFC 4592). */
function ownerOf(name: string, targets: ReadonlyMap<string, unknown>): string | undefined {
  if (targets.has(name)) return name;
  for (let dot = name.indexOf('.'); dot > 0 && dot < name.length - 1; dot = name.indexOf('.', dot + 1)) {
    const wildcard = `*${name.slice(dot)}`;
    if (targets.has(wildcard)) return wildcard;
  }
  return undefined;
}
