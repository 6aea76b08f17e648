// One connection of a client or a probe to one host, with its own socket. Giving up a call closes the socket; nothing is killed in the database.
import { createConnection as connectSocket, type Socket } from 'node:net';
import { type Connection, createConnection } from 'mariadb';
import { account, database, mariadbPort } from './settings.ts';

/** `found`: an earlier attempt at the same write had succeeded. `conflict`: a conflict with another write. The host is fine. */
type Outcome = 'acknowledged' | 'found' | 'refused' | 'conflict' | 'unknown';

const duplicateKey = 1062;
/** The host is read-only, or Galera has no majority. */
const refusals: ReadonlySet<number> = new Set([1290, 1047]);
/** A lock wait timeout, or a deadlock. */
const conflicts: ReadonlySet<number> = new Set([1205, 1213]);

export class ClientConnection {
  readonly #address: string;
  readonly #password: string;
  readonly #timeoutMs: number;
  readonly #opening: readonly string[];
  #socket: Socket | undefined;
  #connection: Connection | undefined;

  /** `opening`: statements that start each connection. */
  constructor(
    address: string,
    { password, timeoutMs, opening = [] }: { password: string; timeoutMs: number; opening?: readonly string[] },
  ) {
    this.#address = address;
    this.#password = password;
    this.#timeoutMs = timeoutMs;
    this.#opening = opening;
  }

  /** `refused`: it was certainly not carried out. */
  async write(sql: string, values: readonly unknown[]): Promise<Outcome> {
    const timer = setTimeout(() => this.cut(), this.#timeoutMs);
    let isSent = false;
    try {
      const connection = this.#connection ?? (await this.#connect());
      isSent = true;
      await connection.query(sql, [...values]);
      return 'acknowledged';
    } catch (error) {
      const { errno = 0 } = error as { errno?: number };
      if (errno === duplicateKey) return 'found';
      if (refusals.has(errno)) return 'refused';
      if (conflicts.has(errno)) return 'conflict';
      this.cut();
      return isSent ? 'unknown' : 'refused';
    } finally {
      clearTimeout(timer);
    }
  }

  /** Undefined if there was no answer in time, or an error. */
  async read<Row>(sql: string, values: readonly unknown[]): Promise<readonly Row[] | undefined> {
    const timer = setTimeout(() => this.cut(), this.#timeoutMs);
    try {
      const connection = this.#connection ?? (await this.#connect());
      return await connection.query<Row[]>(sql, [...values]);
    } catch {
      this.cut();
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  cut(): void {
    // It closes with an error, because the connector ignores any other kind of end.
    this.#socket?.destroy(new Error('given up'));
    this.#connection = undefined;
  }

  async #connect(): Promise<Connection> {
    const socket = connectSocket({ host: this.#address, port: mariadbPort });
    socket.on('error', () => undefined);
    this.#socket = socket;
    const connection = await createConnection({
      ...{ user: account, password: this.#password, database, connectTimeout: this.#timeoutMs, bigIntAsNumber: true },
      host: this.#address,
      stream: () => socket,
      initSql: [...this.#opening],
    });
    connection.on('error', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    this.#connection = connection;
    return connection;
  }
}
