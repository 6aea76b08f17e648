// Writes what an evaluation found: alerts, their status events, and news for channels.
import type { Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { AlertAction } from '../../rules/alerts/evaluate.ts';
import { subjectWords } from '../../rules/alerts/message.ts';
import { systemEvents } from '../events.ts';
import type { Alert } from '../stores/alert.ts';
import { readChannels } from '../stores/alert-channel-store.ts';
import { addNotices, channelsWithNotices } from '../stores/alert-delivery-store.ts';
import type { AlertRule } from '../stores/alert-rule.ts';
import type { AlertRuleStore } from '../stores/alert-rule-store.ts';
import { insertAlerts, lockAlerts, type NewAlert, resolveAlerts, setClear, setTold } from '../stores/alert-store.ts';
import type { Signal } from '../stores/alert-watch-store.ts';

interface Applied {
  readonly actions: readonly AlertAction<Signal>[];
  readonly rules: readonly AlertRule[];
  readonly steadyMs: number;
  /** Cursor of the status stream before the events of these alerts. */
  readonly cursor: string;
}

export async function applyActions(
  tx: Transaction,
  { rules: store, wake }: { readonly rules: AlertRuleStore; readonly wake: Wake },
  { actions, rules, steadyMs, cursor }: Applied,
): Promise<void> {
  const idsOf = (kind: 'CLEAR' | 'RETURN' | 'REPEAT') =>
    actions.flatMap((action) => (action.kind === kind && 'alert' in action ? [action.alert.id] : []));
  await setClear(tx, idsOf('CLEAR'), Math.round(steadyMs));
  await setClear(tx, idsOf('RETURN'), null);
  const repeated = await lockAlerts(tx, idsOf('REPEAT'));
  const repeats = repeated.filter(({ state }) => state === 'FIRING');
  await setTold(
    tx,
    repeats.map(({ id }) => id),
    Math.round(steadyMs),
  );
  const reasons = new Map(
    actions.flatMap((action) => (action.kind === 'RESOLVE' ? [[action.alert.id, action.reason] as const] : [])),
  );
  const resolved = await endAlerts(tx, wake, [...reasons.keys()], (id) => reasons.get(id) ?? null);
  const fired = await fire(tx, wake, { actions, rules, steadyMs, cursor });
  const channels = await store.toldChannels(tx, [...new Set([...repeats, ...fired].map(({ ruleId }) => ruleId))]);
  const notices = [...repeats, ...fired].flatMap(({ id, ruleId }) =>
    (channels.get(ruleId) ?? []).map((channelId) => ({ channelId, alertId: id })),
  );
  await tellChannels(tx, wake, [...notices, ...resolved]);
}

/** Resolves the open ones. Returns the notices for their channels. */
export async function endAlerts(
  tx: Transaction,
  wake: Wake,
  ids: readonly string[],
  reasonOf: (id: string) => string | null,
): Promise<readonly Notice[]> {
  const open = (await lockAlerts(tx, ids)).filter(({ state }) => state !== 'RESOLVED');
  const openIds = open.map(({ id }) => id);
  await resolveAlerts(tx, openIds);
  const events = open.map((alert) => ({
    ...{ projectId: alert.projectId, kind: 'alert.state' as const, subjectId: alert.id, cmpObject: alert.cmpObject },
    ...{ subjectVersion: alert.version + 1, from: alert.state, to: 'RESOLVED' as const },
    reason: wordsOf(alert, reasonOf(alert.id)),
  }));
  await appendStatus(tx, systemEvents, events, wake);
  return channelsWithNotices(tx, openIds);
}

interface Notice {
  readonly channelId: string;
  readonly alertId: string;
}

export async function tellChannels(tx: Transaction, wake: Wake, notices: readonly Notice[]): Promise<void> {
  const channels = await readChannels(tx, [...new Set(notices.map(({ channelId }) => channelId))]);
  const known = notices.filter(({ channelId }) => channels.has(channelId));
  await addNotices(tx, known, (channelId) => channels.get(channelId)?.spec.groupMs ?? 0, wake);
}

async function fire(
  tx: Transaction,
  wake: Wake,
  { actions, rules, steadyMs, cursor }: Applied,
): Promise<readonly NewAlert[]> {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const fired = actions.flatMap((action): readonly NewAlert[] => {
    const rule = action.kind === 'FIRE' ? byId.get(action.rule.id) : undefined;
    if (action.kind !== 'FIRE' || rule === undefined) return [];
    const { condition, subjectType, subjectId, projectId, subjectName, cmpObject, status, reason, since } =
      action.signal;
    return [
      {
        ...{ id: newUuid(), ruleId: rule.id, ruleName: rule.name, severity: rule.severity, condition },
        // An alert has the same owner as its rule, so a rule of the installation shows nothing to a project.
        projectId: rule.projectId === null ? null : (projectId ?? rule.projectId),
        ...{ subjectType, subjectId, subjectName, cmpObject, status, reason, since },
        ...{ toldMs: Math.round(steadyMs), cursor },
      },
    ];
  });
  if (fired.length === 0) return [];
  await insertAlerts(tx, fired);
  const events = fired.map((alert) => ({
    ...{ projectId: alert.projectId, kind: 'alert.state' as const, subjectId: alert.id, subjectVersion: 1 },
    ...{ from: null, to: 'FIRING' as const, reason: wordsOf(alert, alert.reason), cmpObject: alert.cmpObject },
  }));
  await appendStatus(tx, systemEvents, events, wake);
  return fired;
}

function wordsOf(
  alert: Pick<Alert, 'ruleName' | 'subjectType' | 'subjectName' | 'status'>,
  reason: string | null,
): string {
  return `${alert.ruleName}: ${subjectWords(alert)} ${alert.status}${reason === null ? '' : `: ${reason}`}`;
}
