// Finds and prints load balancers for the commands.
import type { LoadBalancerFieldsFragment } from '../generated/cli/graphql.ts';
import { graphql } from '../generated/cli/index.ts';
import { CommandFailure, UsageError } from './failures.ts';
import { idNamed, projectId } from './find.ts';
import type { GraphClient } from './graph-client.ts';
import { flag, giving, neededText } from './option.ts';
import type { RemoteCall } from './remote-verb.ts';
import { type Commit, patienceOf, type WaitingCall } from './wait.ts';

graphql(`
  fragment LoadBalancerFields on LoadBalancer {
    id name description tags urls fqdn addresses topology enabled minNodes maxNodes wantedNodes generation
    provisioningStatus provisioningReason operatingStatus operatingReason
    listeners { id name protocol port operatingStatus defaultPool { id name } }
    pools { id name memberProtocol algorithm operatingStatus operatingReason }
    nodes { id name nodeState sessions nodeStateReason address appliedGeneration steps { name } }
    autoscaling { targetPercent dryRun schedule { days from to minNodes maxNodes } }
    scalingDecisions(first: 5, changed: true) { nodes { decidedAt action fromNodes toNodes reason } }
  }
`);

export type Balancer = LoadBalancerFieldsFragment;

const showDocument = graphql(`
  query LoadBalancerShow($id: ID!) { loadBalancer(id: $id) { ...LoadBalancerFields } }
`);

/** Finds a load balancer by name or id. Throws CommandFailure if there is none, or if there are several. */
export async function balancerId(client: GraphClient, nameOrId: string, project: string | undefined): Promise<string> {
  return idNamed(client, 'loadbalancers', nameOrId, await projectId(client, project));
}

export async function readBalancer(client: GraphClient, id: string, named = id): Promise<Balancer> {
  const { loadBalancer } = await client.query(showDocument, { id });
  if (loadBalancer === null) throw new CommandFailure(`there is no load balancer '${named}'`);
  return loadBalancer;
}

/** The ids of load balancer and pool for LOADBALANCER/POOL, or for LOADBALANCER if it has only one pool. */
export async function poolOf(
  client: GraphClient,
  text: string,
  project: string | undefined,
): Promise<{ readonly balancer: string; readonly pool: string }> {
  const [balancer = '', name] = text.split('/');
  const { id, pools } = await readBalancer(client, await balancerId(client, balancer, project), balancer);
  const [only] = pools;
  if (name === undefined && pools.length === 1 && only !== undefined) return { balancer: id, pool: only.id };
  if (name === undefined)
    throw new UsageError(`'${balancer}' has ${pools.length} pools: name one, as ${balancer}/POOL`);
  const found = pools.find((pool) => pool.name === name || pool.id === name);
  if (found === undefined) throw new CommandFailure(`there is no pool '${name}' in '${balancer}'`);
  return { balancer: id, pool: found.id };
}

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export const balancerOption = neededText('NAME', 'Load balancer, by name or id.');
export const enableOption = giving(['enabled'], flag('Use it.'));
export const disableOption = giving(['enabled'], flag('Do not use it.'));

/** True or false by one of the two switches. Undefined if neither is given. */
export function enabledBy(options: { readonly on: boolean; readonly off: boolean }): boolean | undefined {
  if (options.on && options.off) throw new UsageError('give only one of --on and --off');
  return options.on ? true : options.off ? false : undefined;
}

/** With `--wait`: waits until the standby has the write, and every node has applied it. */
export async function settled(call: WaitingCall, commit: Commit, id?: string): Promise<void> {
  const patience = patienceOf(call);
  if (patience === undefined) return;
  await patience.untilReplicated(commit);
  if (id === undefined) return;
  await patience.until(
    () => readBalancer(call.client, id),
    ({ provisioningStatus }) => provisioningStatus === 'ACTIVE' || provisioningStatus === 'DELETED',
    ({ name, provisioningStatus, provisioningReason }) =>
      `${name} is ${provisioningStatus}${provisioningReason === null ? '' : `: ${provisioningReason}`}`,
  );
}

/** With `--wait`: waits until the standby has the write, and other nodes serve in place of these (ids). */
export async function replaced(call: WaitingCall, commit: Commit, id: string, old: readonly string[]): Promise<void> {
  const patience = patienceOf(call);
  if (patience === undefined) return;
  await patience.untilReplicated(commit);
  const left = ({ nodes }: Balancer) =>
    nodes.filter((node) => old.includes(node.id) && ['BUILDING', 'SERVING'].includes(node.nodeState)).length;
  await patience.until(
    () => readBalancer(call.client, id),
    (balancer) => left(balancer) === 0 && balancer.provisioningStatus === 'ACTIVE',
    (balancer) => `${left(balancer)} of ${old.length} nodes of ${balancer.name} are not replaced yet`,
  );
}

/** HOST:PORT, or [ADDRESS]:PORT. Throws UsageError. */
export function hostAndPort(text: string, name: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new UsageError(`${name} takes HOST:PORT, not '${text}'`);
  return { host, port: Number(port) };
}

/** The other way round. */
export function hostText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Includes the remaining sessions of what drains. */
export function drainText(state: string, sessions: number | null): string {
  return sessions === null ? state : `${state}, ${sessions} session${sessions === 1 ? '' : 's'} left`;
}

function scalingText(policy: Balancer['autoscaling']): string | null {
  if (policy === null) return null;
  const windows = policy.schedule.map(
    ({ days, from, to, minNodes, maxNodes }) =>
      `${minNodes} to ${maxNodes} from ${from} to ${to} on ${days.map((day) => weekdays[day - 1]).join(', ')}`,
  );
  return [
    `for a load of ${policy.targetPercent} %${policy.dryRun ? ' (dry run: nothing changes)' : ''}`,
    ...windows,
  ].join('\n');
}

export async function printBalancer(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  balancer: Balancer,
): Promise<void> {
  if (options.json) return printer.json(balancer);
  await printer.pairs([
    ['Name', balancer.name],
    ['Id', balancer.id],
    ['Description', balancer.description],
    ['Tags', balancer.tags.join(', ')],
    ['URLs', balancer.urls.join('\n')],
    ['Addresses', balancer.addresses.join(', ')],
    ['Provisioning', balancer.provisioningStatus],
    ['Waits for', balancer.provisioningReason],
    ['Operating', balancer.operatingStatus],
    ['Because', balancer.operatingReason],
    ['Nodes', `${balancer.wantedNodes} wanted, ${balancer.minNodes} to ${balancer.maxNodes}`],
    ['Autoscaling', scalingText(balancer.autoscaling)],
    ['Generation', balancer.generation],
  ]);
  const sections = [
    ['LISTENER', 'PROTOCOL', 'POOL', 'OPERATING'],
    balancer.listeners.map((each) => [
      `${each.port}${each.name === '' ? '' : ` ${each.name}`}`,
      each.protocol,
      each.defaultPool?.name ?? '-',
      each.operatingStatus,
    ]),
    ['POOL', 'PROTOCOL', 'ALGORITHM', 'OPERATING'],
    balancer.pools.map((each) => [each.name, each.memberProtocol, each.algorithm, each.operatingStatus]),
    ['NODE', 'ADDRESS', 'STATE', 'LAST STEP'],
    balancer.nodes.map((each) => [
      each.name,
      each.address ?? '-',
      drainText(each.nodeState, each.sessions),
      each.steps.at(-1)?.name ?? '-',
    ]),
    ['SCALED', 'NODES', 'REASON'],
    balancer.scalingDecisions.nodes.map(({ decidedAt, fromNodes, toNodes, reason }) => [
      decidedAt,
      `${fromNodes} to ${toNodes}`,
      reason,
    ]),
  ] as const;
  for (const [at, head] of sections.entries()) {
    const rows = sections[at + 1];
    if (at % 2 === 1 || rows === undefined || rows.length === 0) continue;
    await printer.line('');
    await printer.table(head as readonly string[], rows as readonly (readonly string[])[]);
  }
}
