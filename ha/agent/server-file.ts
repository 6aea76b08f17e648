// State that an agent keeps in files of the server it started, for the next agent.

import { readFile, readlink, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { isAlive, killMarked, processMark } from '../../embedded/process-mark.ts';
import { keptIn, markShape } from '../mark-file.ts';

const kept = z.object({
  mark: markShape,
  duty: z.enum(['primary', 'standby']),
  incarnation: z.string(),
  replica: z.object({ source: z.string(), reign: z.string(), admission: z.string().optional() }).optional(),
});
export type KeptServer = z.infer<typeof kept>;

export class ServerFile {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** File in which the watchdog writes the server's process id. */
  get pidFile(): string {
    return join(this.#home, 'server.pid');
  }

  async keep(server: KeptServer): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify(server), { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }

  /** The running server. Undefined if none runs. */
  async running(): Promise<KeptServer | undefined> {
    const found = await keptIn(this.#file, kept);
    return found !== undefined && isAlive(found.mark) ? found : undefined;
  }

  /** Kills a server whose agent was killed before it recorded the server. */
  async killLeftOver(): Promise<void> {
    const pid = Number((await readFile(this.pidFile, 'utf8').catch(() => '')).trim());
    const mark = pid > 0 ? processMark(pid) : undefined;
    if (mark === undefined) return;
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    // The server starts in the first folder and then changes to the other.
    const isHere = [this.#home, join(this.#home, 'data')].includes(folder);
    if (isHere && basename(program).startsWith('mariadbd')) killMarked(mark);
  }

  get #file(): string {
    return join(this.#home, 'server.json');
  }
}
