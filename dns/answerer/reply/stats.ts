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
    /** Over UDP with a valid cookie. */
    proven: 0,
    /** Beyond the rate of a network, and how many of them got a truncated answer or a cookie. The others got nothing. */
    limited: 0,
    slipped: 0,
    /** Not answered: no question. */
    dropped: 0,
  };
}

export type Counts = ReturnType<typeof noCounts>;
