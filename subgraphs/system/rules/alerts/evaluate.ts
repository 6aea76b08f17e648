// The life of an alert. A rule has one for each subject that has been in its condition for long enough, until the subject has left the condition for
// long enough. So a flapping subject has a single alert. Times are steady (steady-time.ts), but ends of subjects are dates.
import {
  type AlertCondition,
  type AlertState,
  mostOpenAlerts,
  mostOpenAlertsOfOwner,
  mostOpenAlertsOfProject,
} from '../../spec/alert-conditions.ts';

export interface WatchedRule {
  readonly id: string;
  /** UUID. Null if it watches the whole installation. */
  readonly projectId: string | null;
  readonly condition: AlertCondition;
  readonly enabled: boolean;
  readonly lastsMs: number;
  readonly withinMs: number | null;
  readonly resolveAfterMs: number;
  /** Null if a firing alert is sent once. */
  readonly repeatMs: number | null;
  /** The only subject (UUID) that it watches. Null for all. */
  readonly subjectId: string | null;
}

/** A subject in a condition. */
export interface StandingSignal {
  readonly condition: AlertCondition;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly projectId: string | null;
  readonly sinceMs: number;
  /** When the subject ends: Unix milliseconds. */
  readonly endsAtMs: number | null;
}

export interface OpenAlert {
  readonly id: string;
  readonly ruleId: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly state: Exclude<AlertState, 'RESOLVED'>;
  /** Since when the subject is out of the condition. Null while it is in it. */
  readonly clearSinceMs: number | null;
  readonly toldMs: number;
}

export type AlertAction<Signal extends StandingSignal = StandingSignal> =
  | { readonly kind: 'FIRE'; readonly rule: WatchedRule; readonly signal: Signal }
  | { readonly kind: 'CLEAR' | 'RETURN' | 'REPEAT'; readonly alert: OpenAlert; readonly atMs: number }
  | { readonly kind: 'RESOLVE'; readonly alert: OpenAlert; readonly reason: string | null };

export interface Evaluation<Signal extends StandingSignal> {
  /** The projects that own the rules take turns. Only the first actions are carried out now. */
  readonly actions: readonly AlertAction<Signal>[];
  /** The earliest steady time at which another evaluation may find more to do. Infinity: after the next event. */
  readonly nextMs: number;
}

interface Situation<Signal extends StandingSignal> {
  readonly rules: readonly WatchedRule[];
  readonly signals: readonly Signal[];
  readonly alerts: readonly OpenAlert[];
  /** Keys (`endedKey`) of rules and subjects whose alerts were ended by hand while the signal stands. */
  readonly ended: ReadonlySet<string>;
  readonly steadyMs: number;
  /** The database's clock, for ends: Unix milliseconds. */
  readonly nowMs: number;
}

export function evaluate<Signal extends StandingSignal>(situation: Situation<Signal>): Evaluation<Signal> {
  const { rules, signals, alerts } = situation;
  const due = new Due(situation);
  const byCondition = Map.groupBy(signals, ({ condition }) => condition);
  const openByRule = Map.groupBy(alerts, ({ ruleId }) => ruleId);
  const byOwner = ownersOf<Signal>(rules, openByRule);
  for (const rule of rules) {
    const owner = byOwner.get(rule.projectId) as Owner<Signal>;
    const open = new Map((openByRule.get(rule.id) ?? []).map((alert) => [subjectKey(alert), alert]));
    openByRule.delete(rule.id);
    const watched = rule.enabled ? (byCondition.get(rule.condition) ?? []).filter((each) => watches(rule, each)) : [];
    const room = new Room(rule, open.size, owner);
    for (const signal of watched) if (open.has(subjectKey(signal))) room.note(signal);
    const standing = new Set<string>();
    for (const signal of watched) {
      const alert = open.get(subjectKey(signal));
      if (alert === undefined && situation.ended.has(endedKey(rule.id, signal))) continue;
      // If `restarts` is true, the wait may begin again while an alert is open: after a check-in, or when the rule of an expiry changes.
      if ((alert === undefined || restarts(rule)) && !due.isFor(rule, signal)) continue;
      if (alert === undefined && room.take(signal)) owner.actions.push({ kind: 'FIRE', rule, signal });
      standing.add(subjectKey(signal));
    }
    for (const [key, alert] of open) {
      const action = standing.has(key) ? whileStanding(rule, alert, due) : onceClear(rule, alert, due);
      if (action !== undefined) owner.actions.push(action);
    }
  }
  const orphans = [...openByRule.values()].flat();
  const ends = orphans.map((alert) => ({ kind: 'RESOLVE', alert, reason: 'the rule was deleted' }) as const);
  const lists = [...byOwner.values()].map(({ actions }) => actions);
  return { actions: inTurns<AlertAction<Signal>>([...lists, ends]), nextMs: due.nextMs };
}

/** The actions that are due now, and the time of the next evaluation. */
class Due {
  readonly steadyMs: number;
  readonly #nowMs: number;
  nextMs = Number.POSITIVE_INFINITY;

  constructor({ steadyMs, nowMs }: { readonly steadyMs: number; readonly nowMs: number }) {
    this.steadyMs = steadyMs;
    this.#nowMs = nowMs;
  }

  isAt(atMs: number): boolean {
    if (atMs <= this.steadyMs) return true;
    this.nextMs = Math.min(this.nextMs, atMs);
    return false;
  }

  isFor({ withinMs, lastsMs }: WatchedRule, { endsAtMs, sinceMs }: StandingSignal): boolean {
    if (endsAtMs === null || withinMs === null) return this.isAt(sinceMs + lastsMs);
    return this.isAt(this.steadyMs + Math.max(0, endsAtMs - withinMs - this.#nowMs));
  }
}

function ownersOf<Signal extends StandingSignal>(
  rules: readonly WatchedRule[],
  openByRule: ReadonlyMap<string, readonly OpenAlert[]>,
): Map<string | null, Owner<Signal>> {
  const byOwner = new Map<string | null, Owner<Signal>>();
  for (const { id, projectId } of rules) {
    const most = projectId === null ? Number.POSITIVE_INFINITY : mostOpenAlertsOfOwner;
    const owner = byOwner.get(projectId) ?? { actions: [], left: most };
    owner.left -= openByRule.get(id)?.length ?? 0;
    byOwner.set(projectId, owner);
  }
  return byOwner;
}

function whileStanding(rule: WatchedRule, alert: OpenAlert, due: Due): AlertAction<never> | undefined {
  if (alert.clearSinceMs !== null) return { kind: 'RETURN', alert, atMs: due.steadyMs };
  const isRepeated = alert.state === 'FIRING' && rule.repeatMs !== null && due.isAt(alert.toldMs + rule.repeatMs);
  return isRepeated ? { kind: 'REPEAT', alert, atMs: due.steadyMs } : undefined;
}

function onceClear(rule: WatchedRule, alert: OpenAlert, due: Due): AlertAction<never> | undefined {
  if (!rule.enabled) return { kind: 'RESOLVE', alert, reason: 'the rule was disabled' };
  if (rule.resolveAfterMs === 0) return { kind: 'RESOLVE', alert, reason: null };
  const sinceMs = alert.clearSinceMs ?? due.steadyMs;
  const isOver = due.isAt(sinceMs + rule.resolveAfterMs);
  if (alert.clearSinceMs === null) return { kind: 'CLEAR', alert, atMs: due.steadyMs };
  return isOver ? { kind: 'RESOLVE', alert, reason: null } : undefined;
}

/** The first item of each list, then the second of each, and so on. */
function inTurns<Item>(lists: readonly (readonly Item[])[]): readonly Item[] {
  const items: Item[] = [];
  let left = lists.filter((list) => list.length > 0);
  for (let at = 0; left.length > 0; at += 1) {
    items.push(...left.map((list) => list[at] as Item));
    left = left.filter((list) => list.length > at + 1);
  }
  return items;
}

/** A project with rules, or the installation. */
interface Owner<Signal extends StandingSignal> {
  readonly actions: AlertAction<Signal>[];
  /** How many more alerts it may have open. */
  left: number;
}

/** How many more subjects may fire for a rule. */
class Room {
  readonly #owner: { left: number };
  readonly #ofProject: number;
  readonly #counts = new Map<string | null, number>();
  #left: number;

  constructor({ projectId }: WatchedRule, open: number, owner: { left: number }) {
    this.#owner = owner;
    this.#left = mostOpenAlerts - open;
    this.#ofProject = projectId === null ? mostOpenAlertsOfProject : mostOpenAlerts;
  }

  /** The subject has an alert. */
  note({ projectId }: StandingSignal): void {
    this.#counts.set(projectId, (this.#counts.get(projectId) ?? 0) + 1);
  }

  /** Returns false if there is none. */
  take(signal: StandingSignal): boolean {
    const isFull = signal.projectId !== null && (this.#counts.get(signal.projectId) ?? 0) >= this.#ofProject;
    if (this.#left <= 0 || this.#owner.left <= 0 || isFull) return false;
    this.#left -= 1;
    this.#owner.left -= 1;
    this.note(signal);
    return true;
  }
}

/** Key of a rule's alert for a subject. */
export function endedKey(ruleId: string, subject: { subjectType: string; subjectId: string }): string {
  return `${ruleId}/${subjectKey(subject)}`;
}

function subjectKey({ subjectType, subjectId }: { subjectType: string; subjectId: string }): string {
  return `${subjectType}/${subjectId}`;
}

function watches(rule: WatchedRule, { projectId, subjectId, condition }: StandingSignal): boolean {
  if (condition === 'CHECK_IN_LATE') return subjectId === rule.id;
  if (rule.projectId !== null && rule.projectId !== projectId) return false;
  return rule.subjectId === null || rule.subjectId === subjectId;
}

/** Signals of these conditions exist permanently, and only time decides. */
function restarts({ condition }: WatchedRule): boolean {
  return condition === 'CHECK_IN_LATE' || condition === 'CERTIFICATE_EXPIRES';
}
