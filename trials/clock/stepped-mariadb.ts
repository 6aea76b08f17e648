// A MariaDB whose wall clock is stepped by libfaketime while it runs.
// needs: libfaketime
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../../embedded/mariadb.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { clockOffset, clockVariables, findClockLibrary } from '../../lab/clock-library.ts';
import type { Sql } from '../../platform/database/database.ts';
import { readTrustedClock } from '../../platform/leases/trusted-clock.ts';

const shownMs = 60_000;
const mostMs = 30_000;

export class SteppedMariadb {
  readonly server: EmbeddedMariadb;
  readonly #data: DataFolder;
  readonly #offsetFile: string;

  private constructor(server: EmbeddedMariadb, data: DataFolder, offsetFile: string) {
    this.server = server;
    this.#data = data;
    this.#offsetFile = offsetFile;
  }

  /** `folder` must be accessible to the user of the embedded servers. */
  static async start(folder: string): Promise<SteppedMariadb> {
    const offsetFile = join(folder, 'offset');
    await writeOffset(offsetFile, 0);
    const data = await openDataFolder(join(folder, 'data'), { version: 1 });
    const program = await programIn(folder, offsetFile);
    return new SteppedMariadb(await startMariadb({ folder: data, log: silentLog, program }), data, offsetFile);
  }

  /** Resolves when the database's clock shows the step. */
  async stepTo(seconds: number, sql: Sql): Promise<void> {
    await writeOffset(this.#offsetFile, seconds);
    for (const endMs = performance.now() + mostMs; performance.now() < endMs; ) {
      const { nowMs = 0 } = (await readTrustedClock(sql).catch(() => undefined)) ?? {};
      if (Math.abs(nowMs - Date.now() - seconds * 1_000) < shownMs) return;
      await sleep(20);
    }
    throw new Error(`the database's clock does not show a step of ${seconds} s`);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.#data.close();
  }
}

/** It is read whenever the clock is read. */
async function writeOffset(path: string, seconds: number): Promise<void> {
  await writeFile(path, `${clockOffset(Math.round(seconds))}s\n`, { mode: 0o644 });
}

async function programIn(folder: string, offsetFile: string): Promise<string> {
  const offset = { FAKETIME_TIMESTAMP_FILE: offsetFile, FAKETIME_NO_CACHE: '1' };
  const variables = Object.entries(clockVariables(await findClockLibrary(), offset));
  const path = join(folder, 'mariadbd-stepped');
  const lines = variables.map(([name, value]) => `export ${name}=${value}\n`).join('');
  await writeFile(path, `#!/bin/sh\n${lines}exec /usr/sbin/mariadbd "$@"\n`);
  await chmod(path, 0o755);
  return path;
}
