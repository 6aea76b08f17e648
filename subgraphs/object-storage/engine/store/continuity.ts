// Detects that the cluster's database was exchanged. A database that was restored from a backup or recreated has forgotten promises and
// acknowledged writes, and must not vote. So the database has an id and a mark that rises while any process serves. Both are also in a file
// beside the blobs, written once the database has them on disk. A database that is behind the file, has another id, or has no file was
// exchanged: it is lost until its rings are recovered. An empty database asks the other clusters instead.
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { isMissing } from '../../../../platform/secrets/key-file.ts';
import { Looped } from '../../../../platform/work/loop.ts';
import { syncFolder } from '../blobs/folder-sync.ts';
import type { Partitions } from './partitions.ts';

interface ContinuityOptions {
  readonly db: Database;
  readonly partitions: Pick<Partitions, 'lose'>;
  /** On the cluster's disk, outside the database. */
  readonly folder: string;
  readonly log: Logger;
  /** Time between two marks; default 5 s. An older backup is detected. */
  readonly markMs?: number | undefined;
}

const markShape = z.object({ database: z.number().int().min(1), mark: z.number().int().min(0) });
type Mark = z.output<typeof markShape>;

const fileName = 'database.json';
const usualMarkMs = 5_000;
const mostNumber = 2 ** 48 - 1;

export class Continuity extends Looped {
  readonly #options: ContinuityOptions;
  #last: Mark | undefined;

  constructor(options: ContinuityOptions) {
    const { log, markMs = usualMarkMs } = options;
    super({
      ...{ log, name: 'mark of the database', pauseMs: () => markMs },
      run: async () => {
        await this.mark();
        return false;
      },
    });
    this.#options = options;
  }

  /** Call it before answering any request: a database that was exchanged stops voting. */
  async open(): Promise<void> {
    const { db, folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o750 });
    // The processes of a cluster do this one after the other.
    const { isKnown, reason } = await db.transaction(async (tx) => {
      const own = await lockMark(tx);
      const file = await this.#read();
      const database = own.database === 0 ? randomInt(1, mostNumber) : own.database;
      if (own.database === 0)
        await tx.execute("UPDATE store_counter SET number = ? WHERE name = 'database'", [database]);
      this.#last = { database, mark: own.mark };
      const wrong = own.database === 0 ? undefined : exchanged(own, file);
      const isLost = wrong !== undefined && (await holdsAny(tx));
      return { isKnown: own.database !== 0 && wrong === undefined, reason: isLost ? wrong : undefined };
    });
    // On disk before the file records the id.
    if (reason !== undefined) await this.#lose(reason);
    if (!isKnown) await this.mark();
  }

  /** Raises the mark, first in the database and then in the file. */
  async mark(): Promise<void> {
    const { db } = this.#options;
    const { before, after } = await db.transaction(async (tx) => {
      const before = await lockMark(tx);
      const after = { ...before, mark: before.mark + 1 };
      await tx.execute("UPDATE store_counter SET number = ? WHERE name = 'mark'", [after.mark]);
      return { before, after };
    });
    const last = this.#last;
    if (last !== undefined && (before.database !== last.database || before.mark < last.mark))
      await this.#lose('its database was exchanged while its servers ran');
    this.#last = after;
    if (after.database !== 0) await this.#write(after);
  }

  async #lose(reason: string): Promise<void> {
    const { partitions, log } = this.#options;
    const rings = await partitions.lose();
    log.error({ rings, reason }, 'this cluster no longer votes: recover it with tidegate rings change --recover');
  }

  /** Undefined if the file is missing or malformed. */
  async #read(): Promise<Mark | undefined> {
    try {
      const text = await readFile(join(this.#options.folder, fileName), 'utf8');
      return markShape.safeParse(JSON.parse(text)).data;
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #write(mark: Mark): Promise<void> {
    const { folder } = this.#options;
    const path = join(folder, `.${fileName}-${randomBytes(8).toString('hex')}`);
    try {
      const file = await open(path, 'wx', 0o640);
      try {
        await file.writeFile(JSON.stringify(mark));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(path, join(folder, fileName));
      await syncFolder(folder);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }
}

function exchanged(own: Mark, file: Mark | undefined): string | undefined {
  if (file === undefined) return 'the disk of its blobs does not know its database';
  if (file.database !== own.database) return 'its database is not the same as before';
  return file.mark > own.mark ? 'its database is older than before: it was restored from a backup' : undefined;
}

async function lockMark(tx: Transaction): Promise<Mark> {
  const rows = await tx.query<{ name: string; number: number }>(
    "SELECT name, number FROM store_counter WHERE name IN ('database', 'mark') FOR UPDATE",
  );
  const numberOf = (name: string) => rows.find((row) => row.name === name)?.number ?? 0;
  return { database: numberOf('database'), mark: numberOf('mark') };
}

async function holdsAny(tx: Transaction): Promise<boolean> {
  return (await tx.query('SELECT 1 FROM store_partition WHERE is_held LIMIT 1')).length > 0;
}
