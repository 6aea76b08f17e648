// The name that was probably meant: for messages about a name that is not known.

/** A name longer than this is compared with none: the work grows with the product of the lengths. */
const longest = 255;

/** The nearest of the names if it is near enough to be meant: a third of its letters may be wrong. Undefined if none is. */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let least = Math.min(4, Math.max(1, Math.floor(wanted.length / 3))) + 1;
  for (const name of names) {
    if (name === given || name.length > longest || wanted.length > longest) continue;
    if (Math.abs(name.length - wanted.length) >= least) continue;
    const edits = editsBetween(wanted, name.toLowerCase());
    if (edits >= least) continue;
    least = edits;
    best = name;
  }
  return best;
}

/** How many letters must be added, removed, replaced or exchanged with their neighbour. */
function editsBetween(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const replaced = (last[column - 1] ?? 0) + (isSame ? 0 : 1);
      let edits = Math.min(replaced, (last[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1);
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1])
        edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      next.push(edits);
    }
    beforeLast = last;
    last = next;
  }
  return last[to.length] ?? 0;
}
