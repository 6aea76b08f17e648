// Writes verdicts to the journal. A verdict that the database can't take is kept (bounded) and retried until it is written: the
// device has answered, and losing the answer would turn a known outcome into an unknown one.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MappingsToSettle } from '../mappings/mapping-store.ts';
import type { AcceptedCall, SentMark, Verdict } from '../model/operation.ts';
import type { Journal, Recorded } from './journal.ts';

interface VerdictRecorderOptions {
  readonly journal: Journal;
  readonly log: Logger;
  /** See `full`. */
  readonly mostUnrecorded: number;
}

interface RecordAttempt {
  /** Undefined if not written yet. */
  readonly recorded: Recorded | undefined;
  /** Settles when it is written, or abandoned at stop. */
  readonly done: Promise<void>;
}

const quickTries = 3;
const quickPauseMs = 100;
const longestPauseMs = 5_000;

export class VerdictRecorder {
  readonly #journal: Journal;
  readonly #log: Logger;
  readonly #mostUnrecorded: number;
  readonly #stop = new AbortController();
  readonly #unrecorded = new Set<Promise<void>>();

  constructor(options: VerdictRecorderOptions) {
    this.#journal = options.journal;
    this.#log = options.log;
    this.#mostUnrecorded = options.mostUnrecorded;
  }

  /** Too many verdicts wait for the database: no new calls are accepted. */
  get full(): boolean {
    return this.#unrecorded.size >= this.#mostUnrecorded;
  }

  get waiting(): number {
    return this.#unrecorded.size;
  }

  /** Tries a few times at once, then in the background. Never rejects. */
  async record(
    call: AcceptedCall,
    sent: SentMark,
    verdict: Verdict,
    foreseen?: MappingsToSettle,
  ): Promise<RecordAttempt> {
    for (let attempt = 1; attempt <= quickTries; attempt += 1) {
      const recorded = await this.#try(call, sent, verdict, foreseen);
      if (recorded !== undefined) return { recorded, done: Promise.resolve() };
      if (attempt < quickTries) await sleep(quickPauseMs);
    }
    return { recorded: undefined, done: this.keepTrying(call, sent, verdict) };
  }

  /** Retries until it is written, it is certain that the call was never journaled as sent, or the relay stops. Never rejects. */
  keepTrying(call: AcceptedCall, sent: SentMark, verdict: Verdict): Promise<void> {
    const done = this.#untilWritten(call, sent, verdict).finally(() => this.#unrecorded.delete(done));
    this.#unrecorded.add(done);
    return done;
  }

  /** Ends the retries; recovery turns unwritten calls into UNKNOWN. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#unrecorded);
  }

  async #untilWritten(call: AcceptedCall, sent: SentMark, verdict: Verdict): Promise<void> {
    for (let pauseMs = 200; !this.#stop.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      await sleep(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if ((await this.#try(call, sent, verdict)) !== undefined) return;
    }
    this.#log.error({ operationId: call.id, state: verdict.state }, 'a verdict could not be recorded before the stop');
  }

  async #try(
    call: AcceptedCall,
    sent: SentMark,
    verdict: Verdict,
    foreseen?: MappingsToSettle,
  ): Promise<Recorded | undefined> {
    try {
      return await this.#journal.record(call, sent, verdict, foreseen);
    } catch (error) {
      this.#log.warn({ err: error, operationId: call.id, state: verdict.state }, 'a verdict is not recorded yet');
      return undefined;
    }
  }
}
