// Plans the next actions for a load balancer from its wanted and its actual state. Pure: the same state gives the same plan, and after a
// plan has been carried out the next one is empty. Each rule works on a draft, which includes the effects of the rules before it.

import { bestHost } from './placement.ts';
import {
  type BalancerState,
  type HealSettings,
  isDown,
  isHealthy,
  isUnchecked,
  isUsed,
  serves,
  wishOf,
} from './plan-input.ts';
import { deletionStatus, lateMs, longestPendingMs, provisioningOf } from './provisioning.ts';
import type { NodeRow } from './rows.ts';
import type { NodeState, ProvisioningStatus } from './states.ts';

export type Action =
  /** A decision: the node has failed. `keep`: it may come back. */
  | { readonly do: 'REPLACE'; readonly nodeId: string; readonly keep: boolean; readonly reason: string }
  /** A decision: the node has recovered in time. */
  | { readonly do: 'TAKE_BACK'; readonly nodeId: string; readonly reason: string }
  /** A decision: the node did not recover in time. */
  | { readonly do: 'DELETE_REPLACED'; readonly nodeId: string; readonly reason: string }
  | { readonly do: 'PLACE'; readonly hostId: string; readonly replacesId: string | null }
  | { readonly do: 'SERVE'; readonly nodeId: string }
  /** Leaves DNS first; its sessions end later. */
  | { readonly do: 'LEAVE'; readonly nodeId: string; readonly reason: string }
  | { readonly do: 'OUT_OF_DNS'; readonly nodeId: string }
  | { readonly do: 'BACK_IN_DNS'; readonly nodeId: string }
  /** Its host should drain it. */
  | { readonly do: 'DRAIN'; readonly nodeId: string }
  /** Its host has begun to drain it: the time starts. */
  | { readonly do: 'TIME_DRAIN'; readonly nodeId: string }
  | { readonly do: 'DELETE'; readonly nodeId: string; readonly reason: string | null }
  /** Its host will never report that it is gone. */
  | { readonly do: 'FORGET'; readonly nodeId: string; readonly reason: string }
  /** Exactly these nodes are in DNS; at least one. */
  | { readonly do: 'NAME'; readonly nodeIds: readonly string[] }
  | { readonly do: 'WITHDRAW' }
  | { readonly do: 'STATUS'; readonly status: ProvisioningStatus; readonly reason: string | null };

interface Plan {
  readonly actions: readonly Action[];
  /** Plan again after this time even if nothing happens. */
  readonly againInMs: number | undefined;
}

/** While it waits for something that triggers no wake-up. */
const awaitMs = 1_000;
/** A host that disconnected a moment ago may only be reconnecting. */
const offlineMs = 5_000;
/** No node is judged later than this after it was found down: a later time was set before the clock was set back. */
const mostJudgeMs = 300_000;
/** Extra room above twice the most nodes: for a small load balancer whose nodes are replaced one after the other. */
const roomToMove = 2;

export function planOf(state: BalancerState): Plan {
  const { balancer } = state;
  if (balancer.provisioningStatus === 'DELETED') return { actions: [], againInMs: undefined };
  const draft = new Draft(state);
  if (balancer.provisioningStatus === 'DELETING') planDeletion(draft);
  else {
    replaceFailed(draft);
    takeBack(draft);
    const leaving = moving(draft);
    place(draft, leaving);
    leave(draft, leaving);
    name(draft);
    serve(draft);
    drain(draft);
    draft.status(provisioningOf(state, draft.nodes));
  }
  forget(draft);
  return { actions: draft.actions, againInMs: againIn(draft) };
}

/** The state as it will be after the planned actions. */
class Draft {
  readonly state: BalancerState;
  readonly actions: Action[] = [];
  nodes: readonly NodeRow[];
  /** The servers answer what was last declared. */
  published: boolean;

  constructor(state: BalancerState) {
    this.state = state;
    this.nodes = state.nodes;
    this.published = state.name.published;
  }

  in(...states: readonly NodeState[]): readonly NodeRow[] {
    return this.nodes.filter(({ state }) => states.includes(state));
  }

  do(action: Action, changed: readonly string[] = [], change: Partial<NodeRow> = {}): void {
    this.actions.push(action);
    this.nodes = this.nodes.map((node) => (changed.includes(node.id) ? { ...node, ...change } : node));
  }

  /** DNS has nothing of it. */
  isOut({ named, outOfDnsAt, inDnsAt }: NodeRow): boolean {
    return !named && (outOfDnsAt !== null || inDnsAt === null) && this.published;
  }

  isJudged({ judgeAt }: NodeRow): boolean {
    if (judgeAt === null) return true;
    const inMs = judgeAt.getTime() - this.nowMs;
    return inMs <= 0 || inMs > mostJudgeMs;
  }

  status(to: { readonly status: ProvisioningStatus; readonly reason: string | null }): void {
    const { provisioningStatus, provisioningReason } = this.state.balancer;
    if (to.status !== provisioningStatus || to.reason !== provisioningReason)
      this.actions.push({ do: 'STATUS', ...to });
  }

  get nowMs(): number {
    return this.state.now.getTime();
  }
}

/** The name first: an address that is in DNS is not given to others. */
function planDeletion(draft: Draft): void {
  const { state } = draft;
  if (state.name.declared) {
    draft.do(
      { do: 'WITHDRAW' },
      draft.nodes.map(({ id }) => id),
      { named: false },
    );
    draft.published = false;
  }
  if (draft.published)
    for (const { id } of draft.nodes.filter((node) => node.state !== 'DELETING'))
      draft.do({ do: 'DELETE', nodeId: id, reason: null }, [id], { state: 'DELETING' });
  draft.status(deletionStatus(state, draft.nodes, draft.published));
}

/** Replaces nodes that are down or not ready in time, unless so many are that the cause must be another. */
function replaceFailed(draft: Draft): void {
  const { state, nowMs } = draft;
  const { breaker, settings } = state;
  if (breaker !== null) return;
  for (const node of draft.in('SERVING').filter((each) => isDown(each) && draft.isJudged(each))) {
    const reason = node.givenUp ? `its HAProxy ended: ${node.reason ?? 'reason unknown'}` : 'its health checks fail';
    // A node whose replacement was requested is not taken back.
    const deleteAt = new Date(nowMs + (node.replaceReason === null ? settings.replacedNodeKeepMs : 0));
    draft.do({ do: 'REPLACE', nodeId: node.id, keep: true, reason }, [node.id], { state: 'REPLACED', deleteAt });
  }
  for (const node of draft.in('BUILDING')) {
    const reason = notReady(draft, node);
    if (reason === undefined || node.named) continue;
    draft.do({ do: 'REPLACE', nodeId: node.id, keep: false, reason }, [node.id], { state: 'DELETING' });
  }
}

/** At once only if there is another host: on the same one a new node would hardly do better. */
function notReady({ state, nowMs }: Draft, node: NodeRow): string | undefined {
  const { nodeBuildMs } = state.settings;
  // A new node would not be checked either.
  if (isUnchecked(node)) return undefined;
  if (nowMs - node.createdAt.getTime() >= nodeBuildMs) return `it was not ready after ${nodeBuildMs / 1000} s`;
  if (!state.hosts.some(({ id, free }) => id !== node.hostId && free > 0)) return undefined;
  if (hasFailedAgain(node)) return 'it failed before it served';
  const since = state.offlineSince.get(node.hostId ?? '');
  return since !== undefined && nowMs - since.getTime() >= offlineMs ? 'its host has no connection' : undefined;
}

/** A node whose first checks failed counts as progressing once one succeeds. */
function hasFailedAgain(node: NodeRow): boolean {
  const { checkedAt, downSince, givenUp } = node;
  return checkedAt !== null && isDown(node) && (givenUp || downSince === null || downSince >= checkedAt);
}

/** A replaced node that recovers in time takes its place back; otherwise it is deleted. */
function takeBack(draft: Draft): void {
  const { state, nowMs } = draft;
  for (const node of draft.in('REPLACED')) {
    const late = node.deleteAt !== null && node.deleteAt.getTime() <= nowMs;
    const flaps = (state.takeBacks.get(node.id) ?? 0) >= state.settings.mostTakeBacks;
    const ready =
      isHealthy(node) &&
      !state.blind.has(node.id) &&
      node.appliedGeneration >= state.balancer.generation &&
      wishOf(node, state.balancer) === null;
    if (late && draft.isOut(node)) {
      const reason =
        node.replaceReason ?? (flaps ? 'it failed too often to be taken back' : 'it did not come back in time');
      draft.do({ do: 'DELETE_REPLACED', nodeId: node.id, reason }, [node.id], { state: 'DELETING' });
    } else if (!late && ready && !flaps) {
      const back: Partial<NodeRow> = { state: 'SERVING', deleteAt: null };
      draft.do({ do: 'TAKE_BACK', nodeId: node.id, reason: 'it is healthy again' }, [node.id], back);
      // While the breaker is open, more nodes than wanted may serve.
      for (const other of draft.nodes.filter(({ replacesId }) => replacesId === node.id))
        if (isUsed(other) && state.breaker === null)
          leaveNow(draft, other, `${node.name}, which it replaced, is healthy again`);
    }
  }
}

/** Replacements on request happen one node at a time. */
function moving(draft: Draft): NodeRow | undefined {
  return draft.nodes.find((node) => isUsed(node) && wishOf(node, draft.state.balancer) !== null);
}

/** Creates missing nodes. Each replaces a failed node if one has no successor yet. */
function place(draft: Draft, leaving: NodeRow | undefined): void {
  const { state } = draft;
  const active = draft.nodes.filter((node) => isUsed(node) && node.id !== leaving?.id);
  const succeeded = new Set(draft.nodes.map(({ replacesId }) => replacesId));
  const orphaned = [...draft.in('REPLACED'), ...(leaving === undefined ? [] : [leaving])]
    .map(({ id }) => id)
    .filter((id) => !succeeded.has(id));
  const placed: string[] = [];
  // Leaving nodes need their room until they are gone: a number that goes up and down creates no more of them.
  const going = draft.in('DRAINING', 'DELETING').filter(({ hostId }) => !state.offlineSince.has(hostId ?? ''));
  const room = 2 * state.balancer.maxNodes + roomToMove - going.length - active.length;
  for (let missing = Math.min(state.balancer.wantedNodes - active.length, room); missing > 0; missing -= 1) {
    const here = [...active, ...placed.map((hostId) => ({ hostId, state: 'BUILDING' as const }))];
    const failed = draft.actions.findLast((each) => each.do === 'REPLACE' && !each.keep);
    const avoid = failed?.do === 'REPLACE' ? state.nodes.find(({ id }) => id === failed.nodeId)?.hostId : undefined;
    const hostId = bestHost(state.hosts, here, placed, avoid);
    if (hostId === undefined) return;
    placed.push(hostId);
    draft.do({ do: 'PLACE', hostId, replacesId: orphaned.shift() ?? null });
  }
}

/** Removes nodes beyond the wanted number: those that do not serve first, then the youngest. */
function leave(draft: Draft, leaving: NodeRow | undefined): void {
  const { wantedNodes } = draft.state.balancer;
  const active = () => draft.nodes.filter((node) => isUsed(node) && node.id !== leaving?.id);
  const order = active().toSorted((a, b) => Number(serves(a)) - Number(serves(b)) || (a.id < b.id ? 1 : -1));
  const surplus = draft.state.breaker === null ? Math.max(0, order.length - wantedNodes) : 0;
  for (const node of order.slice(0, surplus)) leaveNow(draft, node, 'fewer nodes are wanted');
  const now = draft.nodes.find(({ id }) => id === leaving?.id);
  if (now === undefined || !isUsed(now)) return;
  const serving = active().filter(serves);
  // A node that is down only waits for its successor: with an open breaker others may be down as well.
  const isSucceeded = isDown(now) && serving.some(({ replacesId }) => replacesId === now.id);
  if (serving.length >= wantedNodes || isSucceeded)
    leaveNow(draft, now, wishOf(now, draft.state.balancer) ?? 'it has been replaced');
}

function leaveNow(draft: Draft, node: NodeRow, reason: string): void {
  if (node.state === 'BUILDING' && !node.named)
    draft.do({ do: 'DELETE', nodeId: node.id, reason }, [node.id], { state: 'DELETING' });
  else
    draft.do({ do: 'LEAVE', nodeId: node.id, reason }, [node.id], {
      ...{ state: 'DRAINING', deleteAt: null, outOfDnsAt: null },
    });
}

/**
 * The nodes that serve or are ready to serve are in DNS. If there is none, the last answer stays. While the breaker is open nodes may be
 * added, but none is taken out unless its replacement was requested.
 */
function name(draft: Draft): void {
  const { breaker } = draft.state;
  const isReady = (node: NodeRow) =>
    node.state === 'SERVING' ? !isDown(node) : isHealthy(node) && (node.named || hasCaughtUp(draft, node));
  const ready = draft.nodes.filter((node) => isUsed(node) && isReady(node));
  const isKept = (node: NodeRow) =>
    breaker === null
      ? // The breaker may open.
        node.state === 'SERVING' && isDown(node) && !draft.isJudged(node)
      : isUsed(node) || node.replaceReason === null;
  const kept = draft.nodes.filter((node) => node.named && isKept(node) && !ready.includes(node));
  const wanted = [...ready, ...kept].map(({ id }) => id).sort();
  const declared = draft.nodes
    .filter(({ named }) => named)
    .map(({ id }) => id)
    .sort();
  if (wanted.length === 0 || wanted.join() === declared.join()) return;
  draft.do({ do: 'NAME', nodeIds: wanted }, declared, { named: false });
  draft.nodes = draft.nodes.map((node) => (wanted.includes(node.id) ? { ...node, named: true } : node));
  draft.published = false;
}

/** A node in effect stays so. A node behind all others would give answers that nobody wants any more. */
function hasCaughtUp({ nodes }: Draft, { appliedGeneration }: NodeRow): boolean {
  const serving = nodes.filter(serves);
  return serving.length === 0 || serving.some((other) => other.appliedGeneration <= appliedGeneration);
}

/** The last step of a new node, and of a node that was taken back: its address is in DNS. */
function serve(draft: Draft): void {
  if (!draft.published) return;
  for (const node of draft.in('BUILDING').filter((each) => each.named && isHealthy(each)))
    draft.do({ do: 'SERVE', nodeId: node.id }, [node.id], { state: 'SERVING' });
  for (const { id } of draft.nodes.filter((node) => node.named && node.outOfDnsAt !== null))
    draft.do({ do: 'BACK_IN_DNS', nodeId: id }, [id], { outOfDnsAt: null });
}

/** A leaving node is taken out of DNS; then, when no client has its address cached, it drains; then it is deleted. */
function drain(draft: Draft): void {
  const { state, nowMs } = draft;
  if (!draft.published) return;
  for (const node of draft.in('DRAINING', 'REPLACED'))
    if (!node.named && node.outOfDnsAt === null)
      draft.do({ do: 'OUT_OF_DNS', nodeId: node.id }, [node.id], { outOfDnsAt: state.now });
  for (const node of draft.in('DRAINING')) {
    if (node.named || node.outOfDnsAt === null) continue;
    const forgotten = node.outOfDnsAt.getTime() + state.name.ttlMs <= nowMs;
    const leftMs = node.deleteAt === null ? undefined : node.deleteAt.getTime() - nowMs;
    const isOver = leftMs !== undefined && (leftMs <= 0 || node.sessions === 0 || hostIsGone(draft, node));
    const { nodeDrainMs } = state.settings;
    if (isDown(node) || isOver)
      draft.do({ do: 'DELETE', nodeId: node.id, reason: node.reason }, [node.id], { state: 'DELETING' });
    else if (forgotten && leftMs === undefined)
      draft.do({ do: 'DRAIN', nodeId: node.id }, [node.id], {
        deleteAt: new Date(nowMs + longestDrainMs(state.settings)),
        sessions: null,
      });
    else if (leftMs !== undefined && leftMs > nodeDrainMs && node.sessions !== null)
      draft.do({ do: 'TIME_DRAIN', nodeId: node.id }, [node.id], { deleteAt: new Date(nowMs + nodeDrainMs) });
  }
}

/** A disconnected host is awaited: the time for the node's sessions starts only when the host drains the node. */
export function longestDrainMs({ hostGoneMs, nodeDrainMs }: HealSettings): number {
  return hostGoneMs + nodeDrainMs;
}

function hostIsGone({ state, nowMs }: Draft, { hostId }: NodeRow): boolean {
  const since = state.offlineSince.get(hostId ?? '');
  return since !== undefined && nowMs - since.getTime() >= state.settings.hostGoneMs;
}

/** A host that was lost for good reports nothing. If it comes back, it is told that its nodes are gone. */
function forget(draft: Draft): void {
  for (const node of draft.in('DELETING').filter((each) => hostIsGone(draft, each)))
    draft.do({ do: 'FORGET', nodeId: node.id, reason: 'its host is gone' }, [node.id], { state: 'DELETED' });
}

function againIn(draft: Draft): number | undefined {
  const { state, nodes, nowMs, actions } = draft;
  const { settings, balancer } = state;
  const times: number[] = [];
  const at = (date: Date | null | undefined, plusMs = 0) => {
    if (date != null) times.push(date.getTime() + plusMs);
  };
  for (const node of nodes) {
    if (node.state === 'DELETED') continue;
    if (node.state === 'DRAINING' || node.state === 'REPLACED') at(node.deleteAt);
    if (node.state === 'DRAINING' && node.deleteAt === null) at(node.outOfDnsAt, state.name.ttlMs);
    if (node.state === 'SERVING') at(node.judgeAt);
    if (node.state === 'BUILDING') at(node.createdAt, settings.nodeBuildMs);
    const since = state.offlineSince.get(node.hostId ?? '');
    if (node.state === 'DELETING' || node.state === 'DRAINING') at(since, settings.hostGoneMs);
    if (node.state === 'BUILDING') at(since, offlineMs);
  }
  at(balancer.pendingSince, lateMs);
  at(balancer.pendingSince, longestPendingMs(settings));
  const future = times.map((time) => time - nowMs).filter((inMs) => inMs > 0);
  const waits = actions.length > 0 || !draft.published || state.breaker !== null || draft.in('SERVING').some(isDown);
  if (waits) future.push(awaitMs);
  if (balancer.provisioningStatus !== 'ACTIVE') future.push(5 * awaitMs);
  // Owed work is due within an hour.
  return future.length === 0 ? undefined : Math.min(...future, 3_600_000);
}
