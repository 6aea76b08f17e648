// Contexts: servers with the person's credentials, in files that only that person can read. Verbs use the current context unless another server is
// named.
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isMissing, writeWhole } from '../platform/secrets/key-file.ts';
import { jsonIn } from '../platform/values/json.ts';
import { nearestName } from '../platform/values/nearest-name.ts';
import { CommandFailure, UsageError } from './failures.ts';
import type { Surroundings } from './verb.ts';

const credentialShape = z.union([
  /** An API token. */
  z.strictObject({ token: z.string().min(1) }),
  /** A session. Each refresh token allows one renewal. */
  z.strictObject({
    accessToken: z.string().min(1),
    /** A time before the access token ends. */
    renewAt: z.iso.datetime(),
    refreshToken: z.string().min(1),
    refreshTokenExpiresAt: z.iso.datetime().nullable(),
  }),
]);
const fileShape = z.strictObject({
  url: z.url(),
  user: z.string(),
  credential: credentialShape,
  /** The login used --insecure, which also allows plain http to another machine. */
  insecure: z.literal(true).optional(),
});

export type StoredCredential = z.output<typeof credentialShape>;
export type StoredContext = z.output<typeof fileShape> & { readonly name: string };

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** Longer than any renewal (graph-client.ts). After that, the process that began it hangs. */
const lockMs = 160_000;
const lockPauseMs = 50;

export class ContextStore {
  /** Undefined if this environment has no home. */
  readonly #folder: string | undefined;

  constructor(env: Surroundings['env']) {
    const { XDG_CONFIG_HOME: config, HOME: home } = env;
    const base = config !== undefined && config !== '' ? config : home && join(home, '.config');
    this.#folder = base ? join(base, 'tidegate') : undefined;
  }

  /** Throws UsageError for an invalid context name, and CommandFailure if contexts can't be stored. */
  refuseBadName(name: string): void {
    this.#file(name);
  }

  /** Sorted by name. */
  async names(): Promise<string[]> {
    if (this.#folder === undefined) return [];
    const files = await readdir(join(this.#folder, 'contexts')).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw unreadable(error);
    });
    const names = files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
    // Ignores files that an editor leaves there.
    return names.filter((name) => namePattern.test(name)).sort();
  }

  /** Undefined if no context is current. Throws CommandFailure if the current one no longer exists. */
  async chosen(): Promise<StoredContext | undefined> {
    const name = await this.chosenName();
    return name === undefined ? undefined : this.read(name);
  }

  async chosenName(): Promise<string | undefined> {
    if (this.#folder === undefined) return undefined;
    const text = await readFile(this.#chosenFile(), 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return '';
      throw unreadable(error);
    });
    return text.trim() === '' ? undefined : text.trim();
  }

  /** Throws CommandFailure if there is no such context. */
  async read(name: string): Promise<StoredContext> {
    const path = this.#file(name);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw unreadable(error);
    });
    if (text === undefined) {
      const near = nearestName(name, await this.names());
      throw new CommandFailure(
        `there is no context '${name}'${near === undefined ? '' : `; '${near}' is near`}: see "tidegate contexts list"`,
      );
    }
    if (((await stat(path)).mode & 0o077) !== 0)
      throw new CommandFailure(`${path} is readable by others: run chmod 600 ${path}`);
    const read = fileShape.safeParse(jsonIn(text));
    if (!read.success)
      throw new CommandFailure(`${path} is not a context: log in again with tidegate login URL --as ${name}`);
    return { name, ...read.data };
  }

  /** Returns the path of its file. */
  async write({ name, ...content }: StoredContext): Promise<string> {
    const path = this.#file(name);
    await mkdir(join(this.#home(), 'contexts'), { recursive: true, mode: 0o700 });
    await writeWhole(path, `${JSON.stringify(content, null, 2)}\n`);
    return path;
  }

  /** The next verbs go there. Throws CommandFailure if there is no such context. */
  async choose(name: string): Promise<void> {
    await this.read(name);
    await writeWhole(this.#chosenFile(), `${name}\n`);
  }

  async chooseNone(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#chosenFile(), { force: true });
  }

  async remove(name: string): Promise<void> {
    await rm(this.#file(name), { force: true });
    if ((await this.chosenName()) === name) await this.chooseNone();
  }

  /** Runs while no other process renews this session. The lock of a process that ended blocks nobody. */
  async renewing<Result>(name: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const lock = `${this.#file(name)}.lock`;
    const untilMs = performance.now() + lockMs;
    for (;;) {
      const handle = await open(lock, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw unreadable(error);
      });
      if (handle !== undefined) {
        await handle.writeFile(String(process.pid));
        await handle.close();
        break;
      }
      if (performance.now() > untilMs || (await isLeft(lock))) await rm(lock, { force: true });
      await sleep(lockPauseMs, undefined, { signal });
    }
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  }

  #home(): string {
    if (this.#folder !== undefined) return this.#folder;
    throw new CommandFailure('there is no place for contexts: set HOME or XDG_CONFIG_HOME');
  }

  #file(name: string): string {
    if (!namePattern.test(name))
      throw new UsageError(`'${name}' is not the name of a context: letters, digits, '.', '_' and '-', at most 63`);
    return join(this.#home(), 'contexts', `${name}.json`);
  }

  #chosenFile(): string {
    return join(this.#home(), 'context');
  }
}

/** The process that made it has ended. An empty one has just been made. */
async function isLeft(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isInteger(owner) || owner < 1) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function unreadable(error: unknown): CommandFailure {
  const { path, code, message } = error as NodeJS.ErrnoException;
  return new CommandFailure(`${path ?? 'the folder of contexts'} can't be read: ${code ?? message}`);
}
