// What a move of the primary has gone through, in order, with its times. Pure.
import type { HostsMovesQuery } from '../../../../generated/dashboard/graphql.ts';

type Move = HostsMovesQuery['haMoves']['nodes'][number];

interface MoveStep {
  readonly text: string;
  /** Null if it has not happened. */
  readonly at: string | null;
  /** Since the step before. Null for the first, and if either time is not known. */
  readonly afterMs: number | null;
}

type StepsOf = Pick<
  Move,
  'moveKind' | 'state' | 'primaryName' | 'previousName' | 'createdAt' | 'startedAt' | 'finishedAt'
>;

/** Ends with the first step that has not happened. */
export function stepsOf(move: StepsOf): readonly MoveStep[] {
  const { moveKind, state, primaryName: primary, createdAt, startedAt, finishedAt } = move;
  const asked = moveKind === 'FAILOVER' ? [] : [{ text: `requested: ${primary}`, at: createdAt }];
  if (state === 'FAILED') return timed([...asked, { text: 'the hosts did not carry it out', at: finishedAt }]);
  const all = [
    ...asked,
    { text: startedAt === null ? `${primary} takes over` : 'no primary any more', at: startedAt },
    lastStep(move),
  ];
  const open = all.findIndex(({ at }) => at === null);
  return timed(open === -1 ? all : all.slice(0, open + 1));
}

function lastStep({ state, primaryName: primary, finishedAt }: StepsOf): Omit<MoveStep, 'afterMs'> {
  if (state === 'UNKNOWN') return { text: `${primary} did not report accepting writes`, at: finishedAt };
  return finishedAt === null
    ? { text: `${primary} starts accepting writes`, at: null }
    : { text: `${primary} accepts writes`, at: finishedAt };
}

/** Hosts have clocks of their own: a step that seems to be earlier than the one before took no time. */
function timed(steps: readonly Omit<MoveStep, 'afterMs'>[]): readonly MoveStep[] {
  return steps.map(({ text, at }, index) => {
    const before = steps[index - 1]?.at;
    const afterMs = at === null || before == null ? null : Math.max(0, Date.parse(at) - Date.parse(before));
    return { text, at, afterMs };
  });
}
