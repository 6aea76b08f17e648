// The content of a notification: one value, written as a webhook's JSON, as text for Slack, and as a mail.
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { AlertCondition, AlertSeverity, AlertState } from '../../spec/alert-conditions.ts';

/** An alert as a notification shows it. Ids are global. */
export interface ToldAlert {
  readonly id: string;
  /** A message that is tried again may come after a later one: the higher version is the newer state. */
  readonly version: number;
  readonly state: AlertState;
  readonly condition: AlertCondition;
  readonly severity: AlertSeverity;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly projectId: string | null;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly subjectName: string | null;
  readonly cmpObject: CmpObjectKey | null;
  /** The subject's status, for example DEGRADED. */
  readonly status: string;
  readonly reason: string | null;
  /** RFC 3339. */
  readonly since: string;
  readonly resolvedAt: string | null;
  /** A page of the dashboard. Null if the installation has no known address. */
  readonly link: string | null;
}

export interface Message {
  readonly kind: 'ALERTS' | 'TEST';
  readonly channelName: string;
  /** Count of all alerts, including those that the message leaves out. */
  readonly firing: number;
  readonly resolved: number;
  /** The first alerts. */
  readonly alerts: readonly ToldAlert[];
  /** Subscribing to `statusChanges` after it gives the events of these alerts and all later ones. Null if there are none. */
  readonly cursor: string | null;
}

/** Further alerts are counted, but not listed. */
export const mostListed = 20;
const longestLine = 500;

export function webhookBody(message: Message, at: Date): JsonObject {
  const { kind, channelName, firing, resolved, alerts, cursor } = message;
  return {
    type: kind === 'TEST' ? 'alerts.test' : 'alerts.changed',
    timestamp: at.toISOString(),
    data: {
      ...{ channelName, firing, resolved, cursor },
      omitted: firing + resolved - alerts.length,
      alerts: alerts.map((alert) => ({
        ...alert,
        cmpObject: alert.cmpObject === null ? null : { ...alert.cmpObject },
        runbook: runbookOf(alert.condition),
      })),
    },
  };
}

/**
 * https://api.slack.com/messaging/webhooks: `text` alone, which compatible services also take. Anybody may have written names and reasons,
 * so they must not mention people or hide a link behind a text.
 */
export function slackBody(message: Message): JsonObject {
  const lines = message.alerts.map((alert) => {
    const words = escaped(lineOf(alert));
    return alert.link === null ? `• ${words}` : `• ${words} <${alert.link}|open>`;
  });
  return { text: [`*${escaped(titleOf(message))}*`, ...lines, ...omittedLine(message)].join('\n') };
}

export function mailOf(message: Message): { readonly subject: string; readonly text: string } {
  const lines = message.alerts.flatMap((alert) => [
    lineOf(alert),
    `  rule: ${alert.ruleName}, since ${alert.since}`,
    ...(alert.link === null ? [] : [`  ${alert.link}`]),
    ...(alert.state === 'RESOLVED' ? [] : [`  what to do: ${runbookOf(alert.condition)}`]),
    '',
  ]);
  const text = [titleOf(message), '', ...lines, ...omittedLine(message)].join('\n');
  return { subject: `[Tidegate] ${titleOf(message)}`, text: `${text.trimEnd()}\n` };
}

/** The section of the installation's own documentation; tests/docs/runbook.test.ts checks that it exists. */
export function runbookOf(condition: AlertCondition): string {
  return `docs/runbook.md#${condition.toLowerCase()}`;
}

function titleOf({ kind, channelName, firing, resolved, alerts }: Message): string {
  if (kind === 'TEST') return `Test of the alert channel ${channelName}`;
  const counts = [firing > 0 ? `${firing} firing` : '', resolved > 0 ? `${resolved} resolved` : ''];
  const [first] = alerts;
  const only = alerts.length === 1 && first !== undefined ? `: ${nameOf(first)} is ${first.status}` : '';
  return `${counts.filter(Boolean).join(', ')}${only}`;
}

/** One line for people. */
export function lineOf(alert: ToldAlert): string {
  const reason = alert.reason === null ? '' : `: ${alert.reason}`;
  const state = alert.severity === 'CRITICAL' && alert.state !== 'RESOLVED' ? `${alert.state} (critical)` : alert.state;
  return (
    `${state}: ${nameOf(alert)} ${alert.status}${reason}`
      .replaceAll(/\s+/g, ' ')
      .slice(0, longestLine)
      // The cut may be in the midst of a character.
      .replace(/[\ud800-\udbff]$/, '')
  );
}

/** The words for some types of subjects. Other types have the graph's name. */
const machineWords: Readonly<Record<string, string>> = {
  LoadBalancerHost: 'load balancer host',
  GslbVantagePoint: 'vantage point',
  GslbNameServer: 'name server',
  ObjectCluster: 'cluster of object storage',
  DnsBackendServer: 'DNS server',
  HaCluster: 'database',
};

export function subjectWords({
  subjectType,
  subjectName,
}: Pick<ToldAlert, 'subjectType'> & { readonly subjectName: string | null }): string {
  return [machineWords[subjectType] ?? subjectType, subjectName].filter(Boolean).join(' ');
}

function nameOf({ subjectType, subjectId, subjectName }: ToldAlert): string {
  // The database needs no name, because there is only one.
  return subjectWords({ subjectType, subjectName: subjectName ?? (subjectType === 'HaCluster' ? null : subjectId) });
}

function omittedLine({ firing, resolved, alerts }: Message): readonly string[] {
  const omitted = firing + resolved - alerts.length;
  return omitted > 0 ? [`and ${omitted} more: see the list of alerts`] : [];
}

/** Slack's own escapes, and for compatible services that take Markdown a space of no width in @all and [text](link). */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b')
    .replaceAll('](', ']\u200b(');
}
