// A client of etcd (v3) by its JSON gateway: leases, transactions that compare, reads by prefix, watches, and the leader. Every call has a
// deadline. It begins with the member that answered last. When that one is slow, the next is asked beside it, and the first answer counts. Source: etcd
// 3.4, `etcdserver/etcdserverpb/rpc.proto`; keys and values are base64, 64-bit numbers are texts, zeros are left out.

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { EtcdCall } from './etcd-call.ts';
import { type EtcdClientTls, EtcdError, EtcdGateway } from './etcd-gateway.ts';

export { EtcdError } from './etcd-gateway.ts';

export interface EtcdClientOptions {
  /** URL of each member: `https://192.0.2.1:2379`. */
  readonly urls: readonly string[];
  readonly tls?: EtcdClientTls;
  /** Deadline of the whole call. Default 1 s. */
  readonly timeoutMs?: number;
  /** Time until the next member is asked too. Default: a third of `timeoutMs`. */
  readonly memberTimeoutMs?: number;
}

interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  /** Revision of the key's last change, which transactions compare. */
  readonly revision: number;
  /** `0` means that the entry has no lease. */
  readonly lease: string;
}

export interface EtcdSnapshot {
  readonly revision: number;
  readonly entries: readonly EtcdEntry[];
}

/** True if the key was last changed by `revision`. 0 means that there is no such key. */
export interface Condition {
  readonly key: string;
  readonly revision: number;
}

export type Change =
  | { readonly put: string; readonly value: string; readonly lease?: string }
  | { readonly delete: string };

export interface MemberStatus {
  readonly url: string;
  readonly memberId: string;
  /** `0` if it knows of no leader. */
  readonly leaderId: string;
  /** A learner receives all data and has no vote. */
  readonly isLearner: boolean;
}

interface EtcdMembership {
  readonly id: string;
  readonly peerUrls: readonly string[];
  /** A learner receives all data and has no vote. */
  readonly isLearner: boolean;
  /** It was started at least once. */
  readonly hasStarted: boolean;
}

interface WatchOptions {
  readonly prefix: string;
  /** First revision to report. */
  readonly fromRevision: number;
  readonly signal: AbortSignal;
}

interface WatchedChange {
  readonly revision: number;
  readonly keys: readonly string[];
  /** Changes were compacted away in the meantime, so read everything again. */
  readonly lost: boolean;
}

const usualTimeoutMs = 1_000;
/** A watch reports its progress only every ten minutes. Requesting the progress regularly detects a member that hangs. */
const watchSilenceMs = 3_000;
const watchRetryMs = 100;

const number64 = z.union([z.string().regex(/^-?\d+$/), z.number()]).transform(Number);
const header = z.object({ revision: number64.default(0) }).default({ revision: 0 });
const keyValue = z
  .object({
    key: z.string(),
    value: z.string().default(''),
    mod_revision: number64.default(0),
    lease: z.string().default('0'),
  })
  .transform(({ key, value, mod_revision, lease }) => ({
    key: decode(key),
    value: decode(value),
    revision: mod_revision,
    lease,
  }));
const range = z.object({ header, kvs: z.array(keyValue).default([]), more: z.boolean().default(false) });
const transaction = z.object({ header, succeeded: z.boolean().default(false) });
const granted = z.object({ ID: z.string(), TTL: number64 });
const renewed = z.object({ result: z.object({ TTL: number64.default(0) }) });
const status = z.object({
  header: z.object({ member_id: z.string() }),
  leader: z.string().default('0'),
  isLearner: z.boolean().default(false),
});
const member = z
  .object({
    ID: z.string(),
    name: z.string().default(''),
    peerURLs: z.array(z.string()).default([]),
    isLearner: z.boolean().default(false),
  })
  // Its name is known after its first start.
  .transform(({ ID, name, peerURLs, isLearner }) => ({
    ...{ id: ID, peerUrls: peerURLs, isLearner, hasStarted: name !== '' },
  }));
const memberList = z.object({ members: z.array(member) });
const watchAnswer = z.object({
  error: z.object({ message: z.string().default('') }).optional(),
  result: z
    .object({
      canceled: z.boolean().default(false),
      compact_revision: number64.default(0),
      events: z
        .array(z.object({ kv: z.object({ key: z.string().transform(decode), mod_revision: number64 }) }))
        .default([]),
    })
    .optional(),
});

export class EtcdClient {
  readonly #urls: string[];
  readonly #timeoutMs: number;
  readonly #memberTimeoutMs: number;
  readonly #gateway: EtcdGateway;
  readonly #tls: EtcdClientTls | undefined;

  constructor(options: EtcdClientOptions) {
    if (options.urls.length === 0) throw new Error('etcd: no member is named');
    this.#urls = [...options.urls];
    this.#gateway = new EtcdGateway(options.tls);
    this.#tls = options.tls;
    this.#timeoutMs = options.timeoutMs ?? usualTimeoutMs;
    this.#memberTimeoutMs = options.memberTimeoutMs ?? Math.ceil(this.#timeoutMs / 3);
  }

  /** For another process that has to call the same members. */
  get place(): Pick<EtcdClientOptions, 'urls' | 'tls' | 'timeoutMs'> {
    return { urls: [...this.#urls], ...(this.#tls && { tls: this.#tls }), timeoutMs: this.#timeoutMs };
  }

  close(): void {
    this.#gateway.close();
  }

  /** Replaces the members for the next calls. */
  use(urls: readonly string[]): void {
    const known = this.#urls.filter((url) => urls.includes(url));
    this.#urls.splice(0, this.#urls.length, ...known, ...urls.filter((url) => !known.includes(url)));
  }

  /** The certificate for new connections. */
  useTls(tls: EtcdClientTls): void {
    this.#gateway.use(tls);
  }

  /** The entries that a majority has, at most `limit`. */
  async get(prefix: string, limit = 100): Promise<EtcdSnapshot> {
    const body = { key: encode(prefix), range_end: encode(endOfPrefix(prefix)), limit };
    const { header, kvs, more } = range.parse(await this.#ask('/v3/kv/range', body));
    if (more) throw new EtcdError(`etcd: more than ${limit} keys begin with ${prefix}`, 'none');
    return { revision: header.revision, entries: kvs };
  }

  /** Makes all changes if all conditions hold, otherwise none. `revision`: the revision of the changes, if they were made. */
  async transact(
    conditions: readonly Condition[],
    changes: readonly Change[],
  ): Promise<{ done: boolean; revision: number }> {
    const body = {
      compare: conditions.map(({ key, revision }) => ({
        key: encode(key),
        target: 'MOD',
        result: 'EQUAL',
        mod_revision: String(revision),
      })),
      success: changes.map((change) =>
        'put' in change
          ? { request_put: { key: encode(change.put), value: encode(change.value), lease: change.lease ?? '0' } }
          : { request_delete_range: { key: encode(change.delete) } },
      ),
      failure: [],
    };
    // The request is sent to one member only. If the first member's outcome is unknown, a second one's refusal would be ambiguous.
    const { succeeded, header } = transaction.parse(await this.#ask('/v3/kv/txn', body, { once: true }));
    return { done: succeeded, revision: header.revision };
  }

  async put(key: string, value: string, lease = '0'): Promise<void> {
    await this.#ask('/v3/kv/put', { key: encode(key), value: encode(value), lease });
  }

  /** Each retried call gets a lease of its own. Unknown leases expire by themselves. */
  async grant(ttlSeconds: number): Promise<{ id: string; ttlSeconds: number }> {
    const { ID, TTL } = granted.parse(await this.#ask('/v3/lease/grant', { TTL: String(ttlSeconds) }));
    return { id: ID, ttlSeconds: TTL };
  }

  /** False if the lease has expired. */
  async keepAlive(lease: string): Promise<boolean> {
    const { result } = renewed.parse(await this.#ask('/v3/lease/keepalive', { ID: lease }));
    return result.TTL > 0;
  }

  /** Resolves when its keys are gone, also if the lease had already ended. */
  async revoke(lease: string): Promise<void> {
    await this.#ask('/v3/lease/revoke', { ID: lease }).catch((error: unknown) => {
      if (!(error instanceof EtcdError) || !error.message.includes('lease not found')) throw error;
    });
  }

  /** Status of each member that answers, even without a majority. */
  async status(): Promise<readonly MemberStatus[]> {
    const asked = await Promise.allSettled(
      this.#urls.map(async (url) => {
        const answer = status.parse(
          await this.#gateway.post(url, '/v3/maintenance/status', {}, { timeoutMs: this.#memberTimeoutMs }),
        );
        return { url, memberId: answer.header.member_id, leaderId: answer.leader, isLearner: answer.isLearner };
      }),
    );
    return asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** All members that the asked member knows, whether they answer or not. */
  async members(): Promise<readonly EtcdMembership[]> {
    return memberList.parse(await this.#ask('/v3/cluster/member/list', {})).members;
  }

  /** Until `promote`, the new member has no vote and counts for no majority. False while a member is silent: etcd then accepts no new one. */
  async addLearner(peerUrl: string): Promise<boolean> {
    try {
      await this.#ask('/v3/cluster/member/add', { peerURLs: [peerUrl], isLearner: true }, { once: true });
      return true;
    } catch (error) {
      if (error instanceof EtcdError && error.message.includes('unhealthy cluster')) return false;
      throw error;
    }
  }

  /** Gives a learner its vote. False if it has not caught up with the others yet. */
  async promote(id: string): Promise<boolean> {
    try {
      await this.#ask('/v3/cluster/member/promote', { ID: id }, { once: true });
      return true;
    } catch (error) {
      if (error instanceof EtcdError && error.message.includes('in sync with leader')) return false;
      throw error;
    }
  }

  /** The member's process exits by itself. etcd refuses if too few of the remaining members have started. */
  async removeMember(id: string): Promise<void> {
    await this.#ask('/v3/cluster/member/remove', { ID: id }, { once: true });
  }

  /** Makes the leading member hand over to another one. */
  async moveLeader(targetId: string): Promise<void> {
    const known = await this.status();
    const leader = known.find(({ memberId, leaderId }) => memberId === leaderId);
    if (leader === undefined) throw new EtcdError('etcd: no member that answers leads', 'none');
    await this.#gateway.post(
      leader.url,
      '/v3/maintenance/transfer-leadership',
      { targetID: targetId },
      { timeoutMs: this.#timeoutMs },
    );
  }

  /**
   * Yields the revision and keys of each change, until the signal aborts. After a lost connection it resumes with the next member
   * from the first revision not yet yielded.
   */
  async *watch({ prefix, fromRevision, signal }: WatchOptions): AsyncGenerator<WatchedChange> {
    let next = fromRevision;
    for (let turn = 0; !signal.aborted; turn += 1) {
      const url = this.#urls[turn % this.#urls.length] as string;
      try {
        for await (const line of this.#watchAt(url, prefix, next, signal)) {
          const { result, error } = watchAnswer.parse(line);
          if (result === undefined) throw new EtcdError(`etcd: the watch failed: ${error?.message}`, 'none');
          if (result.compact_revision > 0) {
            next = result.compact_revision + 1;
            yield { revision: result.compact_revision, keys: [], lost: true };
          }
          if (result.canceled) break;
          // The header's revision may be ahead of its events.
          for (const [revision, events] of Map.groupBy(result.events, ({ kv }) => kv.mod_revision)) {
            next = revision + 1;
            yield { revision, keys: events.map(({ kv }) => kv.key), lost: false };
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof EtcdError)) throw error;
      }
      await sleep(watchRetryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async *#watchAt(url: string, prefix: string, fromRevision: number, signal: AbortSignal): AsyncGenerator<unknown> {
    const body = {
      create_request: {
        key: encode(prefix),
        range_end: encode(endOfPrefix(prefix)),
        start_revision: String(fromRevision),
      },
    };
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    const asking = this.#endWhenSilent(url, ending);
    try {
      yield* this.#gateway.stream(url, '/v3/watch', body, this.#timeoutMs, either);
    } finally {
      ending.abort();
      await asking;
    }
  }

  /** A member that hangs, is cut off, or has lost its leader sends neither a change nor an end. */
  async #endWhenSilent(url: string, ending: AbortController): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(watchSilenceMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      const hasLeader = await this.#gateway
        .post(url, '/v3/maintenance/status', {}, { timeoutMs: this.#memberTimeoutMs })
        .then(
          (answer) => status.parse(answer).leader !== '0',
          () => false,
        );
      if (!hasLeader) ending.abort();
    }
  }

  /** `once`: a change that must not be made twice. No other member is asked once a member may have it. */
  async #ask(path: string, body: object, { once = false } = {}): Promise<unknown> {
    const call = new EtcdCall(this.#timeoutMs);
    const urls = [...this.#urls];
    try {
      for (const url of urls) {
        const limits = call.limits(once ? this.#memberTimeoutMs : undefined);
        if (limits === undefined) break;
        const asked = this.#gateway.post(url, path, body, limits);
        asked.catch(() => this.#askLast(url));
        call.add(asked);
        const answer = await (once ? call.settled() : call.settledWithin(this.#memberTimeoutMs));
        if (answer !== undefined) return answer.value;
        if (call.isOver(once)) break;
      }
      const answer = await call.settled();
      if (answer !== undefined) return answer.value;
    } finally {
      call.end();
    }
    throw call.failure();
  }

  #askLast(url: string): void {
    const at = this.#urls.indexOf(url);
    if (at >= 0) this.#urls.push(...this.#urls.splice(at, 1));
  }
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** The first key after all keys with the prefix. The prefixes are ASCII, so their last character has a successor. */
function endOfPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}
