// The moves of the primary: changes that the hosts made, pending wishes, and wishes that were not granted.
import type { HaMove } from '../platform/process/ha-cluster.ts';
import type { Change } from './agent/keys.ts';
import type { Cluster } from './cluster.ts';

type History = Awaited<ReturnType<Cluster['history']>>;

/** The newest first. */
export function movesOf({ changes, saved, waiting, ungranted }: History): readonly HaMove[] {
  const ordered = changes.toSorted((one, other) => one.epoch - other.epoch);
  const known = new Set(ordered.map(({ id }) => id));
  const made = ordered.map((change, at) => {
    const move = moveOf(change, ordered[at + 1]);
    // Hosts report them when they return.
    const leftBehind = saved.filter(({ epoch }) => epoch === change.epoch);
    return { ...move, version: move.version + leftBehind.length, leftBehind };
  });
  const asked = waiting.map(({ id, to, from, askedAt, acceptedLoss }) => ({
    ...{ id, kind: wishKind(acceptedLoss), state: 'PENDING' as const, reason: null, version: 1 },
    ...{ ...notMade, primary: to, previous: from, acceptedLoss: acceptedLoss ?? null },
    ...{ createdAt: new Date(askedAt), updatedAt: new Date(askedAt), finishedAt: null },
  }));
  const refused = ungranted.map(({ id, to, from, askedAt, acceptedLoss, endedAt, why }) => ({
    ...{ id, kind: wishKind(acceptedLoss), state: 'FAILED' as const, reason: why, version: 2 },
    ...{ ...notMade, primary: to, previous: from, acceptedLoss: acceptedLoss ?? null },
    ...{ createdAt: new Date(askedAt), updatedAt: new Date(endedAt), finishedAt: new Date(endedAt) },
  }));
  // A wish that was granted between two reads appears among the changes.
  return [...made, ...[...asked, ...refused].filter(({ id }) => !known.has(id))].toSorted(newestFirst);
}

const notMade = { epoch: null, startedAt: null, gapMs: null, leftBehind: [] } as const;

function wishKind(acceptedLoss: number | undefined): HaMove['kind'] {
  return acceptedLoss === undefined ? 'SWITCHOVER' : 'LOSSY_PROMOTION';
}

/** `next`: the change after it. */
function moveOf(change: Change, next: Change | undefined): Omit<HaMove, 'leftBehind'> {
  const { id, epoch, primary, previous, cause, askedAt, takenAt, openedAfterMs, acceptedLoss } = change;
  const startedAt = startOf(change);
  const finishedAt = openedAfterMs === undefined ? null : new Date(startedAt.getTime() + openedAfterMs);
  const common = {
    ...{ id, epoch, primary, previous, startedAt, gapMs: openedAfterMs ?? null, acceptedLoss: acceptedLoss ?? null },
    kind: acceptedLoss === undefined && askedAt === undefined ? ('FAILOVER' as const) : wishKind(acceptedLoss),
    createdAt: askedAt === undefined ? startedAt : new Date(askedAt),
  };
  if (finishedAt !== null)
    return { ...common, state: 'SUCCEEDED', reason: cause, version: 3, finishedAt, updatedAt: finishedAt };
  const updatedAt = new Date(takenAt);
  if (next === undefined)
    return { ...common, state: 'RUNNING', reason: cause, version: 2, finishedAt: null, updatedAt };
  const reason = `${cause}; ${primary} did not report that it accepts writes before ${next.primary} took over`;
  const ended = startOf(next);
  return { ...common, state: 'UNKNOWN', reason, version: 3, finishedAt: ended, updatedAt: ended };
}

function startOf({ takenAt, takenAfterMs }: Change): Date {
  return new Date(Date.parse(takenAt) - takenAfterMs);
}

function newestFirst(one: HaMove, other: HaMove): number {
  return other.createdAt.getTime() - one.createdAt.getTime() || (one.id < other.id ? 1 : -1);
}
