// Compares a trial's acknowledgements with the contents of the servers at the end.

export interface Acknowledgement {
  readonly host: string;
  readonly key: string;
  readonly sentMs: number;
  readonly answeredMs: number;
  /** For an engine without epochs: the members of the cluster according to the host, after the answer. */
  readonly view?: string;
}

export interface Row {
  readonly epoch: number;
  readonly server: number;
}

interface Judgement {
  readonly acknowledged: number;
  /** Writes that were acknowledged but are not on the primary at the end. */
  readonly lost: readonly string[];
  /** Rows that only one of the hosts has at the end. */
  readonly wrongReplication: number;
  /** Writes that were acknowledged in an epoch after a later epoch had acknowledged, or alternately by hosts with different views of the members. */
  readonly dualAcknowledged: number;
  /** Longest time without any acknowledged write. */
  readonly longestGapMs: number;
}

/** `rows`: the rows of the primary. `copy`: the rows of the other host. */
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
  let dualAcknowledged = apart(told);
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

/**
 * Counts acknowledgements by one host between two by the other one, if their views of the members differ both times. Hosts of one group
 * take a new view in the same order as writes, so none answers in the old view once another has answered in the new one.
 */
function apart(told: readonly Acknowledgement[]): number {
  const seen = told.filter(({ view }) => view !== undefined);
  const bySent = [...seen].sort((one, other) => one.sentMs - other.sentMs);
  const last = new Map<string, Acknowledgement>();
  let found = 0;
  for (const between of [...seen].sort((one, other) => one.answeredMs - other.answeredMs)) {
    for (const [host, before] of last) {
      if (host === between.host || before.view === between.view) continue;
      const after = firstSent(bySent, between.answeredMs, host);
      if (after?.view === before.view) found += 1;
    }
    last.set(between.host, between);
  }
  return found;
}

/** The first one from that host that was sent later. */
function firstSent(bySent: readonly Acknowledgement[], ms: number, host: string): Acknowledgement | undefined {
  let [from, to] = [0, bySent.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((bySent[middle]?.sentMs ?? 0) > ms) to = middle;
    else from = middle + 1;
  }
  while (from < bySent.length && bySent[from]?.host !== host) from += 1;
  return bySent[from];
}

function longestGap(byAnswer: readonly Acknowledgement[]): number {
  let longest = 0;
  for (let at = 1; at < byAnswer.length; at += 1)
    longest = Math.max(longest, (byAnswer[at]?.answeredMs ?? 0) - (byAnswer[at - 1]?.answeredMs ?? 0));
  return Math.round(longest);
}

/** The longest time during which both were writable, from samples of each: [at, writable]. */
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
