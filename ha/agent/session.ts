// One connection to the own server, by its socket, as root. A statement that is late is left to end by itself, and nothing is sent
// after it: the connector's destroy() would have it killed over another connection, and a commit that waits for its
// acknowledgement would then be done without it.

import { type Connection, createConnection } from 'mariadb';
import { within } from '../../platform/within.ts';

export interface SessionPlace {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
}

export class Session {
  readonly #place: SessionPlace;
  readonly #opening: readonly string[];
  #connection: Connection | undefined;
  #pending: Promise<unknown> | undefined;

  /** `opening`: statements that each new connection begins with. */
  constructor(place: SessionPlace, opening: readonly string[] = []) {
    this.#place = place;
    this.#opening = opening;
  }

  /** Rejects at once while an earlier statement has not ended. */
  async query<Rows>(sql: string, values: readonly unknown[], timeoutMs: number): Promise<Rows> {
    if (this.#pending !== undefined) throw new Error('an earlier statement has not ended');
    const work = this.#run<Rows>(sql, values);
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#pending = settled;
    void settled.then(() => {
      if (this.#pending === settled) this.#pending = undefined;
    });
    return within(timeoutMs, `no end of: ${sql.slice(0, 60)}`, () => work);
  }

  /** For a server that has ended. */
  forget(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#pending = undefined;
    connection?.end().catch(() => undefined);
  }

  async #run<Rows>(sql: string, values: readonly unknown[]): Promise<Rows> {
    const connection = this.#connection ?? (await this.#connect());
    return connection.query<Rows>(sql, [...values]);
  }

  async #connect(): Promise<Connection> {
    const connection = await createConnection({ ...this.#place, connectTimeout: 2_000, bigIntAsNumber: true });
    connection.on('error', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    connection.on('end', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    for (const each of this.#opening) await connection.query(each);
    this.#connection = connection;
    return connection;
  }
}
