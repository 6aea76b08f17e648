// The table of alerts. Only the watch creates and resolves alerts; people acknowledge them.
import type { Database, Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import type { IndexRange } from '../../../../platform/database/range-search.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { ListOrder, Page, PageArguments } from '../../../../platform/pages/connection.ts';
import { pageOfRanges } from '../../../../platform/pages/entity-list.ts';
import type { OpenAlert } from '../../rules/alerts/evaluate.ts';
import type { AlertCondition, AlertSeverity, AlertState } from '../../spec/alert-conditions.ts';
import type { Acknowledgement, Alert } from './alert.ts';

interface AlertFilter extends PageArguments {
  readonly orderBy: ListOrder;
  /** UUIDs. */
  readonly projects: 'all' | readonly string[];
  readonly states?: readonly AlertState[] | null | undefined;
}

export interface NewAlert
  extends Omit<
    Alert,
    'version' | 'state' | 'acknowledgement' | 'resolvedAt' | 'lastNotifiedAt' | 'createdAt' | 'updatedAt'
  > {
  readonly toldMs: number;
}

const alertsAtOnce = 200;

export class AlertStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Alert>> {
    return new Map((await readAlerts(this.#db, ids)).map((alert) => [alert.id, alert]));
  }

  page({ projects, states, ...page }: AlertFilter): Promise<Page<Alert>> {
    const search = { table: 'alert', key: ['id'], ranges: rangesOf(projects, states ?? undefined), rest: undefined };
    return pageOfRanges(this.#db, search, page, (ids) => this.byIds(ids));
  }

  async lock(tx: Transaction, id: string): Promise<Alert | undefined> {
    const rows = await tx.query<StoredAlert>(`SELECT ${columns} FROM alert WHERE id = ? FOR UPDATE`, [id]);
    return rows[0] && typed(rows[0]);
  }

  async acknowledge(tx: Transaction, id: string, by: Omit<Acknowledgement, 'at'>): Promise<void> {
    await tx.execute(
      `UPDATE alert SET state = 'ACKNOWLEDGED', acknowledged_at = NOW(3), acknowledged_kind = ?, acknowledged_id = ?,
        acknowledged_name = ?, version = version + 1, updated_at = NOW(3) WHERE id = ?`,
      [by.kind, by.id, by.name.slice(0, 255), id],
    );
  }
}

/** Open ones of all rules, for the watch. */
export async function openAlerts(tx: Transaction): Promise<readonly OpenAlert[]> {
  const rows = await tx.query<OpenAlert>(
    `SELECT id, rule_id AS ruleId, subject_type AS subjectType, subject_id AS subjectId, state, clear_since_ms AS clearSinceMs,
      told_ms AS toldMs FROM alert WHERE open_key IS NOT NULL ORDER BY id`,
  );
  return rows.map((row) => ({
    ...row,
    ...{ clearSinceMs: row.clearSinceMs === null ? null : Number(row.clearSinceMs), toldMs: Number(row.toldMs) },
  }));
}

const mostCounted = 10_000;

/** Number of firing alerts without a project. Null if more than 10,000. */
export async function countInstallationAlerts(sql: Sql): Promise<number | null> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT COUNT(*) AS count FROM (SELECT 1 FROM alert FORCE INDEX (alert_project_state_idx)
      WHERE project_id IS NULL AND state = 'FIRING' LIMIT ${mostCounted + 1}) some`,
  );
  const count = Number(row?.count ?? 0);
  return count > mostCounted ? null : count;
}

/** Locks them. */
export async function lockAlerts(tx: Transaction, ids: readonly string[]): Promise<readonly Alert[]> {
  if (ids.length === 0) return [];
  const sql = `SELECT ${columns} FROM alert WHERE id IN (${marksFor(ids)}) ORDER BY id FOR UPDATE`;
  return (await tx.query<StoredAlert>(sql, ids)).map(typed);
}

export async function readAlerts(sql: Pick<Transaction, 'query'>, ids: readonly string[]): Promise<readonly Alert[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query<StoredAlert>(
    `SELECT ${columns} FROM alert WHERE id IN (${marksFor(ids)}) ORDER BY id`,
    ids,
  );
  return rows.map(typed);
}

export async function insertAlerts(tx: Transaction, alerts: readonly NewAlert[]): Promise<void> {
  for (let at = 0; at < alerts.length; at += alertsAtOnce) {
    const some = alerts.slice(at, at + alertsAtOnce);
    const row = `(${marksFor(valuesOf(some[0] as NewAlert))})`;
    await tx.execute(
      `INSERT INTO alert (id, project_id, rule_id, rule_name, condition_name, severity, subject_type, subject_id, open_key, state,
        status, reason, subject_name, cmp_namespace, cmp_type, cmp_id, since_at, told_ms, cursor_text)
        VALUES ${some.map(() => row).join(', ')}`,
      some.flatMap(valuesOf),
    );
  }
}

function valuesOf(alert: NewAlert): SqlValue[] {
  const { id, projectId, ruleId, ruleName, condition, severity, subjectType, subjectId, cmpObject } = alert;
  return [
    ...[id, projectId, ruleId, ruleName, condition, severity, subjectType, subjectId],
    ...[`${ruleId}/${subjectType}/${subjectId}`, 'FIRING', alert.status, alert.reason, alert.subjectName],
    ...[cmpObject?.namespace ?? null, cmpObject?.type ?? null, cmpObject?.externalId ?? null],
    ...[alert.since, alert.toldMs, alert.cursor],
  ];
}

export async function setClear(tx: Transaction, ids: readonly string[], clearSinceMs: number | null): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(`UPDATE alert SET clear_since_ms = ? WHERE id IN (${marksFor(ids)})`, [clearSinceMs, ...ids]);
}

export async function setTold(tx: Transaction, ids: readonly string[], toldMs: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(`UPDATE alert SET told_ms = ? WHERE id IN (${marksFor(ids)})`, [toldMs, ...ids]);
}

export async function resolveAlerts(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(
    `UPDATE alert SET state = 'RESOLVED', open_key = NULL, clear_since_ms = NULL, resolved_at = NOW(3), version = version + 1,
      updated_at = NOW(3) WHERE id IN (${marksFor(ids)})`,
    ids,
  );
}

/** Marks the alerts of a message that a channel has accepted. */
export async function recordNotified(tx: Transaction, notificationId: string): Promise<void> {
  await tx.execute(
    `UPDATE alert SET last_notified_at = NOW(3) WHERE id IN (SELECT alert_id FROM alert_notice WHERE notification_id = ?)`,
    [notificationId],
  );
}

function rangesOf(projects: AlertFilter['projects'], states: readonly AlertState[] | undefined): readonly IndexRange[] {
  const each = states === undefined ? [undefined] : [...new Set(states)];
  const own = projects === 'all' ? [undefined] : projects;
  return own.flatMap((project) =>
    each.map((state) => {
      const parts = [
        ...(project === undefined ? [] : [{ sql: 'project_id = ?', value: project }]),
        ...(state === undefined ? [] : [{ sql: 'state = ?', value: state }]),
      ];
      return {
        index: indexOf(project !== undefined, state !== undefined),
        condition: {
          sql: parts.map(({ sql }) => sql).join(' AND ') || '1 = 1',
          values: parts.map(({ value }) => value),
        },
      };
    }),
  );
}

function indexOf(ofProject: boolean, ofState: boolean): string {
  if (ofProject) return ofState ? 'alert_project_state_idx' : 'alert_project_idx';
  return ofState ? 'alert_state_idx' : 'PRIMARY';
}

const columns = `id, version, project_id AS projectId, rule_id AS ruleId, rule_name AS ruleName, condition_name AS \`condition\`, severity,
  state, subject_type AS subjectType, subject_id AS subjectId, subject_name AS subjectName, cmp_namespace AS cmpNamespace,
  cmp_type AS cmpType, cmp_id AS cmpId, status, reason, since_at AS since, cursor_text AS \`cursor\`, acknowledged_at AS acknowledgedAt,
  acknowledged_kind AS acknowledgedKind, acknowledged_id AS acknowledgedId, acknowledged_name AS acknowledgedName,
  resolved_at AS resolvedAt, last_notified_at AS lastNotifiedAt, created_at AS createdAt, updated_at AS updatedAt`;

interface StoredAlert extends Omit<Alert, 'cmpObject' | 'acknowledgement' | 'condition' | 'severity' | 'state'> {
  readonly condition: string;
  readonly severity: string;
  readonly state: string;
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
  readonly acknowledgedAt: Date | null;
  readonly acknowledgedKind: string | null;
  readonly acknowledgedId: string | null;
  readonly acknowledgedName: string | null;
}

function typed(row: StoredAlert): Alert {
  const { cmpNamespace, cmpType, cmpId, acknowledgedAt, acknowledgedKind, acknowledgedId, acknowledgedName, ...rest } =
    row;
  return {
    ...rest,
    condition: rest.condition as AlertCondition,
    severity: rest.severity as AlertSeverity,
    state: rest.state as AlertState,
    cmpObject: storedCmpObject({ cmpNamespace, cmpType, cmpId }),
    acknowledgement:
      acknowledgedAt === null || acknowledgedKind === null || acknowledgedId === null
        ? null
        : { at: acknowledgedAt, kind: acknowledgedKind, id: acknowledgedId, name: acknowledgedName ?? '' },
  };
}
