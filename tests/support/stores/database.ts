// A fresh, migrated database for one test file on the run's MariaDB, and a Redis key prefix beside it.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Connection, createConnection } from 'mariadb';
import { testServers } from './servers.ts';

export interface TestDatabase {
  readonly name: string;
  /** For the mariadb driver and the Prisma adapter; the account has the application's rights (no SUPER). */
  readonly connection: { socketPath: string; user: string; password: string; database: string };
  /** For actions that an application may not do: KILL, global variables, reading other sessions. */
  readonly rootConnection: { socketPath: string; user: string; password: string; database: string };
  /** Unix socket of the run's Redis, shared by all test files: use `redisPrefix` for every key. */
  readonly redisPath: string;
  readonly redisPrefix: string;
  /** Removes the database and every connection to it. */
  drop(): Promise<void>;
}

/** `migrated: false` gives an empty database, for tests of the migrations themselves. */
export async function testDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const servers = testServers();
  const suffix = randomBytes(6).toString('hex');
  const name = `tidegate_${suffix}`;
  const root = await createConnection({ ...servers.mariadb, multipleStatements: true });
  try {
    await root.query(`CREATE DATABASE \`${name}\``);
    if (options.migrated !== false && servers.templateFile !== undefined) {
      const template = await readFile(servers.templateFile, 'utf8');
      // Each is a separate installation.
      await root.query(`USE \`${name}\`;\n${template};\nUPDATE db_timeline SET history = UUID()`);
    }
  } finally {
    await root.end();
  }
  return {
    name,
    connection: { ...servers.application, database: name },
    rootConnection: { ...servers.mariadb, database: name },
    redisPath: servers.redisPath,
    redisPrefix: `{${suffix}}`,
    drop: () => dropDatabase(name),
  };
}

/**
 * Tables with their rows and triggers; foreign keys are part of the tables' definitions. `isConsistent`: `from` is in use, and its tables
 * are locked while they are read.
 */
export async function copyDatabase(
  root: Connection,
  from: string,
  to: string,
  { isConsistent = false }: { readonly isConsistent?: boolean } = {},
): Promise<void> {
  const { tables, triggers } = await definitionsOf(root, from);
  const locks = tables.flatMap(({ name }) => [`\`${from}\`.\`${name}\` READ`, `\`${to}\`.\`${name}\` WRITE`]);
  const statements = tables.map(({ sql }) => sql);
  if (isConsistent && locks.length > 0) statements.push(`LOCK TABLES ${locks.join(', ')}`);
  for (const { name } of tables)
    statements.push(
      // Running processes may have written to it since it was created.
      ...(isConsistent ? [`DELETE FROM \`${to}\`.\`${name}\``] : []),
      `INSERT INTO \`${to}\`.\`${name}\` SELECT * FROM \`${from}\`.\`${name}\``,
    );
  if (isConsistent) statements.push('UNLOCK TABLES');
  await root.query(`USE \`${to}\`; ${unchecked}`);
  for (const statement of [...statements, ...triggers, trustsItsClock]) await root.query(statement);
}

/**
 * One SQL text that creates the tables of `from` with their rows and triggers in the session's database. Nothing may
 * change `from` meanwhile.
 */
export async function copyingText(root: Connection, from: string): Promise<string> {
  const { tables, triggers } = await definitionsOf(root, from);
  const filled: string[] = [];
  for (const { name } of tables) {
    const [found] = await root.query<{ any: number }[]>(`SELECT EXISTS (SELECT 1 FROM \`${from}\`.\`${name}\`) AS any`);
    if (Number(found?.any) === 1) filled.push(`INSERT INTO \`${name}\` SELECT * FROM \`${from}\`.\`${name}\``);
  }
  return [unchecked, ...tables.map(({ sql }) => sql), ...filled, ...triggers, trustsItsClock].join(';\n');
}

const unchecked = 'SET foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0';
/** Most tests run nothing that maintains the trusted time, so they trust the database's clock. */
const trustsItsClock = "UPDATE trusted_clock SET trusted_at = '9999-12-31'";

async function definitionsOf(root: Connection, from: string) {
  const named = await root.query<{ name: string; kind: string }[]>(
    'SELECT table_name AS name, table_type AS kind FROM information_schema.tables WHERE table_schema = ? ORDER BY table_name',
    [from],
  );
  if (named.some(({ kind }) => kind !== 'BASE TABLE')) throw new Error('The template has views: copy them here.');
  const tables: { readonly name: string; readonly sql: string }[] = [];
  for (const { name } of named) {
    const [shown] = await root.query<Record<string, string>[]>(`SHOW CREATE TABLE \`${from}\`.\`${name}\``);
    tables.push({ name, sql: shown?.['Create Table'] ?? '' });
  }
  const triggers: string[] = [];
  const triggerNames = await root.query<{ name: string }[]>(
    'SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = ?',
    [from],
  );
  for (const { name } of triggerNames) {
    const [shown] = await root.query<Record<string, string>[]>(`SHOW CREATE TRIGGER \`${from}\`.\`${name}\``);
    triggers.push(shown?.['SQL Original Statement'] ?? '');
  }
  return { tables, triggers };
}

async function dropDatabase(name: string): Promise<void> {
  const root = await createConnection({ ...testServers().mariadb });
  try {
    const sessions = await root.query<{ id: bigint }[]>(
      'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()',
      [name],
    );
    for (const session of sessions) await root.query(`KILL CONNECTION ${session.id}`).catch(() => {});
    await root.query(`DROP DATABASE IF EXISTS \`${name}\``);
  } finally {
    await root.end();
  }
}
