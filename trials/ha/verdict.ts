// Compares a trial's acknowledgements with what the servers hold at the end.

export interface Acknowledgement {
  readonly host: string;
  readonly key: string;
  readonly sentMs: number;
  readonly answeredMs: number;
}

export interface Row {
  readonly epoch: number;
  readonly server: number;
}

interface Judgement {
  readonly acknowledged: number;
  /** Acknowledged, but not at the primary at the end. */
  readonly lost: readonly string[];
  /** Rows that only one of the two hosts has at the end. */
  readonly wrongReplication: number;
  /** Acknowledged in an epoch after a later one had acknowledged. */
  readonly dualAcknowledged: number;
  /** Longest time without any acknowledged write. */
  readonly longestGapMs: number;
}

/** `rows`: of the primary. `copy`: of the other host. */
export function judge(
  told: readonly Acknowledgement[],
  rows: ReadonlyMap<string, Row>,
  copy: ReadonlyMap<string, Row>,
): Judgement {
  const lost = told.filter(({ key }) => !rows.has(key)).map(({ key }) => key);
  const onlyIn = (one: ReadonlyMap<string, Row>, other: ReadonlyMap<string, Row>) =>
    [...one.keys()].filter((key) => !other.has(key)).length;
  const wrongReplication = onlyIn(rows, copy) + onlyIn(copy, rows);
  const byAnswer = [...told].sort((one, other) => one.answeredMs - other.answeredMs);
  let dualAcknowledged = 0;
  // The newest epoch that had answered when it was sent.
  const bySent = [...told].sort((one, other) => one.sentMs - other.sentMs);
  let [at, newest] = [0, 0];
  for (const each of bySent) {
    while (at < byAnswer.length && (byAnswer[at]?.answeredMs ?? 0) < each.sentMs) {
      newest = Math.max(newest, rows.get(byAnswer[at]?.key ?? '')?.epoch ?? 0);
      at += 1;
    }
    const epoch = rows.get(each.key)?.epoch;
    if (epoch !== undefined && epoch < newest) dualAcknowledged += 1;
  }
  return { acknowledged: told.length, lost, wrongReplication, dualAcknowledged, longestGapMs: longestGap(byAnswer) };
}

function longestGap(byAnswer: readonly Acknowledgement[]): number {
  let longest = 0;
  for (let at = 1; at < byAnswer.length; at += 1)
    longest = Math.max(longest, (byAnswer[at]?.answeredMs ?? 0) - (byAnswer[at - 1]?.answeredMs ?? 0));
  return Math.round(longest);
}

/** Longest time in which both were writable, from samples of each: [at, writable]. */
export function overlapMs(samples: Readonly<Record<string, readonly (readonly [number, boolean])[]>>): number {
  const all = Object.entries(samples)
    .flatMap(([host, own]) => own.map(([atMs, writable]) => ({ host, atMs, writable })))
    .sort((one, other) => one.atMs - other.atMs);
  const writable = new Set<string>();
  let [longest, sinceMs] = [0, undefined as number | undefined];
  for (const each of all) {
    if (each.writable) writable.add(each.host);
    else writable.delete(each.host);
    if (writable.size < 2) sinceMs = undefined;
    else {
      sinceMs ??= each.atMs;
      longest = Math.max(longest, each.atMs - sinceMs);
    }
  }
  return Math.round(longest);
}
