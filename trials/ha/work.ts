// Work on a database host during a fault: DDL, a large transaction, or a manual write on the standby.
import type { DataHost } from './network.ts';
import type { Pair } from './pair.ts';
import { database } from './settings.ts';

const workTimeoutMs = 60_000;
const bigRows = 1_600;
const bigRowBytes = 65_536;

/** Copies the rows of a table, which takes some seconds. */
export async function changeTable(system: Pair, host: DataHost): Promise<void> {
  await inSession(system, host, async (run) => {
    await run(`CREATE TABLE IF NOT EXISTS ${database}.ha_changed (id INT PRIMARY KEY, text CHAR(200) NOT NULL)`);
    await run(`INSERT IGNORE INTO ${database}.ha_changed SELECT seq, REPEAT('x', 200) FROM ${sequence(200_000)}`);
    await run(`ALTER TABLE ${database}.ha_changed ADD COLUMN added${Date.now()} INT NULL, ALGORITHM = COPY`);
  });
}

/** About 100 MB in the binary log. */
export async function bigTransaction(system: Pair, host: DataHost): Promise<void> {
  await inSession(system, host, async (run) => {
    await run(`CREATE OR REPLACE TABLE ${database}.ha_big (id INT PRIMARY KEY, text LONGTEXT NOT NULL)`);
    await run(`INSERT INTO ${database}.ha_big SELECT seq, REPEAT('x', ${bigRowBytes}) FROM ${sequence(bigRows)}`);
  });
}

/** Runs as root, who may write on a read-only server. Resolves with its GTID. */
export async function addErrant(system: Pair, host: DataHost, key: string): Promise<string> {
  let gtid = '';
  await inSession(system, host, async (run) => {
    await run(`INSERT INTO ${database}.ha_write (id, epoch, server) VALUES ('${key}', 0, 0)`);
    const [row] = await run<{ gtid: string }[]>('SELECT @@last_gtid AS gtid');
    gtid = row?.gtid ?? '';
  });
  return gtid;
}

type Run = <Rows>(sql: string) => Promise<Rows>;

async function inSession(system: Pair, host: DataHost, work: (run: Run) => Promise<void>): Promise<void> {
  const session = system.sql(host);
  try {
    await work((sql) => session.query(sql, [], workTimeoutMs));
  } finally {
    session.forget();
  }
}

/** Numbers from 1, as the column seq. */
export function sequence(length: number): string {
  const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(' UNION ALL ');
  const places = Array.from({ length: String(length - 1).length }, (_, place) => `(${digits}) AS t${place}`);
  const value = places.map((_, place) => `t${place}.d * ${10 ** place}`).join(' + ');
  return `(SELECT 1 + ${value} AS seq FROM ${places.join(' JOIN ')} HAVING seq <= ${length}) AS numbers`;
}
