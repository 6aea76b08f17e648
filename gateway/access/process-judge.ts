// The judge of new documents, in a separate process. It does not block the event loop, and has a lower priority. A document that crashes it, or takes
// too long, costs others no more than a restart. So does a time without new documents, after which the process ends.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { CodedError } from '../../platform/errors/errors.ts';
import { ChildLine, usualRestMs } from '../../platform/process/child-line.ts';
import { startBudgetMs, startStep } from '../../platform/process/start-budget.ts';
import type { Judge, Question, Verdict } from './document-judge.ts';
import type { FromJudge, ToJudge } from './judge-process.ts';
import type { OperationLimits } from './limits.ts';

interface ProcessJudgeOptions {
  readonly supergraphSdl: string;
  readonly limits: OperationLimits;
  readonly log: Logger;
  /** Deadline of one document. */
  readonly deadlineMs?: number;
  /** Memory limit of the process. */
  readonly memoryMiB?: number;
  /** Time without new documents after which the process ends. The next one starts it again. */
  readonly restMs?: number;
  /** The program of the process. */
  readonly program?: string;
}

/** A request waits for it. */
const restartDeadlineMs = 30_000;
const retryAfterMs = 1_000;
const maxLostBytes = 4 * 1024 * 1024;
/** Retries afterwards, because an overloaded machine may be the reason. */
const lostForMs = 60_000;
const niceness = 5;
const [firstPauseMs, longestPauseMs] = [100, 5_000];
const mostLogged = 2_000;

export class ProcessJudge implements Judge {
  readonly #options: Required<ProcessJudgeOptions>;
  readonly #closing = new AbortController();
  /** Documents that crashed the process, or took too long. */
  readonly #lost = new LRUCache<string, Verdict>({
    maxSize: maxLostBytes,
    ttl: lostForMs,
    sizeCalculation: (_verdict, text) => 2 * text.length + 1_000,
  });
  #line: ChildLine<ToJudge, FromJudge> | undefined;
  /** Consecutive failures. */
  #failures = 0;

  constructor(options: ProcessJudgeOptions) {
    const program = join(import.meta.dirname, 'judge-process.ts');
    this.#options = { deadlineMs: 3_000, memoryMiB: 192, restMs: usualRestMs, program, ...options };
  }

  /** Throws when the process does not start. */
  async start(): Promise<void> {
    await startStep('the judge of documents', { log: this.#options.log }, () => this.#open(startBudgetMs));
  }

  async judge(question: Question): Promise<Verdict> {
    const lost = this.#lost.get(question.text);
    if (lost !== undefined) return lost;
    const line = await this.#running();
    const answer = await line.ask(question, this.#options.deadlineMs);
    if (this.#closing.signal.aborted) throw shuttingDown();
    if (answer === undefined || answer.kind === 'ready' || answer.kind === 'fault')
      return this.#lose(question, answer?.kind === 'fault' ? answer.reason : line.lastWords);
    this.#failures = 0;
    return answer;
  }

  /** Ends the process. Refuses its document and later ones. */
  close(): void {
    this.#closing.abort();
    this.#line?.end();
  }

  #lose({ text }: Question, reason: string): Verdict {
    this.#failures += 1;
    this.#options.log.warn({ reason, document: text.slice(0, mostLogged) }, 'a document could not be checked');
    const most = this.#options.deadlineMs;
    const verdict: Verdict = {
      ...{ kind: 'refused', code: 'LIMIT_EXCEEDED', details: { limit: 'milliseconds to check a document', most } },
      message: `The document could not be checked within ${most} ms and the memory for that; nothing was done. Send a smaller one.`,
    };
    this.#lost.set(text, verdict);
    return verdict;
  }

  /** Starts a new process if the last one has ended, after a pause if that happens repeatedly. */
  async #running(): Promise<ChildLine<ToJudge, FromJudge>> {
    if (this.#line?.isOpen === true) return this.#line;
    try {
      const { signal } = this.#closing;
      if (this.#failures > 1)
        await sleep(Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures), undefined, { signal, ref: false });
      return await this.#open(restartDeadlineMs);
    } catch (error) {
      if (this.#closing.signal.aborted) throw shuttingDown();
      this.#failures += 1;
      this.#options.log.error({ err: error }, 'the process that checks new documents does not start');
      throw new CodedError('UNAVAILABLE', 'New documents cannot be checked at the moment; try again.', {
        retryAfterMs,
      });
    }
  }

  async #open(deadlineMs: number): Promise<ChildLine<ToJudge, FromJudge>> {
    if (this.#closing.signal.aborted) throw shuttingDown();
    const { program, memoryMiB, restMs, supergraphSdl, limits } = this.#options;
    const line = new ChildLine<ToJudge, FromJudge>({
      ...{ program, restMs },
      nodeArguments: [`--max-old-space-size=${memoryMiB}`, '--max-semi-space-size=4'],
    });
    this.#line = line;
    const answer = await line.ask({ supergraphSdl, limits }, deadlineMs);
    if (answer?.kind === 'ready') {
      line.yieldBy(niceness);
      return line;
    }
    line.end();
    throw new Error(`the judge does not start: ${answer?.kind === 'fault' ? answer.reason : line.lastWords}`);
  }
}

function shuttingDown(): CodedError {
  return new CodedError('UNAVAILABLE', 'This gateway is shutting down.', { retryAfterMs });
}
