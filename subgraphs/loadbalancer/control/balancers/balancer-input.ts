// Checks the settings of load balancers in inputs.
import type { LoadBalancerCreateInput, LoadBalancerUpdateInput } from '../../../../generated/graph/loadbalancer.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { checkCmpObject, cmpObjectOf } from '../../../../platform/pages/cmp-object.ts';
import { isNodeCount, mostNodes } from '../scaling/policy-input.ts';
import type { BalancerSettings } from '../stores/balancer-store.ts';

/** Each connection needs two open files, of which a process may have 1,048,576 (fs.nr_open): with more HAProxy does not start. */
const mostConnections = 500_000;
const defaultNodeSize = { connections: 5_000, threads: 1 };

type Settings = Pick<
  LoadBalancerCreateInput & LoadBalancerUpdateInput,
  'description' | 'tags' | 'minNodes' | 'maxNodes' | 'nodeSize'
>;

export function checkBalancerSettings(check: InputCheck, input: Settings): void {
  check.text('description', input.description, { max: 255 });
  const tags = input.tags ?? [];
  check.count('tags', tags, { max: 32 });
  for (const [at, tag] of tags.slice(0, 32).entries())
    check.text(`tags.${at}`, tag, { required: true, min: 1, max: 255 });
  check.integer('minNodes', input.minNodes, { min: 1, max: mostNodes });
  check.integer('maxNodes', input.maxNodes, { min: 1, max: mostNodes });
  check.integer('nodeSize.connections', input.nodeSize?.connections, { min: 100, max: mostConnections });
  check.integer('nodeSize.threads', input.nodeSize?.threads, { min: 1, max: 64 });
}

export function checkNewBalancer(check: InputCheck, input: LoadBalancerCreateInput): void {
  check.name('name', input.name);
  checkBalancerSettings(check, input);
  if (input.cmpObject != null) checkCmpObject(check, 'cmpObject', cmpObjectOf(input.cmpObject));
  checkNodeCounts(check, settingsOfNew(input), input.topology ?? 'SPREAD');
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

export function settingsOfNew(input: LoadBalancerCreateInput): BalancerSettings {
  const minNodes = input.minNodes ?? 2;
  return {
    description: input.description ?? '',
    tags: input.tags ?? [],
    enabled: input.enabled ?? true,
    minNodes,
    maxNodes: input.maxNodes ?? minNodes,
    wantedNodes: minNodes,
    nodeConnections: input.nodeSize?.connections ?? defaultNodeSize.connections,
    nodeThreads: input.nodeSize?.threads ?? defaultNodeSize.threads,
  };
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
