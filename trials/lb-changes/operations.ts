// Operators' work at the same time: more and fewer nodes, by hand and by load, failovers, hosts that are cordoned or whose process ends or
// is killed, and a load balancer that comes and goes.
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId } from '../../platform/values/ids.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import type { Random } from '../random.ts';
import type { Changes } from './changes.ts';
import type { Place } from './place.ts';

export interface Operations {
  readonly place: Place;
  readonly changes: Changes;
  readonly random: Random;
  /** How often hosts were restarted. */
  restarts: number;
}

const kinds: readonly ((all: Operations) => Promise<void>)[] = [
  nodes,
  nodes,
  scale,
  scale,
  cordon,
  failover,
  replace,
  describe,
  describe,
  restart,
  restart,
  restart,
  another,
];

export async function operate(all: Operations): Promise<void> {
  await all.random.pick(kinds)(all);
}

async function nodes({ place, changes, random }: Operations): Promise<void> {
  const { balancers, context } = place.world;
  const input = { id: place.graphId, minNodes: random.integer(2, 4), maxNodes: random.integer(4, 8) };
  await changes.make('loadBalancerUpdate, nodes', () => balancers.update(context, input));
}

async function scale({ place, changes, random }: Operations): Promise<void> {
  const policy = {
    ...{ enabled: random.next() < 0.8, dryRun: random.next() < 0.2, periodMs: 5_000 },
    ...{ warmUpMs: random.integer(0, 5_000), cooldownMs: random.integer(0, 10_000), downWindowMs: 5_000 },
    ...{ requestsPerNode: random.integer(10, 200), targetPercent: random.integer(20, 80) },
  };
  const { context } = place.world;
  const loadBalancerId = place.graphId;
  if (random.next() < 0.3)
    await changes.make('autoscalingPolicyDelete', () => place.scaling.delete(context, { loadBalancerId }));
  else await changes.make('autoscalingPolicySet', () => place.scaling.set(context, { loadBalancerId, policy }));
}

/** Never two hosts at a time. */
async function cordon({ place, changes, random }: Operations): Promise<void> {
  const { hostService, context } = place.world;
  const id = encodeId('LoadBalancerHost', random.pick(place.hosts).id);
  const evacuate = random.next() < 0.5;
  await changes.make('loadBalancerHostCordonSet', () => hostService.setCordon(context, { id, evacuate }));
  await sleep(random.integer(0, 3_000));
  await changes.make('loadBalancerHostCordonLift', () => hostService.liftCordon(context, { id }));
}

async function describe({ place, changes, random }: Operations): Promise<void> {
  const { balancers, context } = place.world;
  const input = {
    id: place.graphId,
    description: `text ${random.integer(0, 99)}`,
    tags: [`tag-${random.integer(0, 9)}`],
  };
  await changes.make('loadBalancerUpdate', () => balancers.update(context, input));
}

async function failover({ place, changes }: Operations): Promise<void> {
  const { nodeService, context } = place.world;
  await changes.make('loadBalancerNodesReplace', () => nodeService.failover(context, { id: place.graphId }));
}

async function replace({ place, changes, random }: Operations): Promise<void> {
  const { nodeService, context } = place.world;
  const serving = (await place.nodes()).filter(({ state }) => state === 'SERVING');
  if (serving.length === 0) return;
  const id = encodeId('LoadBalancerNode', random.pick(serving).id);
  await changes.make('loadBalancerNodeReplace', () => nodeService.replace(context, { id }), [], ['NOT_FOUND']);
}

async function restart(all: Operations): Promise<void> {
  const { place, random } = all;
  all.restarts += 1;
  await place.restart(random.pick(place.hosts), random.pick(['SIGTERM', 'SIGKILL']), random.integer(0, 1_500));
}

/** Created, and deleted at any moment of its creation. */
async function another({ place, changes, random }: Operations): Promise<void> {
  const { balancers, context, projectId } = place.world;
  const input = { name: `other-${random.integer(0, 1e9)}`, projectId: encodeId('Project', projectId), minNodes: 1 };
  const made = await changes.make('loadBalancerCreate', () => balancers.create(context, input));
  if (made === undefined) return;
  await sleep(random.integer(0, 4_000));
  const deleted = { id: encodeId('LoadBalancer', made.id) };
  await changes.make('loadBalancerDelete', () => balancers.delete(context, deleted));
  const isGone = async () => (await place.world.balancer(made.id)).provisioningStatus === 'DELETED';
  await waitFor('the deletion of another load balancer', isGone);
}
