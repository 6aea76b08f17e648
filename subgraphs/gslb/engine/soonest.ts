// What time decides is owed work: the engine says when it must look again.

/** The smallest of those that are not null; null: nothing is due. */
export function soonest(times: readonly (number | null)[]): number | null {
  const due = times.filter((each) => each !== null);
  return due.length === 0 ? null : Math.min(...due);
}
