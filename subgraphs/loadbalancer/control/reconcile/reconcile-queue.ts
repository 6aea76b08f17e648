// Reconciles load balancers: one transaction under the lock of the load balancer reads the state, makes a plan and carries it out, until
// nothing is left to do now.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { hostCountIn } from '../../../../platform/net/address-block.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import {
  type ClaimedJob,
  finishOwed,
  OwedWorkLostError,
  owe,
  reconcilingRetry,
} from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { breakerReason } from '../../rules/breaker.ts';
import { planOf } from '../../rules/plan.ts';
import { type BalancerState, type HealSettings, type HostPlace, isDown, usualHealing } from '../../rules/plan-input.ts';
import { mostAttempts, unfinished } from '../../rules/provisioning.ts';
import type { NodeRow } from '../../rules/rows.ts';
import { type Names, noNames } from '../balancers/names.ts';
import { blindNodes, refreshStatuses } from '../members/member-status.ts';
import { nodesUnderLock } from '../nodes/node-store.ts';
import { type HeldAddresses, heldAddresses } from '../stores/address-store.ts';
import { lockBalancer, setProvisioning } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import { countNodes, type OpenHost, offlineHosts, openHosts, suspectHosts } from '../stores/host-store.ts';
import { listenerPorts } from '../stores/part-store.ts';
import { type Carrier, carryOut } from './carry-out.ts';
import { countTakeBacks, isBreakerOpen, readFleet, setBreaker } from './decision-store.ts';

export interface ReconcileDependencies {
  readonly db: Database;
  readonly wake: Wake;
  /** Default: none. */
  readonly names?: Names;
  readonly settings?: HealSettings;
}

/** Nodes that fail within this time count as failing together. */
const togetherMs = 5_000;
/** Nodes that failed together recover within this time of each other. */
const calmMs = 3_000;
/** A plan almost never has more than two steps that follow each other at once. */
const mostRounds = 6;
/** After a step for which clients wait, the next step is planned in the next transaction. */
const followMs = 10;

export function createReconcileQueue(dependencies: ReconcileDependencies): OwedQueue {
  const { db, wake } = dependencies;
  return {
    kind: reconcileKind,
    concurrency: 8,
    deadlineMs: 5_000,
    retry: reconcilingRetry,
    async run(job) {
      try {
        await db.transaction(async (tx) => {
          const againInMs = await reconcile(tx, dependencies, job.key);
          await finishOwed(tx, job);
          if (againInMs !== undefined) await owe(tx, reconcileKind, job.key, { dueInMs: againInMs }, wake);
        });
      } catch (error) {
        // Reports the reason to clients that wait for the load balancer.
        if (!(error instanceof OwedWorkLostError))
          await db.transaction((tx) => tellFailure(tx, dependencies, job, error));
        throw error;
      }
    },
  };
}

async function tellFailure(
  tx: Transaction,
  { wake, settings = usualHealing }: ReconcileDependencies,
  job: ClaimedJob,
  error: unknown,
): Promise<void> {
  const balancer = await lockBalancer(tx, job.key);
  if (balancer === undefined || balancer.provisioningStatus === 'DELETED') return;
  const [clock] = await tx.query<{ now: Date }>('SELECT NOW(3) AS now');
  const message = error instanceof Error ? error.message : String(error);
  const lack = { reason: message, failed: job.attempts >= mostAttempts };
  await setProvisioning(tx, wake, balancer, unfinished(balancer, settings, clock?.now ?? new Date(), lack));
}

/** Does what has to happen now, or until a host or the DNS servers must act. Returns the time until the next run. */
export async function reconcile(
  tx: Transaction,
  dependencies: ReconcileDependencies,
  balancerId: string,
): Promise<number | undefined> {
  const { wake, names = noNames, settings = usualHealing } = dependencies;
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
  dependencies: Pick<Carrier, 'wake' | 'names' | 'settings'>,
  balancerId: string,
): Promise<Carrier | undefined> {
  const balancer = await lockBalancer(tx, balancerId);
  if (balancer === undefined) return undefined;
  const [nodes, hosts] = await Promise.all([nodesUnderLock(tx, balancerId), openHosts(tx)]);
  return {
    ...{ tx, balancer, ...dependencies },
    nodes: new Map(nodes.map((node) => [node.id, node])),
    hosts: new Map(hosts.map((host) => [host.id, host])),
  };
}

/** Reads are pipelined to the database, without waiting for answers in between. */
async function stateOf({ tx, wake, names, settings, balancer, nodes, hosts }: Carrier): Promise<BalancerState> {
  const ids = [...hosts.keys()];
  const all = [...nodes.values()];
  const wish = { balancerId: balancer.id, restMs: settings.addressRestMs };
  // Where clients and health checks use the same address, a listener at the port of the checks would get their connections, and they its.
  const isShared = [...hosts.values()].some(answersAtClientAddress);
  const isReplacing = all.some(({ state }) => state === 'REPLACED');
  const [counts, suspects, held, offlineSince, takeBacks, blind, name, [clock], ports] = await Promise.all([
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
    isShared ? listenerPorts(tx, balancer.id) : new Set<number>(),
  ]);
  return {
    ...{ balancer, settings, nodes: all, offlineSince, takeBacks, blind, name },
    hosts: [...hosts.values()].map((host) =>
      placeOn(host, {
        ...{ nodeCount: counts.get(host.id) ?? 0, suspect: suspects.has(host.id) },
        ...(held.get(host.id) ?? { taken: 0, resting: 0 }),
        isPortTaken: answersAtClientAddress(host) && ports.has(host.claim.healthPort),
        // The shared address is taken together with that of the first node.
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
  /** Addresses that are needed besides those of nodes. */
  readonly spare: number;
  /** A listener has the port at which its nodes answer health checks. */
  readonly isPortTaken: boolean;
}

/** Whether nodes answer health checks at the address for clients. */
function answersAtClientAddress({ publicRange, managementRange }: OpenHost): boolean {
  return publicRange === managementRange;
}

function placeOn(host: OpenHost, found: Occupancy): HostPlace {
  const { id, maxNodes, publicRange, managementRange, claim } = host;
  const { nodeCount, suspect, taken, resting, spare } = found;
  if (found.isPortTaken) {
    const what = `a listener has the port ${claim.healthPort}, at which nodes of a host answer health checks`;
    const noAddress = `IN_USE: ${what}: delete the listener, or give the host a management range of its own (tidegate hosts set)`;
    return { id, nodeCount, suspect, free: 0, noAddress };
  }
  const size = Math.min(hostCountIn(publicRange), hostCountIn(managementRange));
  const [room, addresses] = [maxNodes - nodeCount, size - taken - resting - spare];
  const noAddress =
    `NO_FREE_ADDRESS: of the ${size} addresses of a host ${taken} are in use, and ${resting} are resting after their last use; ` +
    'wait, or give it a larger lbhost.publicRange, also in its record (tidegate hosts set)';
  return {
    ...{ id, nodeCount, suspect, free: Math.min(room, addresses) },
    noAddress: room > 0 && addresses <= 0 ? noAddress : null,
  };
}

/** Read while a node of the load balancer is down, when it is planned every second, and while the breaker is open. */
async function breakerOf(tx: Transaction, wake: Wake, nodes: readonly NodeRow[]): Promise<string | null> {
  const counts = ({ state }: NodeRow) => state === 'SERVING' || state === 'REPLACED';
  if (!nodes.some((node) => isDown(node) && counts(node)) && !(await isBreakerOpen(tx))) return null;
  return setBreaker(tx, wake, breakerReason(await readFleet(tx, togetherMs)), calmMs);
}
