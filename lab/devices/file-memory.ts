// A simulated device's memory: its configuration in one file, replaced at every change. Written without a wait, because the device
// answers only after it. V8's own format, because the configuration has maps and sets.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { systemErrorCode } from '../../embedded/setup-error.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { DeviceMemory } from '../../simulators/support/device-memory.ts';

export class FileMemory implements DeviceMemory {
  readonly #path: string;
  readonly #log: SetupLog;

  constructor(folder: string, log: SetupLog) {
    this.#path = join(folder, 'configuration');
    this.#log = log;
  }

  /** A damaged file is put aside: the device starts as from the factory. */
  read(): unknown {
    try {
      return deserialize(readFileSync(this.#path));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      renameSync(this.#path, `${this.#path}.damaged`);
      this.#log.warn(
        `${this.#path} can't be read (${String(error)}): it is now ${this.#path}.damaged, and the device starts with its factory configuration.`,
      );
      return undefined;
    }
  }

  /** A full disk is reported; the device continues, like one that can't save. */
  write(state: unknown): void {
    try {
      writeFileSync(`${this.#path}.new`, serialize(state), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#log.warn(`The configuration in ${this.#path} is not kept: ${String(error)}`);
    }
  }
}
