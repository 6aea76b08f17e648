// Counters of the server since its start.
export function noCounts() {
  return {
    /** Received packets, and those of them over TCP. */
    queries: 0,
    overTcp: 0,
    /** Answers by kind. */
    records: 0,
    nodata: 0,
    nxdomain: 0,
    refused: 0,
    malformed: 0,
    failed: 0,
    badCookies: 0,
    /** Truncated answers. */
    truncated: 0,
    /** UDP queries with a valid cookie. */
    proven: 0,
    /** Answers beyond a network's rate, and how many of them were truncated or had a cookie. The others were dropped. */
    limited: 0,
    slipped: 0,
    /** Packets without a question, which get no answer. */
    dropped: 0,
  };
}

export type Counts = ReturnType<typeof noCounts>;
