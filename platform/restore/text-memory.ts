// Short texts by field, remembered outside of the database: in Redis, or in a file beside the keys. Each installation has its own
// texts.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { isMissing } from '../secrets/key-file.ts';

/** `installation`: UUID of the database's first timeline. */
export interface TextMemory {
  /** For people. */
  readonly name: string;
  read(installation: string): Promise<Readonly<Record<string, string>>>;
  /** One field, at a cost that does not grow with the others. */
  get(installation: string, field: string): Promise<string | undefined>;
  /** Replaces these fields. */
  write(installation: string, fields: Readonly<Record<string, string>>): Promise<void>;
  forget(installation: string, fields: readonly string[]): Promise<void>;
}

const mostInstallations = 16;
const keptSeconds = 90 * 24 * 3600;
/** Texts are written after each commit, and four commands in place of one would cost more than the rest of the write. */
const keepAgainMs = 3_600_000;

export class RedisTextMemory implements TextMemory {
  readonly name = 'Redis';
  readonly #redis: Redis;
  readonly #prefix: string;
  /** When the end of a key was last put off. */
  #kept: { readonly key: string; readonly atMs: number } | undefined;

  /** `prefix`: of its key. */
  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async read(installation: string): Promise<Readonly<Record<string, string>>> {
    await this.#connected();
    return this.#redis.hgetall(this.#key(installation));
  }

  async get(installation: string, field: string): Promise<string | undefined> {
    await this.#connected();
    return (await this.#redis.hget(this.#key(installation), field)) ?? undefined;
  }

  async write(installation: string, fields: Readonly<Record<string, string>>): Promise<void> {
    if (Object.keys(fields).length === 0) return;
    const key = this.#key(installation);
    const nowMs = performance.now();
    if (this.#kept?.key === key && nowMs - this.#kept.atMs < keepAgainMs) {
      await this.#redis.hset(key, fields);
      return;
    }
    await this.#redis.multi().hset(key, fields).expire(key, keptSeconds).exec();
    this.#kept = { key, atMs: nowMs };
  }

  async forget(installation: string, fields: readonly string[]): Promise<void> {
    if (fields.length > 0) await this.#redis.hdel(this.#key(installation), ...fields);
  }

  /** At the start it still connects. */
  async #connected(): Promise<void> {
    if (this.#redis.status === 'connecting' || this.#redis.status === 'connect') await once(this.#redis, 'ready');
  }

  #key(installation: string): string {
    return `${this.#prefix}:${installation}`;
  }
}

const fileShape = z.object({
  version: z.literal(1),
  installations: z.record(z.string().max(36), z.record(z.string().max(64), z.string().max(128))),
});
type FileContent = z.output<typeof fileShape>['installations'];

/** A change takes milliseconds. One that holds the file for longer was killed. */
const staleLockMs = 1_000;
const lockPauseMs = 5;

/** Shared by the processes of a host: they change it one after the other. */
export class FileTextMemory implements TextMemory {
  readonly name: string;
  /** As it was read last. */
  #read: { readonly state: string; readonly content: FileContent } | undefined;

  constructor(path: string) {
    this.name = path;
  }

  async read(installation: string): Promise<Readonly<Record<string, string>>> {
    return (await this.#content())[installation] ?? {};
  }

  async get(installation: string, field: string): Promise<string | undefined> {
    return (await this.read(installation))[field];
  }

  /** Whether it remembers other installations only. */
  async isOfOthers(installation: string): Promise<boolean> {
    const content = await this.#content();
    return content[installation] === undefined && Object.keys(content).length > 0;
  }

  write(installation: string, fields: Readonly<Record<string, string>>): Promise<void> {
    return this.#change(installation, (kept) => ({ ...kept, ...fields }));
  }

  async forget(installation: string, fields: readonly string[]): Promise<void> {
    const gone = new Set(fields);
    if (gone.size === 0) return;
    await this.#change(installation, (kept) =>
      Object.fromEntries(Object.entries(kept).filter(([field]) => !gone.has(field))),
    );
  }

  async #change(
    installation: string,
    change: (fields: Readonly<Record<string, string>>) => Record<string, string>,
  ): Promise<void> {
    const lock = `${this.name}.lock`;
    await take(lock);
    try {
      await this.#changeLocked(installation, change);
    } finally {
      await rm(lock, { force: true });
    }
  }

  async #changeLocked(
    installation: string,
    change: (fields: Readonly<Record<string, string>>) => Record<string, string>,
  ): Promise<void> {
    const { [installation]: own = {}, ...others } = await this.#content().catch((error: unknown) => {
      // Only a damaged file is replaced.
      if (error instanceof DamagedMemoryError) return {} as FileContent;
      throw error;
    });
    const installations = Object.fromEntries([
      ...Object.entries(others).slice(1 - mostInstallations),
      [installation, change(own)],
    ]);
    const temporary = `${this.name}.${randomUUID()}`;
    try {
      await writeFile(temporary, `${JSON.stringify({ version: 1, installations })}\n`, { mode: 0o600 });
      await rename(temporary, this.name);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #content(): Promise<FileContent> {
    let text: string;
    let state: string;
    try {
      // Each write is another file.
      const { ino, size, mtimeNs, ctimeNs } = await stat(this.name, { bigint: true });
      state = [ino, size, mtimeNs, ctimeNs].join(' ');
      if (this.#read?.state === state) return this.#read.content;
      text = await readFile(this.name, 'utf8');
    } catch (error) {
      if (isMissing(error)) return {};
      throw error;
    }
    try {
      const content = fileShape.parse(JSON.parse(text)).installations;
      this.#read = { state, content };
      return content;
    } catch (error) {
      throw new DamagedMemoryError(this.name, error);
    }
  }
}

/** Resolves when this caller alone has the file. */
async function take(lock: string): Promise<void> {
  const own = randomUUID();
  let holder: string | undefined;
  let heldSinceMs = 0;
  for (;;) {
    try {
      await writeFile(lock, own, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = await readFile(lock, 'utf8').catch(() => undefined);
    if (found === undefined || found !== holder) {
      holder = found;
      heldSinceMs = performance.now();
    } else if (performance.now() - heldSinceMs > staleLockMs) await rm(lock, { force: true });
    await sleep(lockPauseMs * (1 + Math.random()));
  }
}

class DamagedMemoryError extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path} is damaged and is replaced: it can't show whether the database was set back`, { cause });
    this.name = 'DamagedMemoryError';
  }
}
