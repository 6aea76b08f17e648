// Counters of the MariaDB and the Redis of an installation of one machine.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Connection, createConnection } from 'mariadb';
import { rounded } from '../../measure/statistics.ts';

interface Counted {
  /** Statements, with those of blocks that the server runs by itself. */
  readonly queries: number;
  /** Of transactions that wrote. */
  readonly commits: number;
  readonly redoBytes: number;
  /** Commands. */
  readonly redis: number;
  readonly redisByCommand: ReadonlyMap<string, number>;
}

/** Its own few statements are part of the counters. */
export class IdleCounters implements AsyncDisposable {
  readonly database: Connection;
  readonly #redis: Redis;

  private constructor(database: Connection, redis: Redis) {
    this.database = database;
    this.#redis = redis;
  }

  static async open(dataPath: string): Promise<IdleCounters> {
    const password = (await readFile(join(dataPath, 'secrets/mariadb-root'), 'utf8')).trim();
    const socketPath = join(dataPath, 'run/mariadb.sock');
    const database = await createConnection({ socketPath, user: 'root', password, bigIntAsNumber: true });
    await database.query("SET GLOBAL innodb_monitor_enable = 'trx_rw_commits'");
    return new IdleCounters(database, new Redis({ path: join(dataPath, 'run/redis.sock') }));
  }

  async read(): Promise<Counted> {
    const rows: { readonly name: string; readonly value: string | number }[] = await this.database.query(
      `SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM information_schema.GLOBAL_STATUS
        WHERE VARIABLE_NAME IN ('QUERIES', 'INNODB_OS_LOG_WRITTEN')
        UNION ALL SELECT NAME, COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rw_commits'`,
    );
    const of = (name: string): number => {
      const found = rows.find((row) => row.name.toLowerCase() === name);
      if (found === undefined) throw new Error(`MariaDB does not count ${name}`);
      return Number(found.value);
    };
    const commands = /^total_commands_processed:(\d+)/m.exec(await this.#redis.info('stats'))?.[1];
    const stats = await this.#redis.info('commandstats');
    return {
      queries: of('queries'),
      commits: of('trx_rw_commits'),
      redoBytes: of('innodb_os_log_written'),
      redis: Number(commands),
      redisByCommand: new Map(
        [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
    await this.database.end();
  }
}

/** The most frequent ones are first. */
export function commandsPerSecond(
  before: Counted['redisByCommand'],
  after: Counted['redisByCommand'],
  seconds: number,
): Readonly<Record<string, number>> {
  const rates = [...after].map(([name, calls]): [string, number] => [
    name,
    rounded((calls - (before.get(name) ?? 0)) / seconds, 2),
  ]);
  return Object.fromEntries(rates.filter(([, rate]) => rate > 0).sort(([, a], [, b]) => b - a));
}
