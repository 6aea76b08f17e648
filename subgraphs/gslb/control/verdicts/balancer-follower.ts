// Members that are load balancers of Tidegate. Their status in the graph is the vote of their monitors of type LOADBALANCER, and
// their addresses are followed. One process, chosen by a lease, queries the graph as a viewer of the member's own project:
// objects that the project may not see do not exist for it. If the graph does not answer, the result is never DOWN: the last
// verdict stays, undecided.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { AskGraph } from '../../../../platform/graph/ask-graph.ts';
import { checkLease, type HeldLease, type Leases } from '../../../../platform/leases/leases.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Verdict } from '../../rules/quorum.ts';
import { databaseNow } from '../stores/checker-store.ts';
import { poolsOfMembersTouched } from '../stores/pool-targets-store.ts';
import { lockMembers } from '../stores/standing-store.ts';
import { targetsTopic } from '../stores/touched.ts';
import { storeVotes, type VoteRow } from '../stores/vote-store.ts';
import { type EvaluationDependencies, evaluateMembers } from './evaluate-members.ts';
import {
  type FollowedMember,
  type FollowingMonitor,
  graphVoter,
  readFollowed,
  storeFollowedAddresses,
} from './followed-store.ts';

export interface BalancerFollowerOptions extends EvaluationDependencies {
  readonly db: Database;
  readonly leases: Leases;
  readonly log: Logger;
  readonly askGraph: AskGraph;
}

export interface Seen {
  /** Null if unknown. */
  readonly verdict: Verdict | null;
  /** Why it is not UP. */
  readonly message: string | null;
  /** Undefined if they are not known. */
  readonly addresses?: readonly string[];
}

interface Shown {
  readonly operatingStatus: string;
  readonly provisioningStatus: string;
  readonly operatingReason: string | null;
  readonly addresses: readonly string[];
}

const leaseName = 'gslb/load-balancer-members';
const lookMs = 500;
/** Limit for one query, in which each is a root field. */
const idsAtOnce = 10;
const questionsAtOnce = 8;
const mostAddresses = 16;
const mostMessageLength = 255;

export class BalancerFollower {
  readonly #options: BalancerFollowerOptions;
  readonly #loop: Loop;
  #lease: HeldLease | undefined;
  /** By member: time of the last query. */
  #askedAtMs = new Map<string, number>();
  /** By member and monitor: a verdict that differs from the stored one, and its number of repetitions. */
  #streaks = new Map<string, { readonly verdict: Verdict | null; readonly count: number }>();

  constructor(options: BalancerFollowerOptions) {
    this.#options = options;
    const { log, wake } = options;
    const rest = { wake };
    const run = (signal: AbortSignal) => this.#look(signal);
    this.#loop = new Loop({ name: 'members that are load balancers', log, pauseMs: () => lookMs, run, rest });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#lease?.release();
  }

  async #look(signal: AbortSignal): Promise<false | 'rest'> {
    const members = await readFollowed(this.#options.db);
    this.#forget(members);
    if (members.length === 0) return 'rest';
    if (this.#lease === undefined || this.#lease.signal.aborted)
      this.#lease = await this.#options.leases.acquire(leaseName);
    const lease = this.#lease;
    if (lease === undefined) return false;
    const due = members.filter((member) => this.#isDue(member));
    const questions = [...Map.groupBy(due, ({ projectId }) => projectId)].flatMap(([projectId, own]) =>
      inParts([...Map.groupBy(own, idOf).values()], idsAtOnce).map((part) => ({ projectId, members: part.flat() })),
    );
    const ending = AbortSignal.any([signal, lease.signal]);
    for (const some of inParts(questions, questionsAtOnce))
      await Promise.all(some.map((question) => this.#follow(question.projectId, question.members, lease, ending)));
    return false;
  }

  #forget(members: readonly FollowedMember[]): void {
    const known = new Set(members.map(({ id }) => id));
    const targets = new Set(members.flatMap(({ id, monitors }) => monitors.map((each) => `${id}/${each.id}`)));
    this.#askedAtMs = new Map([...this.#askedAtMs].filter(([id]) => known.has(id)));
    this.#streaks = new Map([...this.#streaks].filter(([target]) => targets.has(target)));
  }

  #isDue({ id, monitors }: FollowedMember): boolean {
    const now = performance.now();
    const delayMs = Math.min(...monitors.map(({ spec }) => spec.delayMs));
    if (now - (this.#askedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < delayMs) return false;
    this.#askedAtMs.set(id, now);
    return true;
  }

  async #follow(
    projectId: string,
    members: readonly FollowedMember[],
    lease: HeldLease,
    signal: AbortSignal,
  ): Promise<void> {
    const seen = await this.#see(projectId, [...new Set(members.map(idOf))], signal);
    if (signal.aborted) return;
    for (const member of members) {
      const now = seen.get(idOf(member));
      if (now !== undefined) await this.#note(member, now, lease);
    }
  }

  async #see(projectId: string, ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Seen>> {
    const real = ids.filter((id) => decodeUuid('LoadBalancer', id) !== undefined);
    const none = ids.filter((id) => !real.includes(id)).map((id) => [id, seenOf(null)] as const);
    if (real.length === 0) return new Map(none);
    try {
      const data = await this.#options.askGraph({ projectId, signal, ...questionOf(real) });
      return new Map([...none, ...real.map((id, at) => [id, seenOf(data[`b${at}`] as Shown | null)] as const)]);
    } catch (error) {
      if (signal.aborted) return new Map();
      // A load balancer that can't be answered must not affect the others.
      if (real.length > 1) {
        const each = await Promise.all(real.map((id) => this.#see(projectId, [id], signal)));
        return new Map([...none, ...each.flatMap((one) => [...one])]);
      }
      const message = `the graph did not return its status: ${error instanceof Error ? error.message : String(error)}`;
      this.#options.log.warn({ err: error, loadBalancer: real[0] }, 'the graph did not return the status of a member');
      return new Map([...none, ...real.map((id) => [id, { verdict: null, message }] as const)]);
    }
  }

  async #note(member: FollowedMember, seen: Seen, lease: HeldLease): Promise<void> {
    const { db, wake } = this.#options;
    const votes = member.monitors.filter((monitor) => this.#isNews(member, monitor, seen.verdict));
    const { addresses } = seen;
    const moved = addresses !== undefined && JSON.stringify(addresses) !== JSON.stringify(member.spec.addresses);
    if (votes.length === 0 && !moved) return;
    await db.transaction(async (tx) => {
      const [locked] = await lockMembers(tx, [member.id]);
      // It was deleted, or is another load balancer now.
      if (locked?.spec.loadBalancerId !== member.spec.loadBalancerId) return;
      const row = moved ? await storeFollowedAddresses(tx, locked, addresses) : locked;
      if (moved) await poolsOfMembersTouched(tx, [row.id]);
      await storeVotes(tx, await votesOf(tx, member.id, votes, seen));
      await evaluateMembers(tx, this.#options, [row], { changed: moved });
      // Other monitors connect to its addresses.
      if (moved) tx.afterCommit(() => wake.notify(targetsTopic));
      await checkLease(tx, lease);
    });
  }

  /** Whether the result was repeated as often as the monitor requires. The first result counts at once. */
  #isNews({ id }: FollowedMember, { id: monitorId, spec, vote }: FollowingMonitor, verdict: Verdict | null): boolean {
    const target = `${id}/${monitorId}`;
    const before = this.#streaks.get(target);
    this.#streaks.delete(target);
    if (vote !== undefined && vote.verdict === verdict) return false;
    if (vote === undefined) return true;
    const count = before?.verdict === verdict ? before.count + 1 : 1;
    if (vote.verdict === null || count >= (verdict === 'UP' ? spec.successes : spec.failures)) return true;
    this.#streaks.set(target, { verdict, count });
    return false;
  }
}

function idOf({ spec }: FollowedMember): string {
  return spec.loadBalancerId ?? '';
}

function questionOf(ids: readonly string[]): { readonly query: string; readonly variables: Record<string, string> } {
  const names = ids.map((_, at) => `$b${at}: ID!`).join(', ');
  const fields = ids.map(
    (_, at) => `b${at}: loadBalancer(id: $b${at}) { operatingStatus provisioningStatus operatingReason addresses }`,
  );
  return {
    query: `query (${names}) { ${fields.join(' ')} }`,
    variables: Object.fromEntries(ids.map((id, at) => [`b${at}`, id])),
  };
}

const serving = ['ONLINE', 'DEGRADED', 'NO_MONITOR'];

/** Null if it does not exist, or the project may not see it. */
export function seenOf(shown: Shown | null): Seen {
  if (shown === null) return { verdict: 'DOWN', message: 'the project has no such load balancer', addresses: [] };
  const { operatingStatus, provisioningStatus, operatingReason, addresses: all } = shown;
  const addresses = [...all].sort().slice(0, mostAddresses);
  if (['DELETING', 'DELETED'].includes(provisioningStatus))
    return { verdict: 'DOWN', message: 'the load balancer was deleted', addresses };
  const why = `the load balancer is ${operatingStatus}${operatingReason === null ? '' : `: ${operatingReason}`}`;
  if (operatingStatus === 'UNKNOWN') return { verdict: null, message: why, addresses };
  if (!serving.includes(operatingStatus)) return { verdict: 'DOWN', message: why, addresses };
  if (addresses.length === 0) return { verdict: 'DOWN', message: 'the load balancer has no address', addresses };
  return { verdict: 'UP', message: null, addresses };
}

async function votesOf(
  tx: Transaction,
  memberId: string,
  monitors: readonly FollowingMonitor[],
  { verdict, message }: Seen,
): Promise<readonly VoteRow[]> {
  const sinceAt = new Date(await databaseNow(tx));
  return monitors.map(({ id: monitorId }) => ({
    ...{ memberId, monitorId, vantagePointId: graphVoter, checkerId: graphVoter, verdict },
    ...{ incarnation: 0, epoch: 0, sinceAt, latencyMs: null, message: message?.slice(0, mostMessageLength) ?? null },
  }));
}

function inParts<Each>(all: readonly Each[], size: number): Each[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
