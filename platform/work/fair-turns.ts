// Divides concurrent work fairly among callers, with a bound on how much runs at once. Groups take turns, and so do the users of a
// group. If there is room for two, no group may take all of it, so that a later caller finds a free turn at once.
import type { Share } from '../caller/caller.ts';

interface FairTurnsOptions {
  readonly atOnce: number;
  /** Most that wait. Beyond it, the user with the most waiting loses its newest one to a user with fewer. */
  readonly mostWaiting: number;
  /** How long each waits at most. */
  readonly waitMs: number;
  /** The error for one that finds no place, loses it, or has waited too long. */
  readonly refusal: () => Error;
}

type Who = Pick<Share, 'group' | 'user'>;

interface Waiter {
  readonly who: Who;
  readonly start: () => void;
  readonly refuse: () => void;
}

export class FairTurns {
  readonly #options: FairTurnsOptions;
  readonly #mostOfGroup: number;
  readonly #runningOf = new Map<string, number>();
  /** By group and user. The first one of each map is next. */
  readonly #waiting = new Map<string, Map<string, Set<Waiter>>>();
  #running = 0;
  #size = 0;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
    this.#mostOfGroup = Math.max(1, options.atOnce - 1);
  }

  get waiting(): number {
    return this.#size;
  }

  /** Does the work in its turn. Throws the refusal. */
  async run<Result>(who: Who, work: () => Promise<Result>): Promise<Result> {
    if (this.#hasRoom(who.group)) this.#take(who.group);
    else await this.#wait(who);
    try {
      return await work();
    } finally {
      this.#give(who.group);
    }
  }

  #hasRoom(group: string): boolean {
    return this.#running < this.#options.atOnce && (this.#runningOf.get(group) ?? 0) < this.#mostOfGroup;
  }

  #take(group: string): void {
    this.#running += 1;
    this.#runningOf.set(group, (this.#runningOf.get(group) ?? 0) + 1);
  }

  #give(group: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(group) ?? 0) - 1;
    if (left > 0) this.#runningOf.set(group, left);
    else this.#runningOf.delete(group);
    this.#startNext();
  }

  async #wait(who: Who): Promise<void> {
    if (this.#size >= this.#options.mostWaiting && !this.#makeRoom(who)) throw this.#options.refusal();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const refuse = () => {
      this.#remove(waiter);
      reject(this.#options.refusal());
    };
    const timer = setTimeout(refuse, this.#options.waitMs);
    const start = () => {
      this.#take(who.group);
      resolve();
    };
    const waiter: Waiter = { who, start, refuse };
    const users = this.#waiting.get(who.group) ?? new Map<string, Set<Waiter>>();
    const own = users.get(who.user) ?? new Set<Waiter>();
    this.#waiting.set(who.group, users.set(who.user, own.add(waiter)));
    this.#size += 1;
    await promise.finally(() => clearTimeout(timer));
  }

  #startNext(): void {
    for (const [group, users] of this.#waiting) {
      if (!this.#hasRoom(group)) continue;
      const [[user, own] = []] = users;
      const [waiter] = own ?? [];
      if (user === undefined || own === undefined || waiter === undefined) continue;
      this.#remove(waiter);
      // Both go to the end of their line.
      if (own.size > 0) {
        users.delete(user);
        users.set(user, own);
      }
      if (this.#waiting.delete(group)) this.#waiting.set(group, users);
      waiter.start();
      return;
    }
  }

  #remove(waiter: Waiter): void {
    const { group, user } = waiter.who;
    const users = this.#waiting.get(group);
    const own = users?.get(user);
    if (own?.delete(waiter) !== true) return;
    this.#size -= 1;
    if (own.size === 0) users?.delete(user);
    if (users?.size === 0) this.#waiting.delete(group);
  }

  /** Returns false if no user has more waiting than this one would have. */
  #makeRoom({ group, user }: Who): boolean {
    const lines = [...this.#waiting.values()].flatMap((users) => [...users.values()]);
    const longest = lines.reduce((one, other) => (other.size > one.size ? other : one), new Set<Waiter>());
    const own = this.#waiting.get(group)?.get(user)?.size ?? 0;
    if (longest.size <= own + 1) return false;
    [...longest].at(-1)?.refuse();
    return true;
  }
}
