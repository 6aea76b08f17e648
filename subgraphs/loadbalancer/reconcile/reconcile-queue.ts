// Reconciles load balancers: one transaction under the lock of the load balancer reads the state, plans, and carries the plan out, until
// nothing is left to do now.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { hostCountIn } from '../../../platform/net/address-block.ts';
import type { OwedQueue } from '../../../platform/owed-queue.ts';
import { finishOwed, OwedWorkLostError, owe, reconcilingRetry } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { blindNodes, refreshStatuses } from '../members/member-status.ts';
import { type HeldAddresses, heldAddresses } from '../stores/address-store.ts';
import { lockBalancer, setProvisioning } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import { countTakeBacks, isBreakerOpen, readFleet, setBreaker } from '../stores/decision-store.ts';
import { countNodes, type HostRow, offlineHosts, openHosts, suspectHosts } from '../stores/host-store.ts';
import { type Names, noNames } from '../stores/names.ts';
import { type NodeRow, nodesUnderLock } from '../stores/node-store.ts';
import { breakerReason } from './breaker.ts';
import { type Carrier, carryOut } from './carry-out.ts';
import { planOf } from './plan.ts';
import { failed } from './provisioning.ts';
import { type BalancerState, type HealSettings, type HostPlace, isDown, usualHealing } from './state.ts';

export interface ReconcileParts {
  readonly db: Database;
  readonly wake: Wake;
  /** Default: none. */
  readonly names?: Names;
  readonly settings?: HealSettings;
}

/** Nodes that fall within this time fall together. */
const togetherMs = 5_000;
/** Nodes that fell together come back within this time of each other. */
const calmMs = 3_000;
/** A plan has as good as never more than two steps that follow each other at once. */
const mostRounds = 6;
/** After a step for which clients wait, what follows at once is planned in the next transaction. */
const followMs = 10;

export function createReconcileQueue(parts: ReconcileParts): OwedQueue {
  const { db, wake } = parts;
  return {
    kind: reconcileKind,
    concurrency: 8,
    deadlineMs: 5_000,
    retry: reconcilingRetry,
    async run(job) {
      try {
        await db.transaction(async (tx) => {
          const againInMs = await reconcile(tx, parts, job.key);
          await finishOwed(tx, job);
          if (againInMs !== undefined) await owe(tx, reconcileKind, job.key, { dueInMs: againInMs }, wake);
        });
      } catch (error) {
        // Whoever waits for the load balancer is told what it waits for.
        if (!(error instanceof OwedWorkLostError)) await db.transaction((tx) => tellFailure(tx, wake, job.key, error));
        throw error;
      }
    },
  };
}

async function tellFailure(tx: Transaction, wake: Wake, balancerId: string, error: unknown): Promise<void> {
  const balancer = await lockBalancer(tx, balancerId);
  if (balancer === undefined || balancer.provisioningStatus === 'DELETED') return;
  const [clock] = await tx.query<{ now: Date }>('SELECT NOW(3) AS now');
  const message = error instanceof Error ? error.message : String(error);
  await setProvisioning(tx, wake, balancer, failed(balancer, clock?.now ?? new Date(), message));
}

/** Carries out what has to happen now, or until a host or the servers of DNS have to go on; returns after how long to look again. */
export async function reconcile(
  tx: Transaction,
  parts: ReconcileParts,
  balancerId: string,
): Promise<number | undefined> {
  const { wake, names = noNames, settings = usualHealing } = parts;
  let againInMs: number | undefined;
  for (let round = 0; round < mostRounds; round += 1) {
    const carrier = await read(tx, { wake, names, settings }, balancerId);
    if (carrier === undefined) return undefined;
    const plan = planOf(await stateOf(carrier));
    for (const action of plan.actions) await carryOut(carrier, action);
    againInMs = plan.againInMs;
    if (plan.actions.some((action) => action.do === 'PLACE' || action.do === 'NAME')) return followMs;
    if (plan.actions.length > 0) continue;
    if (carrier.balancer.provisioningStatus !== 'DELETED')
      await refreshStatuses(tx, wake, carrier.balancer, [...carrier.nodes.values()]);
    return againInMs;
  }
  return againInMs;
}

async function read(
  tx: Transaction,
  parts: Pick<Carrier, 'wake' | 'names' | 'settings'>,
  balancerId: string,
): Promise<Carrier | undefined> {
  const balancer = await lockBalancer(tx, balancerId);
  if (balancer === undefined) return undefined;
  const [nodes, hosts] = await Promise.all([nodesUnderLock(tx, balancerId), openHosts(tx)]);
  return {
    ...{ tx, balancer, ...parts },
    nodes: new Map(nodes.map((node) => [node.id, node])),
    hosts: new Map(hosts.map((host) => [host.id, host])),
  };
}

/** Reads go to the database one behind the other, without waiting for answers in between. */
async function stateOf({ tx, wake, names, settings, balancer, nodes, hosts }: Carrier): Promise<BalancerState> {
  const ids = [...hosts.keys()];
  const all = [...nodes.values()];
  const wish = { balancerId: balancer.id, restMs: settings.addressRestMs };
  const isReplacing = all.some(({ state }) => state === 'REPLACED');
  const [counts, suspects, held, offlineSince, takeBacks, blind, name, [clock]] = await Promise.all([
    countNodes(tx, ids),
    suspectHosts(tx, ids),
    heldAddresses(tx, [...hosts.values()], wish),
    offlineHosts(
      tx,
      all.flatMap(({ hostId }) => hostId ?? []),
    ),
    isReplacing ? countTakeBacks(tx, balancer.id) : new Map<string, number>(),
    isReplacing ? blindNodes(tx, all) : new Set<string>(),
    names.state(tx, balancer),
    tx.query<{ now: Date }>('SELECT NOW(3) AS now'),
  ]);
  return {
    ...{ balancer, settings, nodes: all, offlineSince, takeBacks, blind, name },
    hosts: [...hosts.values()].map((host) =>
      placeOn(host, {
        ...{ nodeCount: counts.get(host.id) ?? 0, suspect: suspects.has(host.id) },
        ...(held.get(host.id) ?? { taken: 0, resting: 0 }),
        // The one that its nodes share is taken with the first of them.
        spare: balancer.topology === 'ACTIVE_STANDBY' && balancer.floatingAddress === null ? 1 : 0,
      }),
    ),
    breaker: await breakerOf(tx, wake, all),
    now: clock?.now ?? new Date(),
  };
}

interface Occupancy extends HeldAddresses {
  readonly nodeCount: number;
  readonly suspect: boolean;
  /** Addresses that are needed beside those of nodes. */
  readonly spare: number;
}

function placeOn({ id, maxNodes, publicRange, managementRange }: HostRow, found: Occupancy): HostPlace {
  const { nodeCount, suspect, taken, resting, spare } = found;
  const size = Math.min(hostCountIn(publicRange), hostCountIn(managementRange));
  const [room, addresses] = [maxNodes - nodeCount, size - taken - resting - spare];
  const noAddress =
    `NO_FREE_ADDRESS: of the ${size} addresses of a host ${taken} are taken, and ${resting} rest after their last use; ` +
    'wait, or give it a larger lbhost.publicRange';
  return {
    ...{ id, nodeCount, suspect, free: Math.min(room, addresses) },
    noAddress: room > 0 && addresses <= 0 ? noAddress : null,
  };
}

/** Asked while a node of the load balancer is down, which is looked at every second, and while the breaker is open. */
async function breakerOf(tx: Transaction, wake: Wake, nodes: readonly NodeRow[]): Promise<string | null> {
  const counts = ({ state }: NodeRow) => state === 'SERVING' || state === 'REPLACED';
  if (!nodes.some((node) => isDown(node) && counts(node)) && !(await isBreakerOpen(tx))) return null;
  return setBreaker(tx, wake, breakerReason(await readFleet(tx, togetherMs)), calmMs);
}
