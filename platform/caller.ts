// For whom the present work is done: it travels by AsyncLocalStorage, so that what all callers share (the wait for the database) can be
// shared out fairly without passing it on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { countsFor, type Identity } from './identity.ts';

const callers = new AsyncLocalStorage<string>();

/** All that have not logged in: one caller, however many addresses they have. */
export const nobodyKnown = 'nobody known';

export function callerOf(identity: Identity | null): string {
  return identity === null ? nobodyKnown : countsFor(identity);
}

/** Runs `work`, and everything that it awaits, for this caller. */
export function forCaller<T>(caller: string, work: () => T): T {
  return callers.run(caller, work);
}

/** Undefined: a task of this process. */
export function currentCaller(): string | undefined {
  return callers.getStore();
}
