// The stream of mutations, from clients that follow the retry contract. A call that does not end at once is repeated later with its own
// key, while its client makes other calls.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { CallRequest, GatewayClient, Reply } from './gateway-client.ts';
import type { Answer } from './verdict.ts';

interface CallStreamOptions {
  readonly client: GatewayClient;
  readonly random: Random;
  readonly clients: number;
  /** The longest pause of a client between two calls. */
  readonly pauseMs: number;
  /** Prefix of the keys; default `call`. */
  readonly prefix?: string;
  /** The number of its first call, which determines names and addresses. Default 1. */
  readonly first?: number;
  /** Called for each request with its reply. */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** One request of a client, by this machine's clock. */
export interface Attempt {
  readonly request: CallRequest;
  readonly reply: Reply;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

interface Open {
  readonly request: CallRequest;
  notBeforeMs: number;
}

/** The largest number of calls without an answer at once. */
const mostOpen = 64;
const readyPauseMs = 20;

export class CallStream {
  readonly #options: CallStreamOptions;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #open: Open[] = [];
  #clients: Promise<void>[] = [];
  #numbers: number;
  #underWay = 0;
  readonly answers: Answer[] = [];
  /** The number of repeated requests, by reason. */
  readonly retries = new Map<string, number>();
  /** Answers that the contract does not allow. */
  readonly unexpected: string[] = [];

  constructor(options: CallStreamOptions) {
    this.#options = options;
    this.#numbers = (options.first ?? 1) - 1;
  }

  /** The number of the last call. */
  get last(): number {
    return this.#numbers;
  }

  start(): void {
    this.#clients = Array.from({ length: this.#options.clients }, () => this.#run());
  }

  /** Makes new mutations until one has SUCCEEDED, and returns how long that took. Undefined if none did by the deadline. */
  async untilReady(deadlineMs: number): Promise<number | undefined> {
    const startedMs = performance.now();
    let open = this.#fresh();
    for (;;) {
      const ended = await this.#ask(open);
      const tookMs = performance.now() - startedMs;
      if (ended === 'SUCCEEDED') return tookMs;
      if (tookMs > deadlineMs) return undefined;
      if (ended !== undefined) open = this.#fresh();
      await sleep(readyPauseMs);
    }
  }

  /** Makes no new calls. Calls without an answer are repeated until they have one, or for `deadlineMs`. */
  async finish(deadlineMs: number): Promise<void> {
    this.#stop.abort();
    const cut = setTimeout(() => this.#cut.abort(), deadlineMs);
    await Promise.all(this.#clients);
    clearTimeout(cut);
    for (const { request } of this.#open.splice(0))
      this.answers.push({ key: request.key, outcome: 'UNANSWERED', operationId: undefined });
  }

  async #run(): Promise<void> {
    const { random, pauseMs } = this.#options;
    while (!this.#cut.signal.aborted) {
      const open = this.#take();
      const stopped = this.#stop.signal.aborted;
      if (open === undefined && stopped && this.#open.length + this.#underWay === 0) return;
      if (open !== undefined) {
        this.#underWay += 1;
        if ((await this.#ask(open)) === undefined) this.#open.push(open);
        this.#underWay -= 1;
      }
      await sleep(random.integer(1, pauseMs));
    }
  }

  /** Returns a call that is due to be repeated, otherwise a new one. */
  #take(): Open | undefined {
    const nowMs = performance.now();
    const due = this.#open.findIndex((open) => open.notBeforeMs <= nowMs);
    if (due >= 0) return this.#open.splice(due, 1)[0];
    if (this.#stop.signal.aborted || this.#open.length >= mostOpen) return undefined;
    return this.#fresh();
  }

  #fresh(): Open {
    this.#numbers += 1;
    const kind = this.#options.random.next() < 0.5 ? 'rule' : 'element';
    const { prefix = 'call' } = this.#options;
    return { request: { key: `${prefix}-${this.#numbers}`, kind, number: this.#numbers }, notBeforeMs: 0 };
  }

  /** Undefined if the call must be repeated, but not before the time in `open`. */
  async #ask(open: Open): Promise<Answer['outcome'] | undefined> {
    const { key } = open.request;
    const startedAtMs = Date.now();
    const reply = await this.#options.client.send(open.request, this.#cut.signal);
    this.#options.onAttempt?.({ request: open.request, reply, startedAtMs, endedAtMs: Date.now() });
    switch (reply.kind) {
      case 'ended':
        this.answers.push({ key, outcome: reply.state, operationId: reply.operationId });
        return reply.state;
      case 'again':
        this.retries.set(reply.why, (this.retries.get(reply.why) ?? 0) + 1);
        open.notBeforeMs = performance.now() + reply.afterMs;
        return undefined;
      case 'unexpected':
        this.unexpected.push(`${key}: ${reply.what}`);
        this.answers.push({ key, outcome: 'UNANSWERED', operationId: undefined });
        return 'UNANSWERED';
    }
  }
}
