// The caller on whose behalf the current work is done. It travels by AsyncLocalStorage, so that shared resources (connections to
// the database, the wait for a primary) can be divided fairly without passing the caller on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { countsFor, type Identity } from './identity.ts';

/** Work with reserved connections, which requests of users can't take. */
type Lane = 'process' | 'credentials' | 'streams' | 'machines';

/** Identifies a consumer of a shared resource. */
export interface Share {
  /** Users with the same projects are one group: they divide its share among them. */
  readonly group: string;
  /** The user within the group. */
  readonly user: string;
  /** Undefined for the request of a user. */
  readonly lane: Lane | undefined;
  /** For the slow log. Undefined outside of a request. */
  readonly requestId?: string | undefined;
}

const shares = new AsyncLocalStorage<Share>();

/** All that have not logged in: one caller, however many addresses they have. */
export const nobodyKnown = 'nobody known';

const ofProcess: Share = { group: 'process', user: 'process', lane: 'process' };
/** A user with more projects is a group of its own. */
const mostProjectsOfGroup = 16;

export function callerOf(identity: Identity | null): string {
  return identity === null ? nobodyKnown : countsFor(identity);
}

/** Runs `work`, and everything that it awaits, for this caller. */
export function forCaller<T>(caller: string, work: () => T): T {
  return shares.run({ group: caller, user: caller, lane: undefined }, work);
}

/** Like `forCaller`, for the caller of a request. */
export function forIdentity<T>(identity: Identity | null, work: () => T, requestId?: string): T {
  const user = callerOf(identity);
  const lane = identity === null ? 'credentials' : identity.kind === 'machine' ? 'machines' : undefined;
  return shares.run({ group: lane ?? groupOf(identity, user), user, lane, requestId }, work);
}

/** Runs `work` for the same caller on connections of this lane. */
export function inLane<T>(lane: Lane, work: () => T): T {
  const { user = lane, requestId } = shares.getStore() ?? {};
  return shares.run({ group: lane, user, lane, requestId }, work);
}

/** Undefined for a task of this process. */
export function currentCaller(): string | undefined {
  return shares.getStore()?.user;
}

export function currentShare(): Share {
  return shares.getStore() ?? ofProcess;
}

function groupOf(identity: Identity | null, user: string): string {
  const projects = identity === null || identity.admin ? [] : Object.keys(identity.projects);
  if (projects.length === 0 || projects.length > mostProjectsOfGroup) return user;
  return projects.sort().join(' ');
}
