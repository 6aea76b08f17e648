// Decides the number of nodes from figures and earlier decisions. Pure: the same state gives the same decision. The algorithm is that of
// Kubernetes' horizontal pod autoscaler (replica_calculator.go, horizontal.go; behaviour of autoscaling/v2).
import { mostChanges, mostInHistory, type ScalingAction, type ScalingPolicy } from './scaling-policy.ts';
import type { Bounds } from './schedule.ts';

export interface NodeFigure {
  /** UUID of the node. Null for a wanted node that does not exist yet. */
  readonly nodeId: string | null;
  /** The node's name. Null for a wanted node that does not exist yet. */
  readonly node: string | null;
  /** 100: as much as it can carry. Null if it reported nothing recently. */
  readonly percent: number | null;
  /** Time of the measurement, RFC 3339. */
  readonly at: string | null;
  /** It does not serve yet, or has served for less than the policy's `warmUpMs`. */
  readonly warming: boolean;
}

export interface PastDecision {
  readonly atMs: number;
  readonly action: ScalingAction;
  readonly fromNodes: number;
  readonly toNodes: number;
  /** The number that the figures alone recommended. */
  readonly recommended: number;
  /** The decision changed nothing. */
  readonly dryRun: boolean;
}

export interface ScalingState {
  readonly nowMs: number;
  readonly policy: ScalingPolicy;
  readonly bounds: Bounds;
  /** The wanted number of nodes. */
  readonly current: number;
  /** One for each wanted node. */
  readonly figures: readonly NodeFigure[];
  /** Oldest first, selected by `historyOf`. */
  readonly past: readonly PastDecision[];
}

interface ScalingVerdict {
  readonly action: ScalingAction;
  readonly toNodes: number;
  readonly recommended: number;
  /** A sentence for people. */
  readonly reason: string;
}

/** Upper bound of the recommended number of nodes, in case figures are wrong. */
const mostRecommended = 1_000;
const growWindowMs = 15_000;
const shrinkWindowMs = 60_000;
/** A pause between decisions longer than this many periods is a gap. */
const gapPeriods = 4;
const leastGapMs = 60_000;

/** How far back decisions matter. */
export function historyMs({ downWindowMs, cooldownMs }: ScalingPolicy): number {
  return Math.max(downWindowMs, cooldownMs, shrinkWindowMs);
}

/**
 * The earlier decisions that matter for the next one (oldest first): those within `historyMs`, the last one before, which proves that the
 * whole window was observed, and the last changes. `pastDecisions` reads the same from the database; a test compares the two.
 */
export function historyOf<Decision extends Pick<PastDecision, 'atMs' | 'action'>>(
  all: readonly Decision[],
  nowMs: number,
  policy: ScalingPolicy,
): Decision[] {
  const beginMs = nowMs - historyMs(policy);
  const chosen = new Set([
    ...all.filter(({ atMs }) => atMs > beginMs).slice(-mostInHistory),
    ...all.filter(({ atMs }) => atMs <= beginMs).slice(-1),
    ...all.filter(({ action }) => action !== 'KEEP').slice(-mostChanges),
  ]);
  return all.filter((each) => chosen.has(each));
}

export function decide(given: ScalingState): ScalingVerdict {
  // Decisions of the future were made before the clock was set back: they would count as recent until the clock has come that far again.
  const state = { ...given, past: given.past.filter(({ atMs }) => atMs <= given.nowMs) };
  const { current, bounds } = state;
  const measured = recommend(state);
  const changed = measured.count > current ? grow(state, measured) : shrink(state, measured);
  const toNodes = Math.min(Math.max(changed.count, bounds.min), bounds.max);
  const reasons = [measured.reason, ...changed.reasons];
  if (toNodes !== changed.count) reasons.push(boundWords(bounds, changed.count));
  const action = toNodes > current ? 'GROW' : toNodes < current ? 'SHRINK' : 'KEEP';
  return { action, toNodes, recommended: measured.count, reason: reasons.join('; ') };
}

interface Recommended {
  readonly count: number;
  readonly reason: string;
}

/** The recommendation from the figures alone. */
function recommend({ policy, figures, current }: ScalingState): Recommended {
  const { targetPercent, tolerancePercent } = policy;
  const ready = figures.filter(({ warming }) => !warming);
  const known = ready.flatMap(({ percent }) => (percent === null ? [] : [percent]));
  const missing = ready.length - known.length;
  const warming = figures.length - ready.length;
  if (known.length === 0) return { count: current, reason: 'no node reported figures' };
  const sum = known.reduce((total, percent) => total + percent, 0);
  const average = sum / known.length;
  const grows = average > targetPercent;
  const told = `${known.length} ${known.length === 1 ? 'node is' : 'nodes are'} at ${average.toFixed(1)} percent on average, the target is ${targetPercent}`;
  // Missing figures count against the direction: as full when shrinking, as empty when growing. Nodes that are warming up will take load
  // soon.
  const assumed = grows ? 0 : missing * 100;
  const counted = known.length + missing + (grows ? warming : 0);
  const adjusted = (sum + assumed) / counted;
  const words = [told];
  if (missing > 0)
    words.push(`${missing} without figures ${missing === 1 ? 'counts' : 'count'} as ${grows ? 'empty' : 'full'}`);
  if (grows && warming > 0) words.push(`${warming} warming up count as empty`);
  if (isWithin(adjusted, targetPercent, tolerancePercent))
    return { count: current, reason: `${words.join(', ')}: within ${tolerancePercent} percent of it` };
  if (adjusted > targetPercent !== grows)
    return { count: current, reason: `${words.join(', ')}: that would reverse the direction` };
  // A ratio of floating-point numbers may be slightly above a whole number.
  const needed = Math.min(Math.max(Math.ceil((adjusted * counted) / targetPercent - 1e-9), 0), mostRecommended);
  // There may be fewer or more nodes with figures than wanted nodes.
  if (grows ? needed < current : needed > current)
    return { count: current, reason: `${words.join(', ')}: other nodes already carry that` };
  return { count: needed, reason: `${words.join(', ')}; needs ${needed}` };
}

function isWithin(percent: number, target: number, tolerancePercent: number): boolean {
  return Math.abs(percent / target - 1) * 100 <= tolerancePercent + 1e-9;
}

interface Limited {
  readonly count: number;
  /** The limits that applied. */
  readonly reasons: readonly string[];
}

function grow(state: ScalingState, { count }: Recommended): Limited {
  const { current, policy, nowMs } = state;
  const turnedMs = lastTurnToShrinking(state);
  if (turnedMs !== undefined && nowMs - turnedMs < policy.cooldownMs)
    return { count: current, reasons: [`cooldown: the number began to fall ${ago(nowMs - turnedMs)} ago`] };
  const added = changesSince(state, growWindowMs, 'GROW');
  const before = Math.max(current - added, 0);
  const most = Math.max(current, before + Math.max(before, 4));
  if (count <= most) return { count, reasons: [] };
  return { count: most, reasons: [`limited to +${most - before} per 15 s`] };
}

function shrink(state: ScalingState, { count }: Recommended): Limited {
  const { current, policy, nowMs } = state;
  if (count >= current) return { count: current, reasons: [] };
  const held = Math.min(largestRecommendation(state, count), current);
  const reasons =
    held > count ? [`${held} were recommended within the last ${seconds(policy.downWindowMs)} seconds`] : [];
  if (held === current) return { count: current, reasons };
  const grown = changes(state).findLast(({ action }) => action === 'GROW');
  if (grown !== undefined && nowMs - grown.atMs < policy.cooldownMs)
    return { count: current, reasons: [...reasons, `cooldown: nodes were added ${ago(nowMs - grown.atMs)} ago`] };
  const removed = changesSince(state, shrinkWindowMs, 'SHRINK');
  const allowed = Math.max(Math.max(1, Math.floor((current + removed) / 4)) - removed, 0);
  if (current - held <= allowed) return { count: held, reasons };
  return { count: current - allowed, reasons: [...reasons, `limited to -${removed + allowed} per minute`] };
}

/**
 * The largest recommendation of the window. While the window has not been observed without a gap, the number at the start of the
 * observation counts as recommended: missing knowledge is no reason to shrink.
 */
function largestRecommendation({ policy, past, nowMs, current }: ScalingState, now: number): number {
  const beginMs = nowMs - policy.downWindowMs;
  const gapMs = Math.max(gapPeriods * policy.periodMs, leastGapMs);
  let largest = now;
  let watchedMs = nowMs;
  let began = current;
  for (const { atMs, recommended, fromNodes } of past.toReversed()) {
    if (watchedMs - atMs > gapMs) break;
    watchedMs = atMs;
    if (atMs < beginMs) break;
    began = fromNodes;
    largest = Math.max(largest, recommended);
  }
  return watchedMs > beginMs ? Math.max(largest, began) : largest;
}

/** When the number started to fall after it had risen. Undefined if it rose last, or never did. */
function lastTurnToShrinking(state: ScalingState): number | undefined {
  let turnedMs: number | undefined;
  for (const { action, atMs } of changes(state).toReversed()) {
    if (action === 'GROW') return turnedMs;
    turnedMs = atMs;
  }
  return undefined;
}

function changes({ past }: ScalingState): PastDecision[] {
  return past.filter(({ action, dryRun }) => action !== 'KEEP' && !dryRun);
}

/** By how many nodes the number rose or fell recently. */
function changesSince(state: ScalingState, windowMs: number, action: 'GROW' | 'SHRINK'): number {
  return changes(state)
    .filter((each) => each.action === action && state.nowMs - each.atMs < windowMs)
    .reduce((total, { fromNodes, toNodes }) => total + Math.abs(toNodes - fromNodes), 0);
}

function boundWords({ min, max, window }: Bounds, count: number): string {
  const when = window === undefined ? '' : ` from ${window.from} to ${window.to}`;
  return count < min ? `at least ${min}${when}` : `at most ${max}${when}`;
}

function ago(ms: number): string {
  return `${seconds(ms)} seconds`;
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
