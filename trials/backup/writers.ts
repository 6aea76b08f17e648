// Clients that write to the database all the time, and note when each write was sent and acknowledged: the oracle of the trial.
import { type Connection, createConnection } from 'mariadb';
import { newUuid } from '../../platform/values/ids.ts';
import type { BackedUp } from '../../tests/backup/support/backed-up.ts';

interface Write {
  /** Unix milliseconds. */
  readonly sentAtMs: number;
  /** Undefined while there is no answer. */
  ackedAtMs: number | undefined;
}

const clients = 3;

export class Writers implements AsyncDisposable {
  readonly rows = new Map<number, Write>();
  /** Revocations of tokens, by id. */
  readonly revoked = new Map<string, Write>();
  readonly #connections: readonly Connection[];
  readonly #ended: Promise<unknown>;
  #stops = false;
  #next = 1_000;

  private constructor(connections: readonly Connection[]) {
    this.#connections = connections;
    this.#ended = Promise.all(connections.map((each, index) => this.#write(each, index === 0)));
  }

  static async start(world: BackedUp): Promise<Writers> {
    const { database } = world.location;
    const connections = await Promise.all(
      Array.from({ length: clients }, () => createConnection({ ...world.location, database, connectTimeout: 60_000 })),
    );
    return new Writers(connections);
  }

  get acknowledged(): number {
    return [...this.rows.values()].filter(({ ackedAtMs }) => ackedAtMs !== undefined).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stops = true;
    await this.#ended;
    for (const each of this.#connections) await each.end();
  }

  async #write(sql: Connection, revokes: boolean): Promise<void> {
    while (!this.#stops) {
      this.#next += 1;
      const id = this.#next;
      await noted(this.rows, id, () => writeRow(sql, id));
      if (revokes && id % 5 === 0) await this.#revoke(sql);
    }
  }

  async #revoke(sql: Connection): Promise<void> {
    const [id, project] = [newUuid(), newUuid()];
    await sql.query('INSERT INTO project (id, name) VALUES (?, ?)', [project, project]);
    await sql.query(
      "INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by) VALUES (?, ?, 't', 'VIEWER', ?, 'x', ?)",
      [id, project, id, project],
    );
    await noted(this.revoked, id, () => sql.query('UPDATE api_token SET revoked_at = NOW(3) WHERE id = ?', [id]));
  }
}

/** With a commit as a mutation leaves it. */
export async function writeRow(sql: Connection, id: number): Promise<void> {
  await sql.beginTransaction();
  await sql.query('INSERT INTO written (id, note) VALUES (?, REPEAT(?, 40))', [id, 'x']);
  await sql.query(
    'INSERT INTO commit_record (id, timeline) VALUES (?, (SELECT MAX(epoch) FROM db_timeline))',
    newUuid(),
  );
  await sql.commit();
}

async function noted<Key>(notes: Map<Key, Write>, key: Key, write: () => Promise<unknown>): Promise<void> {
  const note: Write = { sentAtMs: Date.now(), ackedAtMs: undefined };
  notes.set(key, note);
  await write();
  note.ackedAtMs = Date.now();
}
