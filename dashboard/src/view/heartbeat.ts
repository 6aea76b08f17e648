// How many of a domain's entities were in trouble in each hour, from the stored status changes: they are undone one by one, the newest
// first, from the number that is in trouble now.

export interface Transition {
  readonly changedAt: string;
  /** Null for the first status. */
  readonly from: string | null;
  readonly to: string;
}

export interface Beat {
  readonly startMs: number;
  /** The most that were in trouble at the same time. Null: not known, the changes of that time were not read. */
  readonly inTrouble: number | null;
}

interface History {
  /** Newest first. */
  readonly transitions: readonly Transition[];
  /** Whether there are older ones. */
  readonly hasOlder: boolean;
}

const hourMs = 3_600_000;
const hours = 24;

/** The last 24 hours, the oldest first; the last one is the hour that is under way. */
export function heartbeat(
  inTroubleNow: number,
  { transitions, hasOlder }: History,
  isTrouble: (status: string) => boolean,
  nowMs: number,
): readonly Beat[] {
  const firstMs = Math.floor(nowMs / hourMs) * hourMs - (hours - 1) * hourMs;
  const oldest = transitions.at(-1);
  const knownFromMs = hasOlder && oldest !== undefined ? Date.parse(oldest.changedAt) : firstMs;
  let inTrouble = inTroubleNow;
  let index = 0;
  const beats: Beat[] = [];
  for (let startMs = firstMs + (hours - 1) * hourMs; startMs >= firstMs; startMs -= hourMs) {
    let most = inTrouble;
    for (let change = transitions[index]; change !== undefined; change = transitions[index]) {
      if (Date.parse(change.changedAt) < startMs) break;
      const before = Number(change.from !== null && isTrouble(change.from));
      inTrouble = Math.max(0, inTrouble + before - Number(isTrouble(change.to)));
      most = Math.max(most, inTrouble);
      index += 1;
    }
    beats.unshift({ startMs, inTrouble: startMs + hourMs <= knownFromMs ? null : most });
  }
  return beats;
}

/** When each entity got its present status, as far as that was read. */
export function sinceBySubject(
  transitions: readonly (Transition & { readonly subjectId: string })[],
): ReadonlyMap<string, string> {
  const since = new Map<string, string>();
  for (const { subjectId, changedAt } of transitions) if (!since.has(subjectId)) since.set(subjectId, changedAt);
  return since;
}
