// One connection to the host's own server, over its socket, as root. A late statement is left to end by itself, and no further statement is
// sent. The connector's destroy() of a busy connection is never called: it kills the statement over another connection, and a commit that
// waits for its acknowledgement would then complete without it. The socket is closed instead.

import { createConnection as connectSocket, type Socket } from 'node:net';
import { type Connection, createConnection } from 'mariadb';
import { within } from '../../platform/work/within.ts';

interface SessionPlace {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
}

const connectTimeoutMs = 2_000;

export class Session {
  readonly #place: SessionPlace;
  readonly #opening: readonly string[];
  readonly #onEnd: () => void;
  #socket: Socket | undefined;
  #connection: Connection | undefined;
  #pending: Promise<unknown> | undefined;

  /** `opening`: statements that begin each new connection. `onEnd`: called when a connection ends on its own, not when it is given up. */
  constructor(place: SessionPlace, opening: readonly string[] = [], onEnd: () => void = () => undefined) {
    this.#place = place;
    this.#opening = opening;
    this.#onEnd = onEnd;
  }

  /** Its connection's id at the server. Undefined if it is not connected. */
  get id(): number | undefined {
    return this.#connection?.threadId ?? undefined;
  }

  /** Rejects at once while an earlier statement is running. There is no deadline if `timeoutMs` is undefined. */
  async query<Rows>(sql: string, values: readonly unknown[], timeoutMs: number | undefined): Promise<Rows> {
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
    return timeoutMs === undefined ? work : within(timeoutMs, `no end of: ${sql.slice(0, 60)}`, () => work);
  }

  /** The next statement uses a new connection. */
  forget(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#connection = undefined;
    this.#pending = undefined;
    socket?.destroy(new Error('the session was given up'));
  }

  async #run<Rows>(sql: string, values: readonly unknown[]): Promise<Rows> {
    const connection = this.#connection ?? (await this.#connect());
    return connection.query<Rows>(sql, [...values]);
  }

  async #connect(): Promise<Connection> {
    const { socketPath, user, password } = this.#place;
    const socket = connectSocket(socketPath);
    socket.on('error', () => undefined);
    this.#socket = socket;
    const connection = await createConnection({
      ...{ user, password, connectTimeout: connectTimeoutMs, bigIntAsNumber: true },
      stream: () => socket,
    });
    const onEnd = () => {
      if (this.#connection === connection) this.#connection = undefined;
    };
    connection.on('error', onEnd);
    connection.on('end', onEnd);
    for (const each of this.#opening) await connection.query(each);
    socket.once('close', () => {
      if (this.#socket === socket) this.#onEnd();
    });
    if (this.#socket === socket) this.#connection = connection;
    return connection;
  }
}
