// `--wait`: waits until the request is done, and the standby has its write.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LongRunningState } from '../generated/cli/graphql.ts';
import { graphql } from '../generated/cli/index.ts';
import { CommandFailure, exitCodes, Interruption } from './failures.ts';
import type { GraphClient } from './graph-client.ts';
import type { RemoteCall } from './remote-verb.ts';

const commitDocument = graphql(`
  query CommitReplication($token: String!, $waitMs: Int!) {
    commit(token: $token) { replication(waitMs: $waitMs) { state reason } }
  }
`);

/** Final states of work. UNKNOWN is not final, because a probe of the device may settle it. */
const endedStates: ReadonlySet<LongRunningState> = new Set(['SUCCEEDED', 'REJECTED', 'FAILED', 'CANCELLED'] as const);

/** State of long-running work in the graph. */
interface LongRunning {
  readonly state: LongRunningState;
}

/**
 * Waits for long-running work (`LongRunning` in the graph): reads it until it has ended. Throws CommandFailure with exit code 4 after the seconds of
 * `--wait`.
 */
export function waitFor<Work extends LongRunning | null>(
  patience: Patience,
  read: () => Promise<Work>,
  progressOf: (work: NonNullable<Work>) => string,
): Promise<Work> {
  return patience.until(
    read,
    (work) => work === null || endedStates.has(work.state),
    (work) => (work === null ? 'it is gone' : progressOf(work)),
  );
}

const pauseMs = 500;
/** The longest that the graph waits for the standby in one request. */
const longestReplicationWaitMs = 10_000;

/** For verbs with `--wait`. */
export type WaitingCall = Pick<RemoteCall, 'client' | 'signal'> & {
  readonly options: { readonly wait: number | undefined };
};

/** Part of a mutation's payload. */
export type Commit = { readonly token: string } | null;

/** Undefined if nobody waits. */
export function patienceOf({ client, signal, options: { wait } }: WaitingCall): Patience | undefined {
  return wait === undefined ? undefined : new Patience(client, signal, wait);
}

/** With `--wait`: waits until the standby has the write. */
export async function replicated(call: WaitingCall, commit: Commit): Promise<void> {
  await patienceOf(call)?.untilReplicated(commit);
}

/** One `--wait`: all its waits share the time. */
export class Patience {
  readonly #client: GraphClient;
  readonly #signal: AbortSignal;
  readonly #seconds: number;
  readonly #untilMs: number;

  constructor(client: GraphClient, signal: AbortSignal, seconds: number) {
    this.#client = client;
    this.#signal = signal;
    this.#seconds = seconds;
    this.#untilMs = performance.now() + seconds * 1000;
  }

  /** Polls until the condition holds. Throws CommandFailure with exit code 4 at the deadline. */
  async until<Seen>(
    look: () => Promise<Seen>,
    done: (seen: Seen) => boolean,
    why: (seen: Seen) => string,
  ): Promise<Seen> {
    for (;;) {
      const seen = await look();
      if (done(seen)) return seen;
      if (performance.now() + pauseMs > this.#untilMs) throw this.#late(why(seen));
      await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => {
        throw new Interruption();
      });
    }
  }

  /** Waits until the standby has the write. Returns at once without a standby. */
  async untilReplicated(commit: Commit): Promise<void> {
    if (commit === null) return;
    const look = async () => {
      const leftMs = Math.max(0, Math.round(this.#untilMs - performance.now()));
      const waitMs = Math.min(leftMs, longestReplicationWaitMs);
      return (await this.#client.query(commitDocument, { token: commit.token, waitMs })).commit?.replication;
    };
    const seen = await this.until(
      look,
      (replication) => replication?.state !== 'PENDING',
      (replication) => `the write is not on the standby yet${reasonOf(replication?.reason)}`,
    );
    if (seen?.state === 'CONFIRMED' || seen?.state === 'NOT_REPLICATED') return;
    throw new CommandFailure(`the write's replication is ${seen?.state ?? 'UNKNOWN'}${reasonOf(seen?.reason)}`);
  }

  #late(why: string): CommandFailure {
    return new CommandFailure(`not done within ${this.#seconds} s: ${why}`, exitCodes.late);
  }
}

function reasonOf(reason: string | null | undefined): string {
  return reason === null || reason === undefined ? '' : `: ${reason}`;
}
