// Notices (news of each alert for a channel) and notifications (the messages made from them).
import type { AlertDeliveryState } from '../../../../generated/graph/system.ts';
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Page, PageArguments } from '../../../../platform/pages/connection.ts';
import { pageOfRanges } from '../../../../platform/pages/entity-list.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { Message } from '../../rules/alerts/message.ts';
import { type AlertState, namedTypes } from '../../spec/alert-conditions.ts';

/** The kind of owed work whose keys are channels. */
export const deliveryKind = 'alert-delivery';

export interface Delivery {
  /** UUID: the same for each attempt. */
  readonly id: string;
  readonly channelId: string;
  readonly kind: Message['kind'];
  readonly state: AlertDeliveryState;
  readonly alertCount: number;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly nextAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A message that is not delivered yet. */
export interface WaitingDelivery {
  readonly id: string;
  readonly message: Message;
  readonly attempts: number;
  /** Age by the trusted time, so that a clock that jumps ahead expires nothing. */
  readonly ageMs: number;
  /** How long until its next attempt; 0 if it is due. */
  readonly dueInMs: number;
}

/** News for a channel. */
export interface DueNotice {
  readonly alertId: string;
  readonly state: AlertState;
  /** Whether the subject's name is missing although the alert is so new that it may arrive soon. */
  readonly awaitsName: boolean;
}

/** How long a message waits for the names of its alerts' subjects, from the first alert on. */
const nameWaitMs = 15_000;

const shown = {
  ...{ id: true, channelId: true, kind: true, state: true, alertCount: true, attempts: true, lastError: true },
  ...{ createdAt: true, nextAt: true, finishedAt: true },
} as const;
const noticesAtOnce = 500;

export class DeliveryStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Delivery>> {
    const rows = await this.#db.prisma.alertNotification.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(
      rows.map((row) => [
        row.id,
        { ...row, kind: row.kind as Delivery['kind'], state: row.state as AlertDeliveryState },
      ]),
    );
  }

  pageOf(channelId: string, page: PageArguments): Promise<Page<Delivery>> {
    const ranges = [
      { index: 'alert_notification_channel_idx', condition: { sql: 'channel_id = ?', values: [channelId] } },
    ];
    const search = { table: 'alert_notification', key: ['id'], ranges };
    return pageOfRanges(this.#db, search, { ...page, orderBy: 'NEWEST' }, (ids) => this.byIds(ids));
  }
}

/** Adds news of alerts to channels, and owes their delivery. `dueInMs`: by channel. */
export async function addNotices(
  tx: Transaction,
  notices: readonly { readonly channelId: string; readonly alertId: string }[],
  dueInMs: (channelId: string) => number,
  wake: Wake,
): Promise<void> {
  for (let at = 0; at < notices.length; at += noticesAtOnce) {
    const some = notices.slice(at, at + noticesAtOnce);
    await tx.execute(
      `INSERT INTO alert_notice (channel_id, alert_id) VALUES ${some.map(() => '(?, ?)').join(', ')}
        ON DUPLICATE KEY UPDATE due = true`,
      some.flatMap(({ channelId, alertId }) => [channelId, alertId]),
    );
  }
  for (const channelId of [...new Set(notices.map((each) => each.channelId))].sort())
    await owe(tx, deliveryKind, channelId, { dueInMs: dueInMs(channelId) }, wake);
}

/** News of resolved alerts goes to the channels that have notices of them, even if their rules have changed. */
export async function channelsWithNotices(
  tx: Transaction,
  alertIds: readonly string[],
): Promise<readonly { readonly channelId: string; readonly alertId: string }[]> {
  if (alertIds.length === 0) return [];
  return tx.query(
    `SELECT channel_id AS channelId, alert_id AS alertId FROM alert_notice WHERE alert_id IN (${marksFor(alertIds)})`,
    alertIds,
  );
}

/** The longest due first. */
export async function dueNotices(
  tx: Transaction,
  channelId: string,
  { take, onlyCritical }: { readonly take: number; readonly onlyCritical: boolean },
): Promise<readonly DueNotice[]> {
  const ageMs = 'TIMESTAMPDIFF(MICROSECOND, a.created_at, NOW(3)) DIV 1000';
  const named = Object.keys(namedTypes);
  const rows = await tx.query<Omit<DueNotice, 'awaitsName'> & { readonly awaitsName: number }>(
    `SELECT n.alert_id AS alertId, a.state, a.subject_name IS NULL AND a.subject_type IN (${marksFor(named)})
      AND ${ageMs} BETWEEN 0 AND ? AS awaitsName FROM alert_notice n JOIN alert a ON a.id = n.alert_id
      WHERE n.channel_id = ? AND n.due = true ${onlyCritical ? "AND a.severity = 'CRITICAL'" : ''} ORDER BY n.alert_id LIMIT ?`,
    [...named, nameWaitMs, channelId, take],
  );
  return rows.map((row) => ({ ...row, awaitsName: row.awaitsName === 1 }));
}

/** Drops notices of alerts that were resolved or acknowledged before the channel got them. */
export async function dropNotices(tx: Transaction, channelId: string): Promise<void> {
  const due = 'n.channel_id = ? AND n.due = true';
  await tx.execute(
    `DELETE n FROM alert_notice n JOIN alert a ON a.id = n.alert_id WHERE ${due} AND n.told IS NULL AND a.state <> 'FIRING'`,
    [channelId],
  );
  await tx.execute(
    `UPDATE alert_notice n JOIN alert a ON a.id = n.alert_id SET n.due = false WHERE ${due} AND a.state = 'ACKNOWLEDGED'`,
    [channelId],
  );
}

/** Marks notices as part of this message. */
export async function takeNotices(
  tx: Transaction,
  { channelId, notificationId }: { readonly channelId: string; readonly notificationId: string },
  notices: readonly DueNotice[],
): Promise<void> {
  for (const [state, some] of Map.groupBy(notices, (each) => each.state))
    await tx.execute(
      `UPDATE alert_notice SET due = false, told = ?, notification_id = ? WHERE channel_id = ? AND alert_id IN (${marksFor(some)})`,
      [state, notificationId, channelId, ...some.map(({ alertId }) => alertId)],
    );
}

interface NewDelivery {
  readonly id: string;
  readonly channelId: string;
  readonly scope: string;
  readonly message: Message;
  readonly alertCount: number;
}

export async function insertDelivery(tx: Transaction, delivery: NewDelivery): Promise<void> {
  const { id, channelId, scope, message, alertCount } = delivery;
  await tx.execute(
    `INSERT INTO alert_notification (id, channel_id, scope, kind, state, message, alert_count, next_at)
      VALUES (?, ?, ?, ?, 'WAITING', ?, ?, NOW(3))`,
    [id, channelId, scope, message.kind, JSON.stringify(message), alertCount],
  );
}

export const longestRetryMs = 900_000;
/** A retry further in the future than any interval was scheduled before the clock was set back. */
const isLater = `(next_at > NOW(3) AND next_at <= NOW(3) + INTERVAL ${longestRetryMs + 60_000} * 1000 MICROSECOND)`;

/** The next message to try. Due tests come first, because a person waits, then the oldest due message. If none is due, the first to become due. */
export async function nextWaiting(
  sql: Sql,
  channelId: string,
  { onlyTests }: { readonly onlyTests: boolean },
): Promise<WaitingDelivery | undefined> {
  const [row] = await sql.query<Omit<WaitingDelivery, 'message'> & { readonly message: string }>(
    `SELECT id, message, attempts, TIMESTAMPDIFF(MICROSECOND, created_at, ${trustedNow}) DIV 1000 AS ageMs,
      IF(${isLater}, TIMESTAMPDIFF(MICROSECOND, NOW(3), next_at) DIV 1000, 0) AS dueInMs
      FROM alert_notification WHERE channel_id = ? AND state = 'WAITING' ${onlyTests ? "AND kind = 'TEST'" : ''}
      ORDER BY ${isLater}, IF(${isLater}, next_at, NULL), kind = 'TEST' DESC, id LIMIT 1`,
    [channelId],
  );
  if (row === undefined) return undefined;
  const message = JSON.parse(row.message) as Message;
  return { ...row, message, ageMs: Number(row.ageMs), dueInMs: Number(row.dueInMs) };
}

export async function countWaiting(sql: Sql, channelId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    "SELECT COUNT(*) AS count FROM alert_notification WHERE channel_id = ? AND state = 'WAITING'",
    [channelId],
  );
  return Number(row?.count ?? 0);
}

/** The text of a finished message has no readers, and a thousand of them take megabytes. */
const noMessage = "message = ''";

/** The channel must be locked. If it had failed before, the messages that wait for it are due now. */
export async function recordDelivered(tx: Transaction, { id, channelId }: Sent): Promise<void> {
  await tx.execute(
    `UPDATE alert_notification SET state = 'DELIVERED', attempts = attempts + 1, next_at = NULL, finished_at = NOW(3), ${noMessage}
      WHERE id = ? AND state = 'WAITING'`,
    [id],
  );
  const { affectedRows } = await tx.execute(
    'UPDATE alert_channel SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL',
    [channelId],
  );
  if (affectedRows > 0) await hasten(tx, channelId);
}

interface Sent {
  /** Id of the message. */
  readonly id: string;
  readonly channelId: string;
}

/** The channel must be locked. `retryInMs`: undefined if the message is given up. */
export async function recordFailed(
  tx: Transaction,
  { id, channelId, isTest }: Sent & { readonly isTest: boolean },
  { error, retryInMs }: { readonly error: string; readonly retryInMs: number | undefined },
): Promise<void> {
  const ended = retryInMs === undefined;
  await tx.execute(
    `UPDATE alert_notification SET state = ?, attempts = attempts + 1, last_error = ?,
      next_at = ${ended ? 'NULL' : 'NOW(3) + INTERVAL ? * 1000 MICROSECOND'}, finished_at = ${ended ? `NOW(3), ${noMessage}` : 'NULL'}
      WHERE id = ? AND state = 'WAITING'`,
    [ended ? 'FAILED' : 'WAITING', error, ...(ended ? [] : [retryInMs]), id],
  );
  await tx.execute(
    'UPDATE alert_channel SET failing_since = COALESCE(failing_since, NOW(3)), given_up = given_up + ? WHERE id = ?',
    [ended && !isTest ? 1 : 0, channelId],
  );
}

/** Retries waiting messages at once, because the channel has changed. */
export async function hastenDeliveries(tx: Transaction, channelId: string, wake: Wake): Promise<void> {
  await hasten(tx, channelId);
  await owe(tx, deliveryKind, channelId, {}, wake);
}

async function hasten(tx: Transaction, channelId: string): Promise<void> {
  await tx.execute("UPDATE alert_notification SET next_at = NOW(3) WHERE channel_id = ? AND state = 'WAITING'", [
    channelId,
  ]);
}

/** Number of messages of a scope in the last hour, and the time of the oldest. The scope must be locked. */
export async function madeInHour(
  tx: Transaction,
  scope: string,
): Promise<{ readonly count: number; readonly oldestAgeMs: number }> {
  const [row] = await tx.query<{ count: number; oldestAgeMs: number | null }>(
    `SELECT COUNT(*) AS count, TIMESTAMPDIFF(MICROSECOND, MIN(created_at), NOW(3)) DIV 1000 AS oldestAgeMs
      FROM alert_notification WHERE scope = ? AND created_at > NOW(3) - INTERVAL 1 HOUR AND created_at <= NOW(3)`,
    [scope],
  );
  return { count: Number(row?.count ?? 0), oldestAgeMs: Number(row?.oldestAgeMs ?? 0) };
}
