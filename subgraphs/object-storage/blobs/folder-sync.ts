// Brings folders' entries to the disk. One round at a time, for all that waited during the one before: the file system writes its journal
// once for all of them.
import { open } from 'node:fs/promises';
import type { Turns } from '../../../platform/turns.ts';

export class FolderSync {
  readonly #turns: Turns;
  #waiting = new Map<string, PromiseWithResolvers<void>>();
  #isRunning = false;

  /** `turns`: so many folders at once. */
  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Resolves when what the folder has now is there also after a crash of the machine. */
  sync(folder: string): Promise<void> {
    const wait = this.#waiting.get(folder) ?? Promise.withResolvers<void>();
    this.#waiting.set(folder, wait);
    if (!this.#isRunning) void this.#run();
    return wait.promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      // What begins in this turn of the event loop is of the same round.
      await undefined;
      const round = this.#waiting;
      this.#waiting = new Map();
      const sync = (folder: string) => this.#turns.run(() => syncFolder(folder));
      await Promise.all([...round].map(([folder, { resolve, reject }]) => sync(folder).then(resolve, reject)));
    }
    this.#isRunning = false;
  }
}

/** What the folder has now is there also after a crash of the machine. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
