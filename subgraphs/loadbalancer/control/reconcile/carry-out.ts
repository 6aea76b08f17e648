// Performs one action of a plan, in the transaction that holds the lock of the load balancer.
import type { Transaction } from '../../../../platform/database/database.ts';
import { hostsIn } from '../../../../platform/net/address-block.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type Action, longestDrainMs } from '../../rules/plan.ts';
import type { HealSettings } from '../../rules/plan-input.ts';
import type { BalancerRow, NodeRow } from '../../rules/rows.ts';
import type { Names } from '../balancers/names.ts';
import { hostTopic } from '../hosts/host-sessions.ts';
import { endNode, insertNode, noteDns, noteInDns, setDeadline, setNamed, setNodeState } from '../nodes/node-store.ts';
import { type AddressWish, freeAddresses, takeAddress } from '../stores/address-store.ts';
import { setFloating, setProvisioning } from '../stores/balancer-store.ts';
import type { OpenHost } from '../stores/host-store.ts';
import { decide, deleteDecisions, noteSuccessor } from './decision-store.ts';

export interface Carrier {
  readonly tx: Transaction;
  readonly wake: Wake;
  readonly names: Names;
  readonly settings: HealSettings;
  balancer: BalancerRow;
  /** Current nodes by id. */
  readonly nodes: Map<string, NodeRow>;
  readonly hosts: ReadonlyMap<string, OpenHost>;
}

export async function carryOut(carrier: Carrier, action: Action): Promise<void> {
  switch (action.do) {
    case 'PLACE':
      return place(carrier, action);
    case 'NAME':
      return declare(carrier, action.nodeIds);
    case 'WITHDRAW':
      await carrier.names.withdraw(carrier.tx, carrier.balancer);
      return setNamed(carrier.tx, carrier.balancer.id, []);
    case 'STATUS':
      return status(carrier, action);
    default: {
      const node = carrier.nodes.get(action.nodeId);
      if (node === undefined) return;
      await change(carrier, node, action);
      const { hostId } = node;
      if (hostId !== null) carrier.tx.afterCommit(() => carrier.wake.notify(hostTopic(hostId)));
    }
  }
}

type NodeAction = Extract<Action, { readonly nodeId: string }>;

async function change(carrier: Carrier, node: NodeRow, action: NodeAction): Promise<void> {
  const { tx, wake, settings, balancer } = carrier;
  const address = balancer.floatingAddress ?? node.address;
  const to = (change: Parameters<typeof setNodeState>[3], from = node) => setNodeState(tx, wake, from, change);
  const reason = 'reason' in action && action.reason !== null ? { reason: action.reason } : {};
  switch (action.do) {
    case 'REPLACE': {
      if (!(await decide(tx, wake, node, { kind: 'REPLACE', reason: action.reason }))) return;
      const keepMs = node.replaceReason === null ? settings.replacedNodeKeepMs : 0;
      if (action.keep) await to({ state: 'REPLACED', ...reason, deleteInMs: keepMs });
      else await to({ state: 'DELETING', ...reason });
      return;
    }
    case 'TAKE_BACK':
      if (await decide(tx, wake, node, { kind: 'TAKE_BACK', reason: action.reason }))
        await to({ state: 'SERVING', ...reason, deleteInMs: null });
      return;
    case 'DELETE_REPLACED':
      if (await decide(tx, wake, node, { kind: 'DELETE', reason: action.reason }))
        await to({ state: 'DELETING', ...reason });
      return;
    case 'SERVE':
      await noteInDns(tx, wake, node, `${address} added to ${balancer.hostName}`);
      await to({ state: 'SERVING' }, { ...node, version: node.version + 1 });
      return;
    case 'LEAVE':
      await to({ state: 'DRAINING', ...reason, deleteInMs: null });
      return;
    case 'OUT_OF_DNS':
    case 'BACK_IN_DNS': {
      const isIn = action.do === 'BACK_IN_DNS';
      // A shared address stays.
      const reason =
        balancer.floatingAddress === null
          ? `${address} ${isIn ? 'added to' : 'removed from'} ${balancer.hostName}`
          : null;
      carrier.nodes.set(node.id, await noteDns(tx, wake, node, { isIn, reason }));
      return;
    }
    case 'DRAIN':
      await to({
        state: 'DRAINING',
        ...(node.reason === null ? {} : { reason: node.reason }),
        deleteInMs: longestDrainMs(settings),
        note: `out of DNS; its sessions may last ${settings.nodeDrainMs / 1_000} s longer`,
      });
      return;
    case 'TIME_DRAIN':
      return setDeadline(tx, node.id, settings.nodeDrainMs);
    case 'DELETE':
      if (node.hostId === null) await endNode(tx, wake, node, action.reason);
      else await to({ state: 'DELETING', ...reason });
      return;
    case 'FORGET':
      await endNode(tx, wake, node, action.reason);
  }
}

async function place(carrier: Carrier, { hostId, replacesId }: Extract<Action, { do: 'PLACE' }>): Promise<void> {
  const { tx, wake, hosts, nodes } = carrier;
  const host = hosts.get(hostId);
  if (host === undefined) return;
  const id = newUuid();
  const { publicRange, managementRange } = host;
  const floatingPriority = await float(carrier, host);
  const take = (range: string) => takeAddress(tx, host.id, id, hostsIn(range), wishOfAddress(carrier));
  const address = await take(publicRange);
  const managementAddress = managementRange === publicRange ? address : await take(managementRange);
  const { balancer } = carrier;
  const replaced = nodes.get(replacesId ?? '');
  const made = {
    ...{ id, projectId: balancer.projectId, loadBalancerId: balancer.id, hostId, address, managementAddress },
    // Unique, and short enough for the name of an interface with a prefix.
    name: `n${id.replaceAll('-', '').slice(-10)}`,
    ...{ connections: balancer.nodeConnections, threads: balancer.nodeThreads, replacesId, floatingPriority },
  };
  await insertNode(tx, wake, made, replaced === undefined ? null : `it replaces ${replaced.name}`);
  if (replaced !== undefined) {
    // For a node that is well, this is the decision.
    if (replaced.state !== 'REPLACED') {
      const reason = replaced.replaceReason ?? 'nodes have another size now';
      await decide(tx, wake, replaced, { kind: 'REPLACE', reason });
    }
    await noteSuccessor(tx, replaced.id, id);
  }
  tx.afterCommit(() => wake.notify(hostTopic(hostId)));
}

function wishOfAddress({ balancer, settings }: Carrier): AddressWish {
  return { balancerId: balancer.id, restMs: settings.addressRestMs };
}

/** Of nodes that share an address, each keeps its own priority for its whole life. */
const priorities = [150, 120, 90, 60, 30];

async function float(carrier: Carrier, host: OpenHost): Promise<number | null> {
  const { tx, balancer } = carrier;
  if (balancer.topology !== 'ACTIVE_STANDBY') return null;
  if (balancer.floatingAddress === null) {
    const candidates = hostsIn(host.publicRange);
    const address = await takeAddress(tx, host.id, balancer.id, candidates, wishOfAddress(carrier));
    carrier.balancer = { ...balancer, floatingAddress: address, ...(await setFloating(tx, balancer.id, address)) };
  }
  const rows = await tx.query<{ priority: number }>(
    "SELECT floating_priority AS priority FROM lb_node WHERE load_balancer_id = ? AND state <> 'DELETED' AND floating_priority IS NOT NULL",
    [balancer.id],
  );
  const taken = new Set(rows.map(({ priority }) => priority));
  return priorities.find((each) => !taken.has(each)) ?? 1;
}

async function declare({ tx, names, balancer, nodes }: Carrier, nodeIds: readonly string[]): Promise<void> {
  const own = nodeIds.flatMap((id) => nodes.get(id)?.address ?? []);
  const addresses = balancer.floatingAddress === null ? own : [balancer.floatingAddress];
  if (addresses.length === 0) return;
  await names.declare(tx, balancer, addresses);
  await setNamed(tx, balancer.id, nodeIds);
}

async function status({ tx, wake, balancer }: Carrier, to: Extract<Action, { do: 'STATUS' }>): Promise<void> {
  await setProvisioning(tx, wake, balancer, to);
  if (to.status === 'DELETED') {
    await deleteDecisions(tx, balancer.id);
    await freeAddresses(tx, { holder: balancer.id, balancerId: balancer.id, address: balancer.floatingAddress });
  }
}
