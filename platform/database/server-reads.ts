// Reads of one server at its own address, whether it is the primary or not.
import { createPool, type Pool } from 'mariadb';
import type { Sql, SqlValue } from './database.ts';
import { cutPools, type DatabaseLocation, Sockets } from './server-pools.ts';

export class ServerReads implements Pick<Sql, 'query'> {
  readonly #sockets: Sockets;
  readonly #pool: Pool;

  constructor(location: DatabaseLocation) {
    this.#sockets = new Sockets(location);
    this.#pool = createPool({
      ...this.#sockets.options(),
      ...{ connectionLimit: 2, minimumIdle: 1, idleTimeout: 60, acquireTimeout: 1_500, resetAfterUse: false },
    });
  }

  query<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#pool.query(sql, [...values]);
  }

  close(): Promise<void> {
    return cutPools(this.#sockets, [this.#pool]);
  }
}
