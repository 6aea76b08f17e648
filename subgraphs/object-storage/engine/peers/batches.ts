// Batches requests to the registers of one cluster. Requests of one turn of the event loop go together. While others are in flight, new
// ones wait for an answer to those, so that many share a message and a transaction. A distant cluster delays them by a few milliseconds
// only.
import { NotSentError } from '../../../../platform/registers/errors.ts';
import type { ReplicaAnswer, ReplicaRequest } from '../store/register.ts';
import { mostBatchRequests } from './peer-wire.ts';

interface BatchesOptions {
  /** Returns an answer or an error for each request. Rejects if the outcome is unknown. */
  send(requests: readonly ReplicaRequest[], deadlineMs: number): Promise<readonly (ReplicaAnswer | Error)[]>;
  readonly deadlineMs: number;
  readonly batchesAtOnce: number;
}

interface Waiting {
  readonly request: ReplicaRequest;
  readonly bytes: number;
  readonly untilMs: number;
  readonly answered: PromiseWithResolvers<ReplicaAnswer>;
}

/** Waiting requests are sent after this time even without an answer. */
const gatherMs = 5;
const mostBatchBytes = 4 * 1024 * 1024;
const mostWaiting = 10_000;
const mostWaitingBytes = 64 * 1024 * 1024;
/** Approximate size of a request without its value. */
const bytesPerRequest = 500;

export class Batches {
  readonly #options: BatchesOptions;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #underWay = 0;
  #isPlanned = false;
  #late: NodeJS.Timeout | undefined;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  ask(request: ReplicaRequest): Promise<ReplicaAnswer> {
    const bytes = bytesOf(request);
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes + bytes > mostWaitingBytes)
      return Promise.reject(new NotSentError('too many requests are waiting for this cluster'));
    const answered = Promise.withResolvers<ReplicaAnswer>();
    this.#waiting.push({ request, bytes, untilMs: performance.now() + this.#options.deadlineMs, answered });
    this.#waitingBytes += bytes;
    this.#plan();
    return answered.promise;
  }

  /** `isNow`: an answer has arrived, or nothing is in flight. */
  #plan(isNow = this.#underWay === 0): void {
    if (this.#isPlanned || this.#waiting.length === 0 || this.#underWay >= this.#options.batchesAtOnce) return;
    if (!isNow) {
      this.#late ??= setTimeout(() => this.#send(), gatherMs);
      return;
    }
    this.#isPlanned = true;
    setImmediate(() => this.#send());
  }

  #send(): void {
    clearTimeout(this.#late);
    this.#late = undefined;
    this.#isPlanned = false;
    while (this.#waiting.length > 0 && this.#underWay < this.#options.batchesAtOnce) void this.#sendNext();
  }

  async #sendNext(): Promise<void> {
    const batch = this.#takeBatch();
    const [first] = batch;
    if (first === undefined) return;
    this.#underWay += 1;
    try {
      const requests = batch.map(({ request }) => request);
      // The first request has waited longest.
      const answers = await this.#options.send(requests, Math.max(1, Math.ceil(first.untilMs - performance.now())));
      batch.forEach(({ answered }, index) => {
        const answer = answers[index] ?? new Error('the other cluster answered fewer requests than it was sent');
        if (answer instanceof Error) answered.reject(answer);
        else answered.resolve(answer);
      });
    } catch (error) {
      for (const { answered } of batch) answered.reject(error);
    } finally {
      this.#underWay -= 1;
      this.#plan(true);
    }
  }

  #takeBatch(): readonly Waiting[] {
    const nowMs = performance.now();
    const batch: Waiting[] = [];
    let bytes = 0;
    let taken = 0;
    for (const each of this.#waiting) {
      if (batch.length === mostBatchRequests || (batch.length > 0 && bytes + each.bytes > mostBatchBytes)) break;
      taken += 1;
      if (each.untilMs <= nowMs) {
        each.answered.reject(new NotSentError('the cluster answers too slowly: the request was not sent in time'));
        this.#waitingBytes -= each.bytes;
        continue;
      }
      batch.push(each);
      bytes += each.bytes;
    }
    this.#waiting.splice(0, taken);
    this.#waitingBytes -= bytes;
    return batch;
  }
}

function bytesOf(request: ReplicaRequest): number {
  if (request.op !== 'accept') return bytesPerRequest;
  const { value } = request.written;
  return bytesPerRequest + (value?.head.length ?? 0) + (value?.body?.length ?? 0);
}
