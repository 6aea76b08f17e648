// The backlog inside the system, read from its database: calls without a verdict, and status events without a sequence number.
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mariadb';
import { connectionOptions, type DatabaseLocation } from '../../platform/database/server-pools.ts';

interface Backlog {
  /** Operations in the backends' queues. */
  readonly pending: number;
  /** Operations on the wire, or without a verdict in the journal. */
  readonly sent: number;
  readonly unsequenced: number;
}

const statement = `SELECT
  (SELECT COUNT(*) FROM operation WHERE state = 'PENDING') AS pending,
  (SELECT COUNT(*) FROM operation WHERE state = 'SENT') AS sent,
  (SELECT COUNT(*) FROM status_change WHERE seq IS NULL) AS unsequenced`;
const sampleMs = 250;

export class BacklogReader {
  readonly #connection: Awaited<ReturnType<typeof createConnection>>;

  private constructor(connection: Awaited<ReturnType<typeof createConnection>>) {
    this.#connection = connection;
    // Without a listener, a lost connection would end the process.
    connection.on('error', () => {});
  }

  static async open(stack: AsyncDisposableStack, database: DatabaseLocation): Promise<BacklogReader> {
    const reader = new BacklogReader(await createConnection(connectionOptions(database)));
    stack.defer(() => reader.#connection.end());
    return reader;
  }

  async read(): Promise<Backlog> {
    const rows = (await this.#connection.query(statement)) as Backlog[];
    const [row] = rows;
    if (row === undefined) throw new Error('the database gave no row');
    return row;
  }

  /** Reads it repeatedly during this time. */
  async during(forMs: number): Promise<readonly Backlog[]> {
    const samples: Backlog[] = [];
    for (const endMs = performance.now() + forMs; performance.now() < endMs; await sleep(sampleMs))
      samples.push(await this.read());
    return samples;
  }
}
