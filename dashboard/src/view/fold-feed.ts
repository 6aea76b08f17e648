// Folds changes that belong together: one scaling of a load balancer is one entry of the list, and not one for each step of each node. Pure.
import type { FeedLine } from '../live/live-state.ts';
import { changeWords } from './event-words.ts';
import { formatDuration, formatWord } from './format.ts';

export type ChangeLine = Extract<FeedLine, { type: 'change' }>;

/** Changes of one object and its parts, newest first: at least `leastFolded`. */
export interface Fold {
  readonly type: 'fold';
  readonly id: string;
  readonly lines: readonly ChangeLine[];
}

/** Fewer are shown as they are. */
const leastFolded = 3;
/** A change that comes later begins another entry. */
const gapMs = 60_000;

/** The object that a change belongs to: its subject, or what that is a part of. */
export function ownerOf({ ownerId, change }: ChangeLine): string {
  return ownerId ?? change.subjectId;
}

/** Both newest first. An entry stands where its newest change does. */
export function foldFeed(lines: readonly FeedLine[]): readonly (FeedLine | Fold)[] {
  const open = new Map<string, ChangeLine[]>();
  const groups = new Map<FeedLine, readonly ChangeLine[]>();
  for (const line of lines) {
    if (line.type === 'note') {
      open.clear();
      continue;
    }
    const owner = ownerOf(line);
    const last = open.get(owner);
    const isNext = last !== undefined && atMs(last.at(-1)) - atMs(line) <= gapMs;
    const group = isNext ? last : [];
    group.push(line);
    open.set(owner, group);
    groups.set(line, group);
  }
  return lines.flatMap((line): readonly (FeedLine | Fold)[] => {
    const group = groups.get(line) ?? [];
    if (group.length < leastFolded) return [line];
    // Its oldest change names it: it stays open when newer ones come.
    return group[0] === line ? [{ type: 'fold', id: group.at(-1)?.id ?? line.id, lines: group }] : [];
  });
}

function atMs(line: ChangeLine | undefined): number {
  return line === undefined ? Number.NaN : Date.parse(line.change.changedAt);
}

/** `2 → 6 nodes, degraded for 2 s`. */
export function foldWords(newestFirst: readonly ChangeLine[]): string {
  const lines = newestFirst.toReversed();
  const words = [...nodeWords(lines), ...statusWords(lines)];
  const [newest] = newestFirst;
  if (words.length > 0 || newest === undefined) return words.join(', ');
  const { to } = changeWords(newest.change, newest.change.kind);
  return newest.change.subjectId === ownerOf(newest) ? to : `${newest.label} ${to}`;
}

/** How autoscaling begins its reason. */
const fromTo = /^(\d+) to (\d+) nodes/;

function nodeWords(lines: readonly ChangeLine[]): readonly string[] {
  const scaled = lines.flatMap(({ change: { kind, reason } }) =>
    kind === 'autoscalingPolicy.decision' ? [fromTo.exec(reason ?? '')] : [],
  );
  const [from, to] = [scaled[0]?.[1], scaled.at(-1)?.[2]];
  if (from !== undefined && to !== undefined) return [`${from} → ${to} nodes`];
  const nodesTo = (...states: readonly string[]) =>
    new Set(
      lines.flatMap(({ change: { kind, to: state, subjectId } }) =>
        kind === 'loadBalancerNode.state' && states.includes(state) ? [subjectId] : [],
      ),
    ).size;
  const counted = (count: number, what: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? 'node' : 'nodes'} ${what}`];
  return [...counted(nodesTo('SERVING'), 'added'), ...counted(nodesTo('DELETING', 'DELETED'), 'removed')];
}

/** How long the object itself was in each status that it left, and the one that it has now unless that is a good one. */
function statusWords(lines: readonly ChangeLine[]): readonly string[] {
  const own = lines.filter((line) => line.change.subjectId === ownerOf(line) && isStatus(line.change.kind));
  return own.flatMap((line, index): readonly string[] => {
    const { to } = line.change;
    const next = own[index + 1];
    if (next !== undefined && next.change.to === to) return [];
    if (next === undefined) return to === 'ONLINE' && index > 0 ? [] : [formatWord(to)];
    return to === 'ONLINE' ? [] : [`${formatWord(to)} for ${formatDuration(atMs(next) - atMs(line))}`];
  });
}

function isStatus(kind: string): boolean {
  return kind.endsWith('.operatingStatus');
}
