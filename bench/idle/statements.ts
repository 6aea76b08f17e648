// Which statements an installation sends, from MariaDB's general log: equal ones are those that differ in values alone.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mariadb';

interface SentStatement {
  readonly text: string;
  /** Statements a second. */
  readonly rate: number;
}

const shownLength = 200;
/** Also executions of prepared statements, which the log shows with their values. */
const kinds = "'Query', 'Execute', 'Connect', 'Prepare'";

/** Empties the log's table. The most frequent ones are first. */
export async function statementsPerSecond(
  database: Connection,
  seconds: number,
  signal: AbortSignal,
): Promise<readonly SentStatement[]> {
  await database.query("SET GLOBAL log_output = 'TABLE'");
  await database.query('TRUNCATE mysql.general_log');
  await database.query('SET GLOBAL general_log = 1');
  await sleep(seconds * 1000, undefined, { signal });
  await database.query('SET GLOBAL general_log = 0');
  const rows: { readonly kind: string; readonly text: string }[] = await database.query(
    `SELECT command_type AS kind, CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
      WHERE command_type IN (${kinds}) AND thread_id <> CONNECTION_ID()`,
  );
  const byText = new Map<string, number>();
  for (const { kind, text } of rows) {
    const shown = `${kind} ${withoutValues(text)}`.slice(0, shownLength);
    byText.set(shown, (byText.get(shown) ?? 0) + 1);
  }
  return [...byText].map(([text, count]) => ({ text, rate: count / seconds })).sort((a, b) => b.rate - a.rate);
}

function withoutValues(sql: string): string {
  return sql
    .replaceAll(/'(?:[^'\\]|\\.)*'/g, '?')
    .replaceAll(/\b\d+\b/g, '?')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\?(?:\s*,\s*\?)+/g, '?, …');
}
