// Resolution of users' host names. The system's resolver blocks one of this process's few threads while a name server does not
// answer (10 s and more), and Tidegate's own names of database and Redis need the same threads. So users' names use only a part of
// the threads, and each name at most one. A name that was slow the last time waits behind the others.
import dns, { type LookupAddress } from 'node:dns';

/** Ends one caller's wait; a running lookup can't be cancelled. */
type GiveUp = () => void;

type Done = (error: Error | null, found: readonly LookupAddress[]) => void;

interface NameLookupsOptions {
  /** Running lookups. */
  readonly atOnce: number;
  /** How many of these may be lookups of names that were slow. */
  readonly slowAtOnce: number;
  /** A lookup that takes longer is slow. Default 1000. */
  readonly slowAfterMs?: number;
}

interface Question {
  readonly name: string;
  readonly key: string;
  readonly slow: boolean;
  readonly askers: Set<Done>;
  begun: boolean;
}

/** Names remembered as slow; the oldest is dropped first. */
const mostRemembered = 10_000;

export class NameLookups {
  readonly #options: Required<NameLookupsOptions>;
  /** Waiting or running. */
  readonly #questions = new Map<string, Question>();
  readonly #waiting = { quick: new Set<Question>(), slow: new Set<Question>() };
  readonly #slowNames = new Set<string>();
  #running = 0;
  #slowRunning = 0;

  constructor(options: NameLookupsOptions) {
    this.#options = { slowAfterMs: 1_000, ...options };
  }

  /** `done` is called in a later turn, at most once. Concurrent callers for the same name get the same answer. */
  lookup(name: string, done: Done): GiveUp {
    const key = name.toLowerCase();
    let question = this.#questions.get(key);
    if (question === undefined) {
      question = { name, key, slow: this.#slowNames.has(key), askers: new Set(), begun: false };
      this.#questions.set(key, question);
      this.#queueOf(question).add(question);
    }
    const asked = question;
    asked.askers.add(done);
    this.#begin();
    return () => {
      asked.askers.delete(done);
      if (asked.askers.size > 0 || asked.begun) return;
      this.#queueOf(asked).delete(asked);
      this.#questions.delete(key);
    };
  }

  #queueOf({ slow }: Question): Set<Question> {
    return slow ? this.#waiting.slow : this.#waiting.quick;
  }

  #begin(): void {
    const { atOnce, slowAtOnce } = this.#options;
    while (this.#running < atOnce) {
      const [quick] = this.#waiting.quick;
      const [slow] = this.#slowRunning < slowAtOnce ? this.#waiting.slow : [];
      const next = quick ?? slow;
      if (next === undefined) return;
      this.#queueOf(next).delete(next);
      this.#ask(next);
    }
  }

  #ask(question: Question): void {
    question.begun = true;
    const { name, key, slow } = question;
    const beganAtMs = performance.now();
    this.#running += 1;
    if (slow) this.#slowRunning += 1;
    dns.lookup(name, { all: true }, (error, found) => {
      this.#running -= 1;
      if (slow) this.#slowRunning -= 1;
      if (performance.now() - beganAtMs < this.#options.slowAfterMs) this.#slowNames.delete(key);
      else this.#remember(key);
      this.#questions.delete(key);
      this.#begin();
      for (const done of question.askers) done(error, error === null ? found : []);
    });
  }

  #remember(key: string): void {
    this.#slowNames.delete(key);
    this.#slowNames.add(key);
    const [oldest] = this.#slowNames;
    if (this.#slowNames.size > mostRemembered && oldest !== undefined) this.#slowNames.delete(oldest);
  }
}

/**
 * libuv allows lookups to block half of its threads (`uv__slow_work_thread_threshold`); two of these are reserved for Tidegate's
 * own names.
 */
function placesOfProcess(): NameLookupsOptions {
  const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4) || 4;
  const atOnce = Math.max(Math.floor((threads + 1) / 2) - 2, 1);
  return { atOnce, slowAtOnce: Math.max(Math.floor(atOnce / 3), 1) };
}

export const namesOfUsers = new NameLookups(placesOfProcess());
