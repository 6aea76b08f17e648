// Changes that depend on time are owed work: the engine returns when it must run again.

/** The smallest value that is not null. Null if nothing is due. */
export function soonest(times: readonly (number | null)[]): number | null {
  const due = times.filter((each) => each !== null);
  return due.length === 0 ? null : Math.min(...due);
}
