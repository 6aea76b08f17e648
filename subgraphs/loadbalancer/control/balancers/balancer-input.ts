// The settings of load balancers in inputs: their checks and defaults.
import type { LoadBalancerCreateInput, LoadBalancerUpdateInput } from '../../../../generated/graph/loadbalancer.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { checkedCmpObject, cmpColumnsOf } from '../../../../platform/pages/cmp-object.ts';
import type { ScalingPolicy } from '../../rules/scaling-policy.ts';
import { checkedPolicy, isNodeCount, mostNodes } from '../scaling/policy-input.ts';
import type { BalancerSettings, NewBalancer } from '../stores/balancer-store.ts';

/** Each connection needs two open files, of which a process may have 1,048,576 (fs.nr_open): with more HAProxy does not start. */
const mostConnections = 500_000;
const defaultNodeSize = { connections: 5_000, threads: 1 };

type Settings = Pick<LoadBalancerUpdateInput, 'description' | 'tags' | 'minNodes' | 'maxNodes' | 'nodeSize'> &
  Partial<Pick<LoadBalancerCreateInput, 'name'>>;

/** `isNew`: of a creation, which has a name. */
export function checkBalancerSettings(check: InputCheck, input: Settings, isNew = false): void {
  if (isNew) check.name('name', input.name);
  check.text('description', input.description, { max: 255 });
  check.list('tags', input.tags ?? [], { max: 32 }, (tag, field) =>
    check.text(field, tag, { required: true, min: 1, max: 255 }),
  );
  check.integer('minNodes', input.minNodes, { min: 1, max: mostNodes });
  check.integer('maxNodes', input.maxNodes, { min: 1, max: mostNodes });
  check.integer('nodeSize.connections', input.nodeSize?.connections, { min: 100, max: mostConnections });
  check.integer('nodeSize.threads', input.nodeSize?.threads, { min: 1, max: 64 });
}

/** A new load balancer as its input describes it, without its place and its parts. */
interface Described {
  readonly settings: Omit<NewBalancer, 'id' | 'projectId' | 'hostName' | 'subnetId'>;
  readonly policy: ScalingPolicy | undefined;
}

/** Omitted fields get their defaults. Adds all faults. */
export function describedBalancer(check: InputCheck, input: LoadBalancerCreateInput): Described {
  checkBalancerSettings(check, input, true);
  const minNodes = input.minNodes ?? 2;
  const settings = {
    ...cmpColumnsOf(checkedCmpObject(check, input.cmpObject)),
    name: input.name,
    topology: input.topology ?? 'SPREAD',
    description: input.description ?? '',
    tags: input.tags ?? [],
    enabled: input.enabled ?? true,
    minNodes,
    maxNodes: input.maxNodes ?? minNodes,
    nodeConnections: input.nodeSize?.connections ?? defaultNodeSize.connections,
    nodeThreads: input.nodeSize?.threads ?? defaultNodeSize.threads,
  };
  checkNodeCounts(check, settings, settings.topology);
  const policy = input.autoscaling == null ? undefined : checkedPolicy(check, 'autoscaling', input.autoscaling);
  return { settings, policy };
}

export function checkNodeCounts(
  check: InputCheck,
  { minNodes, maxNodes }: Pick<BalancerSettings, 'minNodes' | 'maxNodes'>,
  topology: string,
): void {
  const isEachRight = isNodeCount(minNodes) && isNodeCount(maxNodes);
  if (isEachRight && maxNodes < minNodes)
    check.fault('maxNodes', `maxNodes is ${maxNodes}; give at least minNodes, which is ${minNodes}`);
  if (topology === 'ACTIVE_STANDBY' && (minNodes !== 2 || maxNodes !== 2))
    check.fault('maxNodes', 'topology ACTIVE_STANDBY has two nodes: give 2 for minNodes and maxNodes');
}

/** An omitted field keeps its value. `isScaled`: autoscaling moves the number of nodes within the bounds. */
export function settingsAfter(
  before: BalancerSettings,
  input: LoadBalancerUpdateInput,
  isScaled: boolean,
): BalancerSettings {
  const minNodes = input.minNodes ?? before.minNodes;
  const maxNodes = input.maxNodes ?? Math.max(before.maxNodes, input.minNodes ?? 0);
  return {
    description: input.description ?? before.description,
    tags: input.tags ?? before.tags,
    enabled: input.enabled ?? before.enabled,
    minNodes,
    maxNodes,
    wantedNodes: isScaled ? Math.min(Math.max(before.wantedNodes, minNodes), maxNodes) : minNodes,
    nodeConnections: input.nodeSize?.connections ?? before.nodeConnections,
    nodeThreads: input.nodeSize?.threads ?? before.nodeThreads,
  };
}
