// Syncs the entries of folders to disk. One round runs at a time and serves all callers that waited during the round before: the file
// system writes its journal once for all of them.
import { open } from 'node:fs/promises';
import type { Turns } from '../../../../platform/work/turns.ts';

export class FolderSync {
  readonly #turns: Turns;
  #waiting = new Map<string, PromiseWithResolvers<void>>();
  #isRunning = false;

  /** `turns`: limits how many folders are synced at once. */
  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Resolves when the folder's present entries would survive a crash of the machine. */
  sync(folder: string): Promise<void> {
    const wait = this.#waiting.get(folder) ?? Promise.withResolvers<void>();
    this.#waiting.set(folder, wait);
    if (!this.#isRunning) void this.#run();
    return wait.promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      // Calls that begin in this turn of the event loop join the same round.
      await undefined;
      const round = this.#waiting;
      this.#waiting = new Map();
      const sync = (folder: string) => this.#turns.run(() => syncFolder(folder));
      await Promise.all([...round].map(([folder, { resolve, reject }]) => sync(folder).then(resolve, reject)));
    }
    this.#isRunning = false;
  }
}

/** Makes the folder's present entries survive a crash of the machine. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
