// One call to etcd, while several members are asked: the first answer counts, and an answer that comes late is still an answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdError, type Fate } from './etcd-gateway.ts';

interface Answer {
  readonly value: unknown;
}

export class EtcdCall {
  readonly #timeoutMs: number;
  readonly #endsAtMs: number;
  readonly #ending = new AbortController();
  readonly #asked = new Set<Promise<Answer | undefined>>();
  readonly #failures: string[] = [];
  #fate: Fate = 'none';
  #isFinal = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
  }

  /** For the next member. Undefined if no time is left. */
  limits(connectMs?: number): { timeoutMs: number; connectMs: number; signal: AbortSignal } | undefined {
    const leftMs = this.#endsAtMs - performance.now();
    if (leftMs <= 0) return undefined;
    return { timeoutMs: leftMs, connectMs: Math.min(leftMs, connectMs ?? leftMs), signal: this.#ending.signal };
  }

  add(asked: Promise<unknown>): void {
    const settled: Promise<Answer | undefined> = asked.then(
      (value) => ({ value }),
      (error: unknown) => {
        this.#asked.delete(settled);
        this.#failed(error);
        return undefined;
      },
    );
    this.#asked.add(settled);
  }

  /** The first answer; undefined once all members that were asked have failed, and at the time limit of the last. */
  async settled(): Promise<Answer | undefined> {
    while (this.#asked.size > 0 && !this.#isFinal) {
      const answer = await Promise.race(this.#asked);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** The same, and undefined when the time is over. */
  async settledWithin(ms: number): Promise<Answer | undefined> {
    const ending = new AbortController();
    try {
      const over = sleep(ms, undefined, { signal: ending.signal }).catch(() => undefined);
      return await Promise.race([this.settled(), over]);
    } finally {
      ending.abort();
    }
  }

  /** Whether no further member may or need be asked. */
  isOver(once: boolean): boolean {
    return this.#isFinal || (once && this.#fate === 'unknown');
  }

  /** The members that have not answered yet are not waited for. */
  end(): void {
    this.#ending.abort();
  }

  failure(): EtcdError {
    return new EtcdError(this.#failures.join('; ') || `etcd: no answer within ${this.#timeoutMs} ms`, this.#fate);
  }

  #failed(error: unknown): void {
    this.#failures.push(error instanceof Error ? error.message : String(error));
    if (!(error instanceof EtcdError)) return;
    if (error.fate === 'unknown') this.#fate = 'unknown';
    if (isFinal(error)) this.#isFinal = true;
  }
}

/** Whether every other member would return the same error. */
function isFinal({ message }: EtcdError): boolean {
  return /lease not found|compacted|duplicate key|in sync with leader/.test(message);
}
