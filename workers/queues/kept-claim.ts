// The claim of a running job lasts only a little without its process: it is renewed as long as the job may run.
import type { Logger } from '../../platform/log/log.ts';
import { type ClaimedJob, type OwedWork, OwedWorkLostError } from '../../platform/owed/owed-work.ts';

interface KeptClaimOptions {
  readonly owedWork: Pick<OwedWork, 'renew'>;
  readonly job: ClaimedJob;
  readonly everyMs: number;
  /** Afterwards it ends by itself, whatever the job does. */
  readonly forMs: number;
  /** Aborted: nothing is renewed any more. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

export class KeptClaim {
  readonly #options: KeptClaimOptions;
  readonly #lost = new AbortController();
  readonly #beganMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #asking = false;

  constructor(options: KeptClaimOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#renew(), options.everyMs);
  }

  /** Aborted when another process has the job. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    const { owedWork, job, forMs, stopping, log } = this.#options;
    if (this.#asking) return;
    if (stopping.aborted || performance.now() - this.#beganMs > forMs) return this.end();
    this.#asking = true;
    try {
      if (await owedWork.renew(job)) return;
      this.end();
      this.#lost.abort(new OwedWorkLostError(job));
    } catch (error) {
      log.debug({ err: error, queue: job.kind, key: job.key }, 'the claim of a job was not renewed: trying again');
    } finally {
      this.#asking = false;
    }
  }
}
