// The tables of alert rules. Reads through the model; writes are SQL inside the mutation's own transaction.
import { always, type Database, type Sql, type Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import type { AlertCondition, AlertSeverity } from '../../spec/alert-conditions.ts';
import type { AlertRule } from './alert-rule.ts';
import { scopeOf } from './alert-scope.ts';

export type NewAlertRule = Omit<AlertRule, 'version' | 'settingsVersion' | 'createdAt' | 'updatedAt' | 'checkedInAt'>;

const ruleList: ListTable = {
  ...{ table: 'alert_rule', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'alert_rule_list_idx' },
  ofProject: { time: 'alert_rule_project_idx', name: 'alert_rule_project_name_idx' },
};

const shown = {
  ...{
    id: true,
    version: true,
    settingsVersion: true,
    projectId: true,
    name: true,
    condition: true,
    severity: true,
    enabled: true,
  },
  ...{ lastsMs: true, withinMs: true, resolveAfterMs: true, repeatMs: true, subjectType: true, subjectId: true },
  ...{ checkedInAt: true, createdAt: true, updatedAt: true },
} as const;

export class AlertRuleStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, AlertRule>> {
    const rows = await this.#db.prisma.alertRule.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(rows.map((row) => [row.id, typed(row)]));
  }

  page(filter: ListFilter): Promise<Page<AlertRule>> {
    return pageOfList(this.#db, ruleList, filter, (ids) => this.byIds(ids));
  }

  /** The UUIDs of the channels of rules, by rule. */
  channelsOf(ruleIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.channelsInside(this.#db, ruleIds);
  }

  /** Channels of the rules' alerts, by rule: its own, or the default channel. */
  async toldChannels(sql: Sql, ruleIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const own = await this.channelsInside(sql, ruleIds);
    const without = ruleIds.filter((id) => own.get(id)?.length === 0);
    if (without.length === 0) return own;
    const rows = await sql.query<{ ruleId: string; channelId: string }>(
      `SELECT r.id AS ruleId, c.id AS channelId FROM alert_rule r JOIN alert_channel c ON c.default_scope = r.scope
        WHERE r.id IN (${marksFor(without)})`,
      without,
    );
    return new Map([...own, ...rows.map(({ ruleId, channelId }) => [ruleId, [channelId]] as const)]);
  }

  /** By rule: whether no channel gets its alerts. */
  async silentAmong(ruleIds: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
    const told = await this.toldChannels(this.#db, ruleIds);
    const ids = [...new Set([...told.values()].flat())];
    const where = { id: { in: ids }, enabled: true };
    const rows = await this.#db.prisma.alertChannel.findMany({ where, select: { id: true } });
    const enabled = new Set(rows.map(({ id }) => id));
    return new Map(ruleIds.map((id) => [id, !(told.get(id) ?? []).some((each) => enabled.has(each))]));
  }

  /** The same query inside a transaction. */
  async channelsInside(sql: Sql, ruleIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    if (ruleIds.length === 0) return new Map();
    const rows = await sql.query<{ ruleId: string; channelId: string }>(
      `SELECT rule_id AS ruleId, channel_id AS channelId FROM alert_rule_channel WHERE rule_id IN (${marksFor(ruleIds)}) ORDER BY channel_id`,
      ruleIds,
    );
    const grouped = Map.groupBy(rows, ({ ruleId }) => ruleId);
    return new Map(ruleIds.map((id) => [id, (grouped.get(id) ?? []).map(({ channelId }) => channelId)]));
  }

  /** Count for a project (UUID), or for the installation. Its scope must be locked. */
  async count(tx: Transaction, projectId: string | null): Promise<number> {
    const sql = 'SELECT COUNT(*) AS count FROM alert_rule WHERE scope = ?';
    return Number((await tx.query<{ count: number }>(sql, [scopeOf(projectId)]))[0]?.count ?? 0);
  }

  /** Throws the database's duplicate key error. */
  async insert(tx: Transaction, rule: NewAlertRule): Promise<void> {
    await tx.execute(
      `INSERT INTO alert_rule (id, project_id, scope, name, condition_name, severity, enabled, lasts_ms, within_ms, resolve_after_ms,
        repeat_ms, subject_type, subject_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        ...[rule.id, rule.projectId, scopeOf(rule.projectId), rule.name, rule.condition, rule.severity, rule.enabled],
        ...[rule.lastsMs, rule.withinMs, rule.resolveAfterMs, rule.repeatMs, rule.subjectType, rule.subjectId],
      ],
    );
  }

  async lock(tx: Transaction, id: string): Promise<AlertRule | undefined> {
    const rows = await tx.query<StoredRule>(`SELECT ${columns} FROM alert_rule WHERE id = ? FOR UPDATE`, [id]);
    return rows[0] && typed(rows[0]);
  }

  async update(tx: Transaction, rule: AlertRule): Promise<void> {
    await tx.execute(
      `UPDATE alert_rule SET severity = ?, enabled = ?, lasts_ms = ?, within_ms = ?, resolve_after_ms = ?, repeat_ms = ?,
        settings_version = version + 1, version = version + 1, updated_at = NOW(3) WHERE id = ?`,
      [rule.severity, rule.enabled, rule.lastsMs, rule.withinMs, rule.resolveAfterMs, rule.repeatMs, rule.id],
    );
  }

  async checkIn(tx: Transaction, id: string): Promise<void> {
    await tx.execute('UPDATE alert_rule SET checked_in_at = NOW(3), version = version + 1 WHERE id = ?', [id]);
  }

  /** Seconds since the last check-in, by the name of the installation's rule. */
  async checkInAges(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db.query<{ name: string; seconds: number }>(
      `SELECT name, TIMESTAMPDIFF(MICROSECOND, checked_in_at, NOW(3)) / 1e6 AS seconds FROM alert_rule
        WHERE condition_name = 'CHECK_IN_LATE' AND project_id IS NULL AND checked_in_at IS NOT NULL`,
    );
    return new Map(rows.map(({ name, seconds }) => [name, Number(seconds)]));
  }

  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.execute('DELETE FROM alert_rule WHERE id = ?', [id]);
  }

  async setChannels(tx: Transaction, id: string, channelIds: readonly string[]): Promise<void> {
    await tx.execute('DELETE FROM alert_rule_channel WHERE rule_id = ?', [id]);
    if (channelIds.length === 0) return;
    await tx.execute(
      `INSERT INTO alert_rule_channel (rule_id, channel_id) VALUES ${channelIds.map(() => '(?, ?)').join(', ')}`,
      channelIds.flatMap((channelId) => [id, channelId]),
    );
  }

  /** All rules, for the watch. */
  async all(tx: Transaction): Promise<readonly AlertRule[]> {
    const rows = await tx.query<StoredRule>(`SELECT ${columns} FROM alert_rule ORDER BY id`);
    return rows.map(typed);
  }
}

/** With its channels. For a history of its settings. */
export async function readRuleInside(
  sql: Sql,
  id: string,
): Promise<{ readonly rule: AlertRule; readonly channelIds: readonly string[] } | undefined> {
  const [row] = await sql.query<StoredRule>(`SELECT ${columns} FROM alert_rule WHERE id = ?`, [id]);
  if (row === undefined) return undefined;
  const channels = await sql.query<{ channelId: string }>(
    'SELECT channel_id AS channelId FROM alert_rule_channel WHERE rule_id = ? ORDER BY channel_id',
    [id],
  );
  return { rule: typed(row), channelIds: channels.map(({ channelId }) => channelId) };
}

const columns = `id, version, settings_version AS settingsVersion, project_id AS projectId, name, condition_name AS \`condition\`, severity, enabled, lasts_ms AS lastsMs,
  within_ms AS withinMs, resolve_after_ms AS resolveAfterMs, repeat_ms AS repeatMs, subject_type AS subjectType, subject_id AS subjectId,
  checked_in_at AS checkedInAt, created_at AS createdAt, updated_at AS updatedAt`;

type StoredRule = Omit<AlertRule, 'condition' | 'severity' | 'enabled'> & {
  readonly condition: string;
  readonly severity: string;
  readonly enabled: boolean | number;
};

function typed({ condition, severity, enabled, ...row }: StoredRule): AlertRule {
  return {
    ...row,
    ...{ condition: condition as AlertCondition, severity: severity as AlertSeverity, enabled: Boolean(enabled) },
  };
}
