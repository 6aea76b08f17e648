// A fresh, migrated database for one test file on the run's MariaDB, and a Redis key prefix beside it.

import { randomBytes } from 'node:crypto';
import { type Connection, createConnection } from 'mariadb';
import { testServers } from './servers.ts';

export interface TestDatabase {
  readonly name: string;
  /** For the mariadb driver and the Prisma adapter; the account has the application's rights (no SUPER). */
  readonly connection: { socketPath: string; user: string; password: string; database: string };
  /** For actions not allowed to an application: KILL, global variables, reading other sessions. */
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
    if (options.migrated !== false && servers.templateDatabase !== undefined) {
      await copyDatabase(root, servers.templateDatabase, name);
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

/** Tables with their rows, views and triggers; foreign keys are part of the tables' definitions. */
async function copyDatabase(root: Connection, from: string, to: string): Promise<void> {
  const tables = await root.query<{ name: string; kind: string; rows_: bigint }[]>(
    'SELECT table_name AS name, table_type AS kind, table_rows AS rows_ FROM information_schema.tables WHERE table_schema = ? ORDER BY table_name',
    [from],
  );
  const statements: string[] = [];
  for (const table of tables.filter((each) => each.kind === 'BASE TABLE')) {
    const [shown] = await root.query<Record<string, string>[]>(`SHOW CREATE TABLE \`${from}\`.\`${table.name}\``);
    statements.push(
      shown?.['Create Table'] ?? '',
      `INSERT INTO \`${to}\`.\`${table.name}\` SELECT * FROM \`${from}\`.\`${table.name}\``,
    );
  }
  const triggers = await root.query<{ name: string }[]>(
    'SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = ?',
    [from],
  );
  for (const trigger of triggers) {
    const [shown] = await root.query<Record<string, string>[]>(`SHOW CREATE TRIGGER \`${from}\`.\`${trigger.name}\``);
    statements.push(shown?.['SQL Original Statement'] ?? '');
  }
  if (tables.some((each) => each.kind !== 'BASE TABLE')) throw new Error('The template has views: copy them here.');
  await root.query(`USE \`${to}\`; SET foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0`);
  for (const statement of statements) await root.query(statement);
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
