// The senders' passwords, in a file like collectd's own AuthFile: one line "user: password" each, readable by its owner only. It is read
// again when it has changed.
import { stat } from 'node:fs/promises';
import type { Logger } from '../../../../../platform/log/log.ts';
import { readPrivateFile } from '../../../../../platform/secrets/key-file.ts';

const mostUsers = 10_000;

export class CollectdPasswords {
  readonly #path: string | undefined;
  readonly #log: Logger;
  #byUser: ReadonlyMap<string, string> = new Map();
  #readAs = '';

  /** Without a path there are no users. */
  constructor(path: string | undefined, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  of(user: string): string | undefined {
    return this.#byUser.get(user);
  }

  /** Throws if the file can't be used. */
  async open(): Promise<void> {
    if (this.#path === undefined) return;
    const { mtimeMs, size, ino } = await stat(this.#path);
    const as = `${mtimeMs} ${size} ${ino}`;
    if (as === this.#readAs) return;
    this.#byUser = parsePasswords(await readPrivateFile(this.#path), this.#path);
    this.#readAs = as;
  }

  /** If a new file can't be used, the users of the old one remain. */
  async refresh(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      this.#log.warn({ err: error }, "cannot read the file of collectd's users: the previous users remain");
    }
  }
}

/** Throws if it is malformed, without showing any line. */
export function parsePasswords(text: string, path: string): ReadonlyMap<string, string> {
  const byUser = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, user, password] = /^([^:\s]{1,64})\s*:\s*(\S.*)$/.exec(line) ?? [];
    if (user === undefined || password === undefined)
      throw new Error(`line ${index + 1} of ${path} is not "user: password"`);
    byUser.set(user, password);
    if (byUser.size > mostUsers) throw new Error(`${path} has more than ${mostUsers} users`);
  }
  return byUser;
}
