// SQL of traffic by minute and hour. A period can be written again with the same or more reports: values are replaced, never added.
import type { Database, Sql, SqlValue } from '../../../../platform/database/database.ts';

type TrafficPeriod = 'MINUTE' | 'HOUR';

export interface TrafficRow {
  readonly subjectId: string;
  /** Start of the period. */
  readonly at: Date;
  readonly requests: number;
  readonly errors: number;
  readonly serverErrors: number | null;
  readonly sessions: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly latencyMs: number | null;
}

const figures = ['errors', 'server_errors', 'sessions', 'bytes_in', 'bytes_out', 'latency_ms'];
/** Of two writers, the one with more requests is more complete. `requests` comes last, because the others compare with its old value. */
const better = [...figures, 'requests']
  .map((name) => `${name} = IF(VALUES(requests) >= requests, VALUES(${name}), ${name})`)
  .join(', ');
const rowsAtOnce = 500;

export async function writeMinutes(db: Database, rows: readonly TrafficRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const some = rows.slice(from, from + rowsAtOnce);
    const values = some.flatMap((row): SqlValue[] => [
      ...[row.subjectId, row.at, row.requests, row.errors, row.serverErrors, row.sessions, row.bytesIn, row.bytesOut],
      row.latencyMs,
    ]);
    await db.execute(
      `INSERT INTO lb_traffic (subject_id, period, at, requests, errors, server_errors, sessions, bytes_in, bytes_out, latency_ms)
      VALUES ${some.map(() => "(?, 'MINUTE', ?, ?, ?, ?, ?, ?, ?, ?)").join(', ')} ON DUPLICATE KEY UPDATE ${better}`,
      values,
    );
  }
}

/** From the minutes of the hour that begins at `at`. */
export async function writeHour(db: Database, at: Date): Promise<void> {
  await db.execute(
    `INSERT INTO lb_traffic (subject_id, period, at, requests, errors, server_errors, sessions, bytes_in, bytes_out, latency_ms)
    SELECT subject_id, 'HOUR', ?, SUM(requests), SUM(errors), SUM(server_errors), SUM(sessions) / 60, SUM(bytes_in), SUM(bytes_out),
      SUM(latency_ms * requests) / NULLIF(SUM(IF(latency_ms IS NULL, 0, requests)), 0)
    FROM lb_traffic WHERE period = 'MINUTE' AND at >= ? AND at < ? + INTERVAL 1 HOUR GROUP BY subject_id
    ON DUPLICATE KEY UPDATE ${better}`,
    [at, at, at],
  );
}

/** The hours of any subject, in milliseconds since 1970. */
export async function hoursSince(db: Sql, since: Date): Promise<readonly number[]> {
  const sql = "SELECT DISTINCT at FROM lb_traffic WHERE period = 'HOUR' AND at >= ?";
  return (await db.query<{ at: Date }>(sql, [since])).map(({ at }) => at.getTime());
}

/** Newest first, from `since` on. */
export async function readTraffic(
  db: Sql,
  subjectIds: readonly string[],
  period: TrafficPeriod,
  since: Date,
): Promise<readonly TrafficRow[]> {
  if (subjectIds.length === 0) return [];
  return db.query<TrafficRow>(
    `SELECT subject_id AS subjectId, at, requests, errors, server_errors AS serverErrors, sessions, bytes_in AS bytesIn,
      bytes_out AS bytesOut, latency_ms AS latencyMs
    FROM lb_traffic WHERE subject_id IN (${subjectIds.map(() => '?').join(', ')}) AND period = ? AND at >= ? ORDER BY at DESC`,
    [...subjectIds, period, since],
  );
}

interface TrafficTotals {
  readonly subjectId: string;
  readonly requests: number;
  readonly errors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** End of the newest period. */
  readonly until: Date;
}

/** From all hours, and from the minutes that are not in an hour yet. */
export async function trafficTotals(db: Sql, subjectIds: readonly string[]): Promise<readonly TrafficTotals[]> {
  if (subjectIds.length === 0) return [];
  const marks = subjectIds.map(() => '?').join(', ');
  return db.query<TrafficTotals>(
    `SELECT t.subject_id AS subjectId, SUM(requests) AS requests, SUM(errors) AS errors, SUM(bytes_in) AS bytesIn, SUM(bytes_out) AS bytesOut,
      MAX(IF(period = 'HOUR', at + INTERVAL 1 HOUR, at + INTERVAL 1 MINUTE)) AS until
    FROM lb_traffic t LEFT JOIN (SELECT subject_id, MAX(at) AS last FROM lb_traffic WHERE subject_id IN (${marks}) AND period = 'HOUR'
      GROUP BY subject_id) h ON h.subject_id = t.subject_id
    WHERE t.subject_id IN (${marks}) AND (period = 'HOUR' OR period = 'MINUTE' AND (h.last IS NULL OR at >= h.last + INTERVAL 1 HOUR))
    GROUP BY t.subject_id`,
    [...subjectIds, ...subjectIds],
  );
}
