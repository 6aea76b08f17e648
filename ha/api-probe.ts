// Whether `tidegate serve` on this host answers clients, asked through its own listener: a process that lives and hangs serves nobody.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { networkInterfaces } from 'node:os';
import { hostOf } from '../platform/net/origin.ts';
import type { ApiState } from './agent/view.ts';
import { readServed, runs } from './served-process.ts';

const lookEveryMs = 200;
const usual = {
  askEveryMs: 1_000,
  answerMs: 2_000,
  /** A process that ends again and again is not moved to. */
  steadyMs: 3_000,
  /** For the first answer after the agent's start: hosts that start together do not move the primary. */
  firstAnswerMs: 30_000,
};

export class ApiProbe {
  readonly #file: string;
  readonly #times: typeof usual;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #isAsking = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isSilent = false;
  #hasAnswered = false;
  readonly #startedAtMs = performance.now();
  /** Of the present process, and the answers of which there was no failure since. */
  #answersSinceMs: number | undefined;

  /** `processFile`: where `tidegate serve` notes its process. */
  constructor(processFile: string, times: Partial<typeof usual> = {}) {
    this.#file = processFile;
    this.#times = { ...usual, ...times };
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
  }

  get state(): ApiState {
    if (this.#isSilent) return 'SILENT';
    const since = this.#answersSinceMs;
    return since !== undefined && performance.now() - since >= this.#times.steadyMs ? 'ANSWERS' : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const served = await readServed(this.#file);
      if (served === undefined || !runs(served)) this.#failed();
      else if (served.url !== undefined && isOwn(new URL(served.url))) this.#askSometimes(served.url);
    } finally {
      this.#isLooking = false;
    }
  }

  #askSometimes(url: string): void {
    if (this.#isAsking || performance.now() - this.#askedAtMs < this.#times.askEveryMs) return;
    this.#isAsking = true;
    this.#askedAtMs = performance.now();
    answers(url, this.#times.answerMs)
      .then((isAnswered) => {
        if (!isAnswered) return this.#failed();
        this.#isSilent = false;
        this.#hasAnswered = true;
        this.#answersSinceMs ??= performance.now();
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  #failed(): void {
    this.#isSilent = this.#hasAnswered || performance.now() - this.#startedAtMs >= this.#times.firstAnswerMs;
    this.#answersSinceMs = undefined;
  }
}

/** The file belongs to the account of `tidegate serve`, so that it could name any address. */
function isOwn(url: URL): boolean {
  const host = hostOf(url);
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
}

/** On a connection of its own, as a new client. Its certificate is not for this address, and nothing secret is sent. */
function answers(url: string, answerMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const target = new URL('/health/live', url);
    const options = { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(answerMs) };
    const asked = target.protocol === 'https:' ? httpsRequest(target, options) : httpRequest(target, options);
    asked.once('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
