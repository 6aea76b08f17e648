// Polls the jobs of ACCEPTED calls while callers wait for their end. Each call has one poller in this process, however many callers
// wait, and none when nobody does. A poll is one read of the device. Only the end of the job is written.
import { Refusal } from '../../../../platform/errors/errors.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { atMost } from '../../../../platform/work/within.ts';
import type { OperationRow } from '../model/operation.ts';
import type { RelaySettings } from '../settings.ts';

interface JobWatcherOptions {
  /** Polls once. Returns true while the job runs. Throws Refusals, for example when the device could not be read. */
  readonly look: (operationId: string) => Promise<boolean>;
  readonly settings: Pick<RelaySettings, 'firstJobLookMs' | 'jobLookMs'>;
  readonly log: Logger;
}

interface Watched {
  readonly projectId: string;
  waiting: number;
  /** Ends the pause before the next poll. */
  wake: () => void;
  /** Resolves for all waiting callers. */
  readonly over: PromiseWithResolvers<void>;
}

/** An operation whose call started a job. */
type Job = Pick<OperationRow, 'id' | 'projectId'>;

/** Most jobs that are polled at a time. Callers of further jobs get their ACCEPTED call at once, and can read its end later. */
export const mostWatched = 1_000;
/** Most of them for one project, so that others still find a place. */
export const mostWatchedOfProject = mostWatched / 4;

export class JobWatcher {
  readonly #options: JobWatcherOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #looking = new Set<Promise<void>>();
  #drained = false;

  constructor(options: JobWatcherOptions) {
    this.#options = options;
  }

  /** Resolves when the job has ended, can't be read, or `waitMs` are over. */
  async end({ id: operationId, projectId }: Job, waitMs: number): Promise<void> {
    if (this.#drained || waitMs <= 0) return;
    const known = this.#watched.get(operationId);
    if (known === undefined && !this.#hasPlaceFor(projectId)) return;
    const watched = known ?? { projectId, waiting: 0, wake: () => {}, over: Promise.withResolvers<void>() };
    watched.waiting += 1;
    if (known === undefined) this.#watch(operationId, watched);
    try {
      await atMost(waitMs, watched.over.promise);
    } finally {
      watched.waiting -= 1;
      if (watched.waiting === 0) watched.wake();
    }
  }

  /** The process is shutting down: nobody waits any longer, now and later. */
  drain(): void {
    this.#drained = true;
    for (const { over, wake } of this.#watched.values()) {
      over.resolve();
      wake();
    }
  }

  /** After `drain`: resolves when no look is under way. */
  async stop(): Promise<void> {
    await Promise.all(this.#looking);
  }

  #hasPlaceFor(projectId: string): boolean {
    if (this.#watched.size >= mostWatched) return false;
    let own = 0;
    for (const each of this.#watched.values()) if (each.projectId === projectId) own += 1;
    return own < mostWatchedOfProject;
  }

  #watch(operationId: string, watched: Watched): void {
    this.#watched.set(operationId, watched);
    const looking = this.#lookOn(operationId, watched)
      .catch((err: unknown) => this.#options.log.error({ err, operationId }, 'a job could not be looked at'))
      .finally(() => {
        this.#forget(operationId, watched);
        this.#looking.delete(looking);
      });
    this.#looking.add(looking);
  }

  async #lookOn(operationId: string, watched: Watched): Promise<void> {
    const { firstJobLookMs, jobLookMs } = this.#options.settings;
    for (let pauseMs = firstJobLookMs; ; pauseMs = Math.min(2 * pauseMs, jobLookMs)) {
      const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
      watched.wake = wake;
      const timer = setTimeout(wake, pauseMs);
      await woken;
      clearTimeout(timer);
      const isWanted = watched.waiting > 0 && !this.#drained;
      // Forgotten in the same turn, so a caller that comes now starts a new poller.
      if (!isWanted || !(await this.#mayRun(operationId))) return this.#forget(operationId, watched);
    }
  }

  #forget(operationId: string, watched: Watched): void {
    if (this.#watched.get(operationId) === watched) this.#watched.delete(operationId);
    watched.over.resolve();
  }

  /** A refusal that passes by itself is no evidence about the job. */
  async #mayRun(operationId: string): Promise<boolean> {
    try {
      return await this.#options.look(operationId);
    } catch (error) {
      if (error instanceof Refusal) return error.errors.every(({ retry }) => retry === 'SAME_KEY');
      throw error;
    }
  }
}
