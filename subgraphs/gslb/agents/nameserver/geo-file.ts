// Locations of clients from the operator's file, which is replaced from time to time. If the file can't be read, locations from
// the previous file stay, and answers never fail.
import { readFile, stat } from 'node:fs/promises';
import { type GeoSource, noGeo } from '../../../../dns/policy/client.ts';
import { openGeo } from '../../../../dns/policy/geo.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { Loop } from '../../../../platform/work/loop.ts';

const lookMs = 60_000;
/** The file is kept in memory. */
const mostBytes = 1024 * 1024 * 1024;

export class GeoFile implements GeoSource {
  readonly #path: string;
  readonly #log: Logger;
  readonly #loop: Loop;
  #source = noGeo;
  #version = '';
  #fault: string | undefined;

  constructor(path: string, log: Logger, pauseMs = lookMs) {
    this.#path = path;
    this.#log = log;
    this.#loop = new Loop({
      ...{ name: 'places of clients', log, pauseMs: () => pauseMs },
      run: async () => {
        await this.#look();
        return false;
      },
    });
  }

  find(bytes: Uint8Array): ReturnType<GeoSource['find']> {
    return this.#source.find(bytes);
  }

  /** Reason why the file is not in use. Undefined if it is. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Resolves when the file was read, or can't be. */
  async start(): Promise<void> {
    await this.#look();
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    try {
      const { ino, mtimeMs, size } = await stat(this.#path);
      const version = `${ino}/${mtimeMs}/${size}`;
      if (version === this.#version) return;
      if (size > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
      this.#source = openGeo(await readFile(this.#path));
      this.#version = version;
      this.#fault = undefined;
      this.#log.info({ path: this.#path }, 'the file with the places of clients was read');
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      if (fault !== this.#fault) this.#log.error({ err: error, path: this.#path }, 'no new places of clients');
      this.#fault = fault;
    }
  }
}
