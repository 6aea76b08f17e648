// SQL of subjects in a condition, and of alerts, whose subjects have no name yet.
import type { Database } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { namedTypes } from '../../spec/alert-conditions.ts';

export interface NamelessSubject {
  readonly subjectType: string;
  /** UUID. */
  readonly subjectId: string;
  /** UUID. */
  readonly projectId: string | null;
}

interface NamelessRow extends NamelessSubject {
  readonly condition: string;
  /** Null if the row describes a subject in the condition. */
  readonly alertId: string | null;
}

/** Limit of the newest rows of each kind, so that rows of deleted subjects don't hide others. */
const mostAtOnce = 200;
const types = Object.keys(namedTypes);
const isNameless = (row: string) => `${row}.subject_name IS NULL AND ${row}.subject_type IN (${marksFor(types)})`;

/** Rows of open alerts, of subjects in a condition, and of the newest resolved alerts. */
export async function namelessRows(db: Database): Promise<readonly NamelessRow[]> {
  const shown = `a.condition_name AS \`condition\`, a.subject_type AS subjectType, a.subject_id AS subjectId,
    COALESCE(s.project_id, a.project_id) AS projectId, a.id AS alertId`;
  const joined = `LEFT JOIN alert_signal s ON s.condition_name = a.condition_name AND s.subject_type = a.subject_type
    AND s.subject_id = a.subject_id WHERE ${isNameless('a')}`;
  const open = `SELECT ${shown} FROM alert a ${joined} AND a.open_key IS NOT NULL ORDER BY a.id DESC LIMIT ?`;
  const standing = `SELECT s.condition_name, s.subject_type, s.subject_id, s.project_id, NULL FROM alert_signal s
    WHERE ${isNameless('s')} ORDER BY s.since_ms DESC LIMIT ?`;
  const last = `SELECT * FROM alert FORCE INDEX (alert_state_idx) WHERE state = 'RESOLVED' ORDER BY id DESC LIMIT ?`;
  const rows = await db.query<NamelessRow>(
    `(${open}) UNION ALL (${standing}) UNION ALL (SELECT ${shown} FROM (${last}) a ${joined})`,
    [...types, mostAtOnce, ...types, mostAtOnce, mostAtOnce, ...types],
  );
  return rows.filter(({ projectId }) => projectId !== null);
}

/** Messages that wait are completed when they are sent. */
export async function storeName(db: Database, row: NamelessRow, name: string): Promise<void> {
  const { condition, subjectType, subjectId, alertId } = row;
  if (alertId !== null) await db.execute('UPDATE alert SET subject_name = ? WHERE id = ?', [name, alertId]);
  else
    await db.execute(
      'UPDATE alert_signal SET subject_name = ? WHERE condition_name = ? AND subject_type = ? AND subject_id = ?',
      [name, condition, subjectType, subjectId],
    );
}
