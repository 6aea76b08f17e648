// Checks each distinct credential of open sockets and event streams again every two seconds. A socket is closed when its credential was revoked, or
// its rights have changed. The client then reconnects, if it still can. A socket that came with an access token is closed when that expires, unless
// the client sends a fresh one before.
import type { Logger } from 'pino';
import type { Authenticator } from '../../platform/caller/access.ts';
import { authorisationScope, countsFor, type Identity } from '../../platform/caller/identity.ts';
import { socketCloses } from '../../platform/errors/errors.ts';
import type { SocketLimits } from '../access/limits.ts';
import { type Closable, closeAll } from './closable.ts';

interface SocketWatchOptions {
  readonly authenticator: Authenticator;
  readonly intervalMs: number;
  /** Time that sockets stay open while credentials can't be checked. */
  readonly graceMs: number;
  readonly log: Logger;
}

interface Watched {
  readonly identity: Identity;
  readonly sockets: Set<Closable>;
  /** When its credential was last found valid, in monotonic milliseconds. */
  goodAtMs: number;
}

const checksAtOnce = 16;
const checkDeadlineMs = 2000;
/** The longest delay of a timer. */
const longestTimerMs = 0x7fffffff;

export class SocketWatch {
  readonly #options: SocketWatchOptions;
  readonly #watched = new Map<string, Watched>();
  /** Open sockets by credential, and by user. */
  readonly #counts = new Map<string, number>();
  /** Timers of sockets that end with an access token. */
  readonly #ends = new WeakMap<Closable, NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #closed = false;

  constructor(options: SocketWatchOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Open sockets of all users. */
  get size(): number {
    return this.#size;
  }

  /** The limit that a further socket of this identity would exceed. Undefined if there is none. */
  limitReached(
    identity: Identity,
    { maxSocketsPerCredential, maxSocketsPerUser }: Pick<SocketLimits, 'maxSocketsPerCredential' | 'maxSocketsPerUser'>,
  ): { readonly limit: string; readonly most: number } | undefined {
    if ((this.#counts.get(identity.credentialId) ?? 0) >= maxSocketsPerCredential)
      return { limit: 'sockets of one session or API token', most: maxSocketsPerCredential };
    // Counted over all sessions and API tokens.
    if ((this.#counts.get(userKey(identity)) ?? 0) >= maxSocketsPerUser)
      return { limit: 'sockets of one user', most: maxSocketsPerUser };
    return undefined;
  }

  /** Watches a socket until it closes. */
  add(identity: Identity, socket: Closable): void {
    // The key includes the rights: a socket that was opened with other rights is checked separately.
    const key = `${identity.credentialId}/${authorisationScope(identity)}`;
    const watched = this.#watched.get(key) ?? { identity, sockets: new Set(), goodAtMs: performance.now() };
    this.#watched.set(key, watched);
    watched.sockets.add(socket);
    const counts = [identity.credentialId, userKey(identity)];
    for (const each of counts) this.#add(each, 1);
    this.#size += 1;
    this.endWithToken(identity, socket);
    socket.onceClosed(() => {
      clearTimeout(this.#ends.get(socket));
      watched.sockets.delete(socket);
      if (watched.sockets.size === 0) this.#watched.delete(key);
      for (const each of counts) this.#add(each, -1);
      this.#size -= 1;
    });
  }

  #add(key: string, change: 1 | -1): void {
    const count = (this.#counts.get(key) ?? 0) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }

  /** Ends a watched socket when the access token of `identity` expires, which replaces an earlier one. */
  endWithToken({ accessUntilMs }: Identity, socket: Closable): void {
    clearTimeout(this.#ends.get(socket));
    if (accessUntilMs === undefined || !socket.isOpen()) return;
    const wait = (): void => {
      const leftMs = accessUntilMs - Date.now();
      if (leftMs <= 0) closeAll([socket], socketCloses.accessTokenEnded);
      else this.#ends.set(socket, setTimeout(wait, Math.min(leftMs, longestTimerMs)).unref());
    };
    wait();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#pass()
        .catch((error: unknown) => this.#options.log.error({ err: error }, 'checking open sockets failed'))
        .finally(() => this.#schedule());
    }, this.#options.intervalMs);
    this.#timer.unref();
  }

  async #pass(): Promise<void> {
    const queue = [...this.#watched.values()];
    const work = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) await this.#check(next);
    };
    await Promise.all(Array.from({ length: checksAtOnce }, work));
  }

  async #check(watched: Watched): Promise<void> {
    const { authenticator, log } = this.#options;
    // They were closed since the pass began.
    if (![...watched.sockets].some((socket) => socket.isOpen())) return;
    let now: Identity | undefined;
    try {
      now = await authenticator.recheck(watched.identity, AbortSignal.timeout(checkDeadlineMs));
    } catch (error) {
      const blindMs = performance.now() - watched.goodAtMs;
      log.warn({ err: error, blindMs }, 'a credential could not be checked again');
      this.#closeUncertain();
      return;
    }
    if (now === undefined) closeAll(watched.sockets, socketCloses.loginEnded);
    else if (authorisationScope(now) !== authorisationScope(watched.identity))
      closeAll(watched.sockets, socketCloses.rightsChanged);
    else watched.goodAtMs = performance.now();
  }

  /** Includes sockets whose turn has not come: while checks time out, a pass over many credentials takes far longer than the grace. */
  #closeUncertain(): void {
    const nowMs = performance.now();
    for (const { goodAtMs, sockets } of this.#watched.values())
      if (nowMs - goodAtMs > this.#options.graceMs)
        closeAll(
          [...sockets].filter((socket) => socket.isOpen()),
          socketCloses.uncertain,
        );
  }
}

/** Differs from the key of any credential. */
function userKey(identity: Identity): string {
  return `user ${countsFor(identity)}`;
}
