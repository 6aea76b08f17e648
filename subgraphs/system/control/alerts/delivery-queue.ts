// Sends the news of alerts to their channels. Delivery is owed for each channel with news. A message is stored before it is sent, so that each
// attempt has the same id, even after a crash. A failed message is tried again later, and delays neither newer messages nor other channels.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { finishOwed, type OwedJob, owe } from '../../../../platform/owed/owed-work.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { decodeUuid, encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { dashboardLink } from '../../rules/alerts/dashboard-link.ts';
import { type Message, mostListed, type ToldAlert } from '../../rules/alerts/message.ts';
import { quietForMs } from '../../rules/alerts/quiet-hours.ts';
import { criticalNotificationsPerHour, mostNotificationsPerHour } from '../../spec/alert-conditions.ts';
import type { Alert } from '../stores/alert.ts';
import type { AlertChannel } from '../stores/alert-channel.ts';
import { lockChannel, readChannels } from '../stores/alert-channel-store.ts';
import {
  countWaiting,
  type DueNotice,
  deliveryKind,
  dropNotices,
  dueNotices,
  insertDelivery,
  longestRetryMs,
  madeInHour,
  nextWaiting,
  recordDelivered,
  recordFailed,
  takeNotices,
  type WaitingDelivery,
} from '../stores/alert-delivery-store.ts';
import { lockScope, scopeOf } from '../stores/alert-scope.ts';
import { readAlerts, recordNotified } from '../stores/alert-store.ts';
import { openChannelSecret } from './channel-secret.ts';
import { ProjectSlots } from './project-slots.ts';
import { longestPatienceMs, type SendOutcome, sendMessage } from './send-message.ts';

export interface DeliveryDependencies {
  readonly db: Database;
  readonly log: Logger;
  readonly egress: EgressPolicy;
  readonly sealer: () => Promise<Sealer>;
  /** Without a final slash. Null if messages have no links. */
  readonly dashboardUrl: string | null;
  /** Deadline of one attempt. Default: that of `sendMessage`. */
  readonly timeoutMs?: number;
  /** Default: the wall clock. Quiet times are times of the day. */
  readonly now?: () => Date;
}

/** Messages of a channel that wait for another attempt. Beyond that, news are collected for the next message. */
const mostWaiting = 20;
/** Alerts in one message. */
const mostInMessage = 1_000;
const longestOweMs = 3_600_000;
const firstRetryMs = 5_000;
/** Delay while its project has the maximum number of attempts under way. */
const crowdedMs = 2_000;
/** Delay while the names of subjects are being read. */
const nameLookMs = 1_000;
/** Limit for a server's error text, and size of the column. */
const longestError = 1_024;

export function createDeliveryQueue(dependencies: DeliveryDependencies): OwedQueue {
  const slots = new ProjectSlots();
  return {
    kind: deliveryKind,
    concurrency: 16,
    deadlineMs: 40_000,
    run: (job, { signal }) => deliverInTurn(dependencies, slots, job, signal),
  };
}

async function deliverInTurn(
  dependencies: DeliveryDependencies,
  slots: ProjectSlots,
  job: OwedJob,
  signal: AbortSignal,
): Promise<void> {
  const { db } = dependencies;
  const channel = (await readChannels(db, [job.key])).get(job.key);
  const scope = scopeOf(channel?.projectId ?? null);
  if (!slots.take(scope))
    return db.transaction(async (tx) => {
      await finishOwed(tx, job);
      await owe(tx, deliveryKind, job.key, { dueInMs: crowdedMs });
    });
  try {
    await deliver(dependencies, job, channel?.projectId ?? null, signal);
  } finally {
    slots.give(scope);
  }
}

async function deliver(
  dependencies: DeliveryDependencies,
  job: OwedJob,
  projectId: string | null,
  signal: AbortSignal,
): Promise<void> {
  const prepared = await dependencies.db.transaction(async (tx) => {
    await lockScope(tx, projectId);
    return prepare(tx, dependencies, job);
  });
  if (prepared === undefined) return;
  const outcome = await attempt(dependencies, prepared.channel, prepared.waiting, signal);
  await conclude(dependencies, job, prepared, outcome);
}

async function conclude(
  { db, log }: DeliveryDependencies,
  job: OwedJob,
  prepared: Prepared,
  outcome: SendOutcome,
): Promise<void> {
  const { channel, waiting } = prepared;
  await db.transaction(async (tx) => {
    // Locks the channel first, in the same order as its deletion.
    if ((await lockChannel(tx, channel.id)) === undefined) return finishOwed(tx, job);
    await record(tx, prepared, outcome);
    const next = await nextWaiting(tx, channel.id, { onlyTests: !channel.enabled });
    await finishOwed(tx, job);
    // More notices may have arrived since.
    const dueInMs = Math.min(next?.dueInMs ?? longestOweMs, channel.spec.groupMs, longestOweMs);
    await owe(tx, deliveryKind, channel.id, { dueInMs });
  });
  const line = { channel: channel.name, delivery: waiting.id, attempts: waiting.attempts + 1 };
  if (outcome.ok) log.info(line, 'alerts were delivered');
  else {
    const isOver = retryOf(waiting, outcome) === undefined;
    log.warn({ ...line, reason: outcome.error }, `alerts were ${isOver ? 'given up' : 'not delivered'}`);
  }
}

async function record(tx: Transaction, { channel, waiting }: Prepared, outcome: SendOutcome): Promise<void> {
  const sent = { id: waiting.id, channelId: channel.id };
  if (outcome.ok) {
    await recordNotified(tx, waiting.id);
    return recordDelivered(tx, sent);
  }
  const retryInMs = retryOf(waiting, outcome);
  const isTest = waiting.message.kind === 'TEST';
  await recordFailed(tx, { ...sent, isTest }, { error: outcome.error, retryInMs });
}

interface Prepared {
  readonly channel: AlertChannel;
  readonly waiting: WaitingDelivery;
}

/** The message to send now. Undefined if there is none, and the job is finished. */
async function prepare(
  tx: Transaction,
  dependencies: DeliveryDependencies,
  job: OwedJob,
): Promise<Prepared | undefined> {
  const channel = await lockChannel(tx, job.key);
  const endUntil = async (dueInMs?: number) => {
    await finishOwed(tx, job);
    if (dueInMs !== undefined) await owe(tx, deliveryKind, job.key, { dueInMs: Math.min(dueInMs, longestOweMs) });
    return undefined;
  };
  if (channel === undefined) return endUntil();
  // A test uses the channel's present settings, even if it is disabled.
  const before = await nextWaiting(tx, channel.id, { onlyTests: !channel.enabled });
  if (before?.dueInMs === 0) return { channel, waiting: { ...before, message: await withNames(tx, before.message) } };
  if (!channel.enabled || (await countWaiting(tx, channel.id)) >= mostWaiting) return endUntil(before?.dueInMs);
  const scope = scopeOf(channel.projectId);
  const { count, oldestAgeMs } = await madeInHour(tx, scope);
  const fullForMs = longestOweMs - oldestAgeMs + 1_000;
  if (count >= mostNotificationsPerHour) return endUntil(earliest(before?.dueInMs, fullForMs));
  const scarceForMs = count >= mostNotificationsPerHour - criticalNotificationsPerHour ? fullForMs : 0;
  const { notices, laterMs } = await tellable(tx, channel, dependencies.now?.() ?? new Date(), scarceForMs);
  if (notices.length === 0) return endUntil(earliest(before?.dueInMs, laterMs));
  if (notices.some(({ awaitsName }) => awaitsName)) return endUntil(earliest(before?.dueInMs, nameLookMs));
  const id = newUuid();
  const alerts = await readAlerts(
    tx,
    notices.map(({ alertId }) => alertId),
  );
  const message = messageOf(channel, alerts, dependencies.dashboardUrl);
  await insertDelivery(tx, { id, channelId: channel.id, scope, message, alertCount: alerts.length });
  await takeNotices(tx, { channelId: channel.id, notificationId: id }, notices);
  return { channel, waiting: { id, message, attempts: 0, ageMs: 0, dueInMs: 0 } };
}

/** The names that were not known when it was made. */
async function withNames(tx: Transaction, message: Message): Promise<Message> {
  const nameless = message.alerts.filter(({ subjectName }) => subjectName === null);
  if (nameless.length === 0) return message;
  const ids = nameless.flatMap(({ id }) => decodeUuid('Alert', id) ?? []);
  const named = new Map((await readAlerts(tx, ids)).map(({ id, subjectName }) => [encodeId('Alert', id), subjectName]));
  const alerts = message.alerts.map((each) => ({
    ...each,
    subjectName: each.subjectName ?? named.get(each.id) ?? null,
  }));
  return { ...message, alerts };
}

function earliest(...timesMs: readonly (number | undefined)[]): number | undefined {
  const known = timesMs.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/**
 * News that may be sent now. `scarceForMs`: the time until messages without a critical alert may be sent. `laterMs`: time until the rest
 * may be sent.
 */
async function tellable(
  tx: Transaction,
  { id, spec }: AlertChannel,
  now: Date,
  scarceForMs: number,
): Promise<{ readonly notices: readonly DueNotice[]; readonly laterMs: number | undefined }> {
  await dropNotices(tx, id);
  const laterMs = Math.max(quietForMs(spec.quietHours, spec.timeZone, now) ?? 0, scarceForMs) || undefined;
  const notices = await dueNotices(tx, id, { take: mostInMessage, onlyCritical: laterMs !== undefined });
  return { notices, laterMs };
}

async function attempt(
  { sealer, egress, timeoutMs }: DeliveryDependencies,
  channel: AlertChannel,
  { id, message }: WaitingDelivery,
  signal: AbortSignal,
): Promise<SendOutcome> {
  try {
    const secret = openChannelSecret(await sealer(), channel);
    const outcome = await sendMessage({ channel, secret, id, message, egress, timeoutMs, signal });
    return outcome.ok ? outcome : { ...outcome, error: outcome.error.slice(0, longestError) };
  } catch (error) {
    // An unusable channel does not affect the others.
    const words = error instanceof Error ? error.message : String(error);
    return { ok: false, error: words.slice(0, longestError), patienceMs: longestPatienceMs };
  }
}

/** Undefined if it is given up. A test is tried a few times only: a person waits. */
function retryOf({ attempts, ageMs, message }: WaitingDelivery, outcome: SendOutcome): number | undefined {
  if (outcome.ok || ageMs >= outcome.patienceMs) return undefined;
  if (message.kind === 'TEST' && attempts >= 2) return undefined;
  return Math.min(firstRetryMs * 2 ** Math.min(attempts, 20), longestRetryMs);
}

function messageOf(channel: AlertChannel, alerts: readonly Alert[], dashboardUrl: string | null): Message {
  const resolved = alerts.filter(({ state }) => state === 'RESOLVED').length;
  // Firing critical alerts come first.
  const ranked = alerts.toSorted(
    (one, other) => rankOf(one) - rankOf(other) || one.since.getTime() - other.since.getTime(),
  );
  return {
    ...{ kind: 'ALERTS', channelName: channel.name, firing: alerts.length - resolved, resolved },
    alerts: ranked.slice(0, mostListed).map((alert) => toldAlert(alert, dashboardUrl)),
    cursor: alerts[0]?.cursor ?? null,
  };
}

function rankOf({ state, severity }: Alert): number {
  return (state === 'RESOLVED' ? 2 : 0) + (severity === 'CRITICAL' ? 0 : 1);
}

function toldAlert(alert: Alert, dashboardUrl: string | null): ToldAlert {
  const subjectId = encodeId(alert.subjectType, alert.subjectId);
  const { version, state, condition, severity, ruleName, subjectType, subjectName, cmpObject, status, reason } = alert;
  return {
    ...{
      id: encodeId('Alert', alert.id),
      version,
      state,
      condition,
      severity,
      ruleName,
      subjectType,
      subjectId,
      subjectName,
    },
    ...{ ruleId: encodeId('AlertRule', alert.ruleId), cmpObject, status, reason },
    projectId: alert.projectId === null ? null : encodeId('Project', alert.projectId),
    since: alert.since.toISOString(),
    resolvedAt: alert.resolvedAt?.toISOString() ?? null,
    link: dashboardLink(dashboardUrl, { type: subjectType, id: subjectId }),
  };
}
