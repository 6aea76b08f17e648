// MariaDB's statistics of its own work: COMMITs in total and, while its general log is on, its clients' statements.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';

export interface Logged {
  readonly elapsedMs: number;
  /** Round trips of the application. */
  readonly statements: number;
  /** Transactions of the application; not the sequencer's and the sealer's, which are one statement each. */
  readonly commits: number;
}

export class ServerLog {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** As root, whose password is in the data folder. */
  static async open(socketPath: string, dataPath: string): Promise<ServerLog> {
    const password = (await readFile(join(dataPath, 'secrets', 'mariadb-root'), 'utf8')).trim();
    const connection = await createConnection({ socketPath, user: 'root', password, connectTimeout: 5_000 });
    // Without a listener, a lost connection would end the process.
    connection.on('error', () => {});
    return new ServerLog(connection);
  }

  /** COMMITs so far, including those inside of the sequencer's and the sealer's statements. */
  allCommits(): Promise<number> {
    return this.status('Com_commit');
  }

  /** A counter of `SHOW GLOBAL STATUS`. */
  async status(name: string): Promise<number> {
    const rows = (await this.#connection.query('SHOW GLOBAL STATUS LIKE ?', [name])) as { Value: string }[];
    return Number(rows[0]?.Value ?? Number.NaN);
  }

  /** The rows of each table of the application. */
  async rows(): Promise<ReadonlyMap<string, number>> {
    const tables = (await this.#connection.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'tidegate' AND table_type = 'BASE TABLE'",
    )) as { name: string }[];
    const count = async (name: string): Promise<[string, number]> => {
      const [row] = (await this.#connection.query(`SELECT COUNT(*) AS n FROM tidegate.\`${name}\``)) as { n: bigint }[];
      return [name, Number(row?.n)];
    };
    return new Map(await Promise.all(tables.map(({ name }) => count(name))));
  }

  /** The application's statements during `work`; the log slows it down. */
  async during(work: () => Promise<unknown>): Promise<Logged> {
    await this.#connection.query("SET GLOBAL log_output = 'TABLE'");
    await this.#connection.query('TRUNCATE mysql.general_log');
    await this.#connection.query('SET GLOBAL general_log = ON');
    const startMs = performance.now();
    let elapsedMs = 0;
    try {
      await work();
    } finally {
      elapsedMs = performance.now() - startMs;
      await this.#connection.query('SET GLOBAL general_log = OFF');
    }
    const rows = (await this.#connection.query(
      `SELECT COUNT(*) AS statements,
        COUNT(IF(argument = 'COMMIT' OR argument LIKE 'BEGIN NOT ATOMIC%COMMIT;%END', 1, NULL)) AS commits
      FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') AND user_host LIKE 'tidegate%'`,
    )) as { statements: bigint; commits: bigint }[];
    return { elapsedMs, statements: Number(rows[0]?.statements), commits: Number(rows[0]?.commits) };
  }

  async close(): Promise<void> {
    await this.#connection.end();
  }
}
