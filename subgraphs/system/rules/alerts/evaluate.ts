// The life of an alert. One exists for each rule and subject that is in the rule's condition for long enough, until it has left the
// condition for long enough: so a subject that flaps has one alert. Times are steady (steady-time.ts), but ends of subjects are
// dates.
import { type AlertCondition, type AlertState, mostOpenAlerts } from '../../spec/alert-conditions.ts';

export interface WatchedRule {
  readonly id: string;
  /** UUID. Null if it watches the whole installation. */
  readonly projectId: string | null;
  readonly condition: AlertCondition;
  readonly enabled: boolean;
  readonly lastsMs: number;
  readonly withinMs: number | null;
  readonly resolveAfterMs: number;
  /** Null: a firing alert is told once. */
  readonly repeatMs: number | null;
  /** The only subject (UUID) that it watches. Null: all. */
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
  readonly actions: readonly AlertAction<Signal>[];
  /** The earliest steady time at which another evaluation may find more to do. Infinity: after the next event. */
  readonly nextMs: number;
}

interface Situation<Signal extends StandingSignal> {
  readonly rules: readonly WatchedRule[];
  readonly signals: readonly Signal[];
  readonly alerts: readonly OpenAlert[];
  readonly steadyMs: number;
  /** The database's clock, for ends: Unix milliseconds. */
  readonly nowMs: number;
}

export function evaluate<Signal extends StandingSignal>(situation: Situation<Signal>): Evaluation<Signal> {
  const { rules, signals, alerts, steadyMs, nowMs } = situation;
  const actions: AlertAction<Signal>[] = [];
  let nextMs = Number.POSITIVE_INFINITY;
  const isDueAt = (atMs: number) => {
    if (atMs <= steadyMs) return true;
    nextMs = Math.min(nextMs, atMs);
    return false;
  };
  const dueMs = (rule: WatchedRule, signal: Signal) =>
    signal.endsAtMs === null || rule.withinMs === null
      ? signal.sinceMs + rule.lastsMs
      : steadyMs + Math.max(0, signal.endsAtMs - rule.withinMs - nowMs);
  const byCondition = Map.groupBy(signals, ({ condition }) => condition);
  const openByRule = Map.groupBy(alerts, ({ ruleId }) => ruleId);
  for (const rule of rules) {
    const open = new Map((openByRule.get(rule.id) ?? []).map((alert) => [subjectKey(alert), alert]));
    openByRule.delete(rule.id);
    const standing = new Set<string>();
    let room = mostOpenAlerts - open.size;
    for (const signal of rule.enabled ? (byCondition.get(rule.condition) ?? []) : []) {
      if (!watches(rule, signal)) continue;
      const alert = open.get(subjectKey(signal));
      // A check-in restarts the wait of an alert that is open; a change of the rule may do so for an end.
      if (alert === undefined || restarts(rule)) {
        if (!isDueAt(dueMs(rule, signal))) continue;
      }
      if (alert === undefined && room > 0) {
        actions.push({ kind: 'FIRE', rule, signal });
        room -= 1;
      }
      standing.add(subjectKey(signal));
    }
    for (const [key, alert] of open) {
      if (standing.has(key)) {
        if (alert.clearSinceMs !== null) actions.push({ kind: 'RETURN', alert, atMs: steadyMs });
        else if (alert.state === 'FIRING' && rule.repeatMs !== null && isDueAt(alert.toldMs + rule.repeatMs))
          actions.push({ kind: 'REPEAT', alert, atMs: steadyMs });
      } else if (!rule.enabled) actions.push({ kind: 'RESOLVE', alert, reason: 'the rule was disabled' });
      else if (rule.resolveAfterMs === 0) actions.push({ kind: 'RESOLVE', alert, reason: null });
      else if (alert.clearSinceMs === null) {
        actions.push({ kind: 'CLEAR', alert, atMs: steadyMs });
        nextMs = Math.min(nextMs, steadyMs + rule.resolveAfterMs);
      } else if (isDueAt(alert.clearSinceMs + rule.resolveAfterMs))
        actions.push({ kind: 'RESOLVE', alert, reason: null });
    }
  }
  for (const orphans of openByRule.values())
    for (const alert of orphans) actions.push({ kind: 'RESOLVE', alert, reason: 'the rule was deleted' });
  return { actions, nextMs };
}

function subjectKey({ subjectType, subjectId }: { subjectType: string; subjectId: string }): string {
  return `${subjectType}/${subjectId}`;
}

function watches(rule: WatchedRule, { projectId, subjectId, condition }: StandingSignal): boolean {
  if (condition === 'CHECK_IN_LATE') return subjectId === rule.id;
  if (rule.projectId !== null && rule.projectId !== projectId) return false;
  return rule.subjectId === null || rule.subjectId === subjectId;
}

/** Of these conditions a signal stands all the time, and time alone decides. */
function restarts({ condition }: WatchedRule): boolean {
  return condition === 'CHECK_IN_LATE' || condition === 'CERTIFICATE_EXPIRES';
}
