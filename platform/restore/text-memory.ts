// Short texts by field, remembered outside of the database: in Redis, or in a file beside the keys. Each installation has its own
// texts.
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { isMissing } from '../secrets/key-file.ts';

/** `installation`: UUID of the database's first timeline. */
export interface TextMemory {
  /** For people. */
  readonly name: string;
  read(installation: string): Promise<Readonly<Record<string, string>>>;
  /** Replaces these fields. */
  write(installation: string, fields: Readonly<Record<string, string>>): Promise<void>;
  forget(installation: string, fields: readonly string[]): Promise<void>;
}

const mostInstallations = 16;
const keptSeconds = 90 * 24 * 3600;

export class RedisTextMemory implements TextMemory {
  readonly name = 'Redis';
  readonly #redis: Redis;
  readonly #prefix: string;

  /** `prefix`: of its key. */
  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async read(installation: string): Promise<Readonly<Record<string, string>>> {
    // At the start it still connects.
    if (this.#redis.status === 'connecting' || this.#redis.status === 'connect') await once(this.#redis, 'ready');
    return this.#redis.hgetall(this.#key(installation));
  }

  async write(installation: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const key = this.#key(installation);
    if (Object.keys(fields).length > 0) await this.#redis.multi().hset(key, fields).expire(key, keptSeconds).exec();
  }

  async forget(installation: string, fields: readonly string[]): Promise<void> {
    if (fields.length > 0) await this.#redis.hdel(this.#key(installation), ...fields);
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

/** Shared by the processes of a host: one that loses a race must write its fields again. */
export class FileTextMemory implements TextMemory {
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  async read(installation: string): Promise<Readonly<Record<string, string>>> {
    return (await this.#content())[installation] ?? {};
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
    const { [installation]: own = {}, ...others } = await this.#content().catch((error: unknown) => {
      // Only a damaged file is replaced.
      if (error instanceof DamagedMemoryError) return {} as FileContent;
      throw error;
    });
    const installations = Object.fromEntries([
      ...Object.entries(others).slice(1 - mostInstallations),
      [installation, change(own)],
    ]);
    const temporary = `${this.name}.${process.pid}`;
    await writeFile(temporary, `${JSON.stringify({ version: 1, installations })}\n`, { mode: 0o600 });
    await rename(temporary, this.name);
  }

  async #content(): Promise<FileContent> {
    let text: string;
    try {
      text = await readFile(this.name, 'utf8');
    } catch (error) {
      if (isMissing(error)) return {};
      throw error;
    }
    try {
      return fileShape.parse(JSON.parse(text)).installations;
    } catch (error) {
      throw new DamagedMemoryError(this.name, error);
    }
  }
}

class DamagedMemoryError extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path} is damaged and is replaced: it can't show whether the database was set back`, { cause });
    this.name = 'DamagedMemoryError';
  }
}
