// Counters of the server since its start.
export function noCounts() {
  return {
    /** All packets received, and how many of them came over TCP. */
    queries: 0,
    overTcp: 0,
    /** By kind of answer. */
    records: 0,
    nodata: 0,
    nxdomain: 0,
    refused: 0,
    malformed: 0,
    failed: 0,
    badCookies: 0,
    /** Answers without all their records. */
    truncated: 0,
    /** Not answered, or only by a truncated answer, for there were too many. */
    limited: 0,
    /** Not answered: no question. */
    dropped: 0,
  };
}

export type Counts = ReturnType<typeof noCounts>;
