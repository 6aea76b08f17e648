// The clock of one host, which the trial sets through libfaketime in its processes. The monotonic clock is left unchanged, as on a real
// host.
// needs: libfaketime, mariadb-server-core
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clockLibraryPath, clockOffset, clockVariables, findClockLibrary } from '../../lab/clock-library.ts';

const server = '/usr/sbin/mariadbd';

export async function canSkew(): Promise<boolean> {
  return (await findClockLibrary()) !== undefined;
}

export class FalseClock {
  readonly #folder: string;
  readonly #host: string;

  private constructor(folder: string, host: string) {
    this.#folder = folder;
    this.#host = host;
  }

  static async make(folder: string, host: string): Promise<FalseClock> {
    const clock = new FalseClock(folder, host);
    await clock.set(0);
    // The agent starts its server with a different environment.
    const variables = Object.entries(clock.env).map(([name, value]) => `${name}='${value}'`);
    await writeFile(clock.#wrapper, `#!/bin/sh\nexport ${variables.join(' ')}\nexec '${clock.#server}' "$@"\n`);
    await chmod(clock.#wrapper, 0o755);
    await writeFile(clock.#server, '');
    return clock;
  }

  /** Environment of every process on the host. */
  get env(): Record<string, string> {
    return clockVariables(clockLibraryPath(), {
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
    });
  }

  /** `words`, run in a mount namespace in which only mariadbd has the false clock. `ip netns exec` creates that namespace. */
  within(words: readonly string[]): string[] {
    const script = `mount --bind ${server} "$0" && mount --bind "$1" ${server} && shift && exec "$@"`;
    return ['sh', '-c', script, this.#server, this.#wrapper, ...words];
  }

  /** Takes effect within a second. */
  async set(seconds: number): Promise<void> {
    await writeFile(this.#file, `${clockOffset(seconds)}\n`);
    await chmod(this.#file, 0o644);
  }

  get #file(): string {
    return join(this.#folder, `clock-${this.#host}`);
  }

  get #wrapper(): string {
    return join(this.#folder, `mariadbd-${this.#host}`);
  }

  /** The real server. */
  get #server(): string {
    return join(this.#folder, `mariadbd-${this.#host}.real`);
  }
}
