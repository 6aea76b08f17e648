// Each process with a database registers there what runs in it and which keys it knows. A rotation of keys continues only when all know
// the new one, a migration that removes something only when all know it; a process without an active key does not start.
import { hostname } from 'node:os';
import type { Database, Sql } from '../database/database.ts';
import { trustedNow } from '../leases/trusted-clock.ts';
import type { Logger } from '../log/log.ts';
import type { KeyFolder } from '../secrets/key-folder.ts';
import { Loop } from '../work/loop.ts';

const everyMs = 5_000;
/** Rows of crashed processes are deleted after this time. No rotation takes this long. */
const keptHours = 24;

/** What runs in the process. */
export interface RunningProgram {
  readonly version: string;
  readonly commit: string | undefined;
  readonly roles: readonly string[];
  /** TIME_NAME. */
  readonly newestMigration: string;
}

export interface KnownKeysOptions {
  readonly db: Database;
  readonly keys: KeyFolder;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
  readonly processName: string;
  readonly program: RunningProgram;
  readonly log: Logger;
}

export class KnownKeys {
  readonly #options: KnownKeysOptions;
  readonly #loop: Loop;
  #missing: readonly string[] = [];

  constructor(options: KnownKeysOptions) {
    this.#options = options;
    this.#loop = new Loop({
      name: 'known keys',
      log: options.log,
      pauseMs: () => everyMs,
      run: async () => {
        await this.#tell();
        return false;
      },
    });
    options.keys.onChange(() => this.#loop.trigger());
  }

  /** Throws when an active key is missing from this process's files. */
  async start(): Promise<void> {
    const { db } = this.#options;
    await db.execute(`DELETE FROM process_keys WHERE at < ${trustedNow} - INTERVAL ? HOUR`, [keptHours]);
    await this.#tell();
    this.check();
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    const { db, owner } = this.#options;
    await db.execute('DELETE FROM process_keys WHERE owner = ?', [owner]).catch(() => undefined);
  }

  /** Throws when this process does not know an active key. */
  check(): void {
    const [missing] = this.#missing;
    if (missing === undefined) return;
    const [file = '', id = ''] = missing.split('/');
    throw new Error(
      `the active key ${id} of ${file} is missing from this process's key files: copy them again to ${this.#options.keys.path}`,
    );
  }

  async #tell(): Promise<void> {
    const { db, keys, owner, processName, program } = this.#options;
    const { version, commit = null, roles, newestMigration } = program;
    const known = await keys.known();
    await db.execute(
      `INSERT INTO process_keys (owner, name, \`keys\`, version, commit_hash, roles, host, newest_migration) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE \`keys\` = VALUE(\`keys\`), at = NOW(3)`,
      [
        ...[owner, processName.slice(0, 63), JSON.stringify(Object.fromEntries(known))],
        ...[version, commit, roles.join(','), hostname(), newestMigration],
      ],
    );
    const files = new Set([...known.keys()].map((name) => name.split('/', 1)[0]));
    const active = await db.query<{ file: string; id: string }>('SELECT file, key_id AS id FROM active_key');
    this.#missing = active
      .filter(({ file, id }) => files.has(file) && !known.has(`${file}/${id}`))
      .map(({ file, id }) => `${file}/${id}`);
  }
}

/** A process with its last report. */
export interface KeyHolder {
  readonly name: string;
  /** Unix milliseconds of the last use, or null, by `file/id`. */
  readonly keys: Readonly<Record<string, number | null>>;
  readonly startedAgoMs: number;
  readonly seenAgoMs: number;
}

/**
 * The processes that have a key file. Locks their reports until the transaction ends. A live process reports every few seconds, so
 * a report from the future, from before the clock was set back, is an old one.
 */
export async function keyHolders(sql: Sql, file: string): Promise<readonly KeyHolder[]> {
  const rows = await sql.query<{ name: string; keys: string; startedAgo: number; seenAgo: number }>(
    'SELECT name, `keys`, TIMESTAMPDIFF(MICROSECOND, started_at, NOW(3)) AS startedAgo, ABS(TIMESTAMPDIFF(MICROSECOND, at, NOW(3))) AS seenAgo FROM process_keys ORDER BY name FOR UPDATE',
  );
  return rows
    .map(({ name, keys, startedAgo, seenAgo }) => ({
      name,
      keys: JSON.parse(keys) as KeyHolder['keys'],
      startedAgoMs: Number(startedAgo) / 1000,
      seenAgoMs: Number(seenAgo) / 1000,
    }))
    .filter(({ keys }) => Object.keys(keys).some((key) => key.startsWith(`${file}/`)));
}

/** From now on every process must know this key. */
export async function setActiveKey(sql: Sql, file: string, id: string): Promise<void> {
  await sql.execute(
    'INSERT INTO active_key (file, key_id) VALUES (?, ?) ON DUPLICATE KEY UPDATE key_id = VALUE(key_id), at = NOW(3)',
    [file, id],
  );
}
