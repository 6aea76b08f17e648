// `tidegate loadbalancers create NAME`: a load balancer with one pool. Shows the creation of its nodes, then its URLs.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadBalancerCreateInput, LoadBalancerNodeSizeInput } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { decodeId } from '../../../platform/values/ids.ts';
import { allAtOnce } from '../../at-once.ts';
import { type Balancer, hostAndPort, printBalancer, readBalancer } from '../../balancer.ts';
import { cmpOption } from '../../cmp-object.ts';
import { isProtected, protectionOption } from '../../confirmed.ts';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../../failures.ts';
import { projectId } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { idOf } from '../../kinds/find-object.ts';
import { choice, flag, giving, integer, one, several, text, type Values } from '../../option.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../../remote-verb.ts';

const document = graphql(`
  mutation LoadBalancersCreate($input: LoadBalancerCreateInput!) {
    loadBalancerCreate(input: $input) { loadBalancer { id } commit { token } userErrors { code message field } }
  }
`);

const port = (what: string) => giving(['listeners'], integer('PORT', what, { least: 1, most: 65_535 }));
const defaultWaitSeconds = 120;
const pauseMs = 500;

export const certificateOption = giving(
  ['certificateIds', 'listeners.certificateIds'],
  several('NAME', 'TLS certificate, by name or id.'),
);
export const memberOption = giving(
  ['members', 'pools.members'],
  several('HOST:PORT', 'Member of the pool.', hostAndPort),
);
export const descriptionOption = text('TEXT', 'Description.');
export const tagOption = several('TAG', 'Tag.');

export const nodesOption = (help: string) =>
  giving(
    ['minNodes', 'maxNodes'],
    one('MIN..MAX', help, (given, name) => {
      const [, least, most] = /^(\d{1,2})(?:\.\.(\d{1,2}))?$/.exec(given) ?? [];
      if (least === undefined) throw new UsageError(`${name} takes a number or MIN..MAX, not '${given}'`);
      return { minNodes: Number(least), maxNodes: Number(most ?? least) };
    }),
  );

const monitorTypes: Readonly<Record<string, 'HTTP' | 'HTTPS' | 'TCP' | 'TLS_HELLO'>> = {
  ...{ http: 'HTTP', https: 'HTTPS', tcp: 'TCP', tls: 'TLS_HELLO' },
};

export const checkOption = giving(
  ['pools.healthMonitor', 'monitorType', 'path'],
  one('http:PATH', 'Health check: http:PATH, https:PATH, tcp or tls.', (given, name) => {
    const [, kind = '', path] = /^([a-z]+)(?::(.*))?$/.exec(given) ?? [];
    const monitorType = monitorTypes[kind];
    if (monitorType === undefined || (path !== undefined && path !== '' && !kind.startsWith('http')))
      throw new UsageError(`${name} takes http:PATH, https:PATH, tcp or tls, not '${given}'`);
    return { monitorType, ...(path === undefined || path === '' ? {} : { path }) };
  }),
);

export const sizeOptions = {
  'node-connections': giving(
    ['nodeSize.connections'],
    integer('COUNT', 'Concurrent connections of a node (5000).', { least: 100, most: 500_000 }),
  ),
  'node-threads': giving(['nodeSize.threads'], integer('COUNT', 'Threads of a node (1).', { least: 1, most: 64 })),
};

/** Undefined if no option gives a size. */
export function nodeSizeOf({
  'node-connections': connections,
  'node-threads': threads,
}: Values<typeof sizeOptions>): LoadBalancerNodeSizeInput | undefined {
  return connections === undefined && threads === undefined ? undefined : { connections, threads };
}

export const requestsOption = integer(
  'COUNT',
  'Requests a second that fill a node (only the load of its HAProxy counts).',
  {
    ...{ least: 1, most: 1_000_000 },
  },
);

export const create = remoteVerb({
  summary: 'Create a load balancer with a listener and a pool; show its steps, then its URLs.',
  examples: [
    'tidegate loadbalancers create web --http 80 --member 192.0.2.10:80 --member 192.0.2.11:80 --check http:/',
  ],
  takes: ['NAME'],
  options: {
    http: port('Listen for HTTP.'),
    https: port('Listen for HTTPS that ends here; needs --tls-certificate.'),
    tcp: port('Listen for TCP.'),
    'tls-certificate': certificateOption,
    member: memberOption,
    check: checkOption,
    nodes: nodesOption('Number of nodes (2), or bounds between which it follows the load.'),
    'requests-per-node': requestsOption,
    topology: choice(
      'TOPOLOGY',
      ['SPREAD', 'ACTIVE_STANDBY'],
      'Each node has its own address, or two nodes share one, of which one serves (SPREAD).',
    ),
    ...sizeOptions,
    cmp: cmpOption,
    subnet: text('NAME', "Subnet of its nodes, by name or id (the project's first)."),
    description: descriptionOption,
    tag: tagOption,
    'deletion-protected': protectionOption,
    'no-wait': flag('Do not wait until it serves.'),
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names } = call;
    const { nodes, subnet } = options;
    const inProject = await projectId(client, options.project);
    const input: LoadBalancerCreateInput = {
      idempotencyKey: randomUUID(),
      projectId: inProject,
      name: names[0],
      description: options.description,
      tags: options.tag,
      deletionProtected: isProtected(options['deletion-protected']),
      cmpObject: options.cmp,
      subnetId: subnet === undefined ? undefined : await partId(client, 'ProjectSubnet', subnet, inProject),
      topology: options.topology,
      nodeSize: nodeSizeOf(options),
      ...nodes,
      ...scalingOf(options),
      ...treeOf(call, await certificateIds(client, options['tls-certificate'], inProject)),
    };
    const { loadBalancer } = await client.mutate(document, input);
    if (loadBalancer === null) throw new CommandFailure('the server gave no load balancer');
    if (options['no-wait']) return printBalancer(call, await readBalancer(client, loadBalancer.id));
    const made = await untilActive(call, loadBalancer.id, options.wait ?? defaultWaitSeconds);
    if (options.json) return call.printer.json(made);
    for (const url of made.urls) await call.printer.line(url);
  },
});

/** Finds certificates by name or id. Throws CommandFailure. */
export function certificateIds(
  client: GraphClient,
  certificates: readonly string[],
  inProject: string | undefined,
): Promise<string[]> {
  return allAtOnce(certificates, (each) => partId(client, 'TlsCertificate', each, inProject));
}

async function partId(
  client: GraphClient,
  type: string,
  nameOrId: string,
  inProject: string | undefined,
): Promise<string> {
  return decodeId(nameOrId)?.type === type ? nameOrId : idOf(client, type, nameOrId, { projectId: inProject });
}

/** A range of nodes is for autoscaling. */
function scalingOf(options: {
  readonly nodes: { readonly minNodes: number; readonly maxNodes: number } | undefined;
  readonly 'requests-per-node': number | undefined;
}): Pick<LoadBalancerCreateInput, 'autoscaling'> {
  const { nodes, 'requests-per-node': requestsPerNode } = options;
  if (nodes !== undefined && nodes.minNodes < nodes.maxNodes) return { autoscaling: { requestsPerNode } };
  if (requestsPerNode !== undefined) throw new UsageError('--requests-per-node needs --nodes MIN..MAX');
  return {};
}

type CreateCall = Pick<RemoteCall, 'client' | 'printer' | 'signal'> & {
  readonly options: {
    readonly http: number | undefined;
    readonly https: number | undefined;
    readonly tcp: number | undefined;
    readonly member: readonly { readonly host: string; readonly port: number }[];
    readonly check:
      | { readonly monitorType: 'HTTP' | 'HTTPS' | 'TCP' | 'TLS_HELLO'; readonly path?: string }
      | undefined;
    readonly json: boolean;
  };
};

/** One pool, with the protocol of the first listener, and a listener for each port. */
function treeOf(
  { options }: CreateCall,
  certificate: readonly string[],
): Pick<LoadBalancerCreateInput, 'pools' | 'listeners'> {
  const { http, https, tcp, member: members, check } = options;
  if (tcp !== undefined && (http !== undefined || https !== undefined))
    throw new UsageError('give --tcp, or --http and --https: a pool speaks one of them');
  if ((https === undefined) !== (certificate.length === 0))
    throw new UsageError('--https needs --tls-certificate, and it --https');
  const listening = [
    ...(http === undefined ? [] : [{ protocol: 'HTTP' as const, port: http }]),
    ...(https === undefined
      ? []
      : [{ protocol: 'TERMINATED_HTTPS' as const, port: https, certificateIds: certificate }]),
    ...(tcp === undefined ? [] : [{ protocol: 'TCP' as const, port: tcp }]),
  ];
  if (listening.length === 0 && members.length === 0) return {};
  const defaultPool = 'default';
  const memberProtocol = tcp === undefined ? ('HTTP' as const) : ('TCP' as const);
  const pool = { name: defaultPool, memberProtocol, members, ...(check === undefined ? {} : { healthMonitor: check }) };
  return { pools: [pool], listeners: listening.map((each) => ({ ...each, defaultPool })) };
}

/** Prints each step once. Throws CommandFailure with exit code 4 at the deadline. */
async function untilActive(
  { client, printer, signal, options }: CreateCall,
  id: string,
  seconds: number,
): Promise<Balancer> {
  const untilMs = performance.now() + seconds * 1000;
  const told = new Set<string>();
  for (;;) {
    const seen = await readBalancer(client, id);
    for (const line of stepsOf(seen).filter((each) => !told.has(each))) {
      told.add(line);
      if (!options.json) await printer.line(line);
    }
    if (seen.provisioningStatus === 'ACTIVE') return seen;
    if (seen.provisioningStatus === 'DELETED') throw new CommandFailure(`${seen.name} was deleted`);
    if (performance.now() + pauseMs > untilMs) {
      const why = seen.provisioningReason ?? seen.provisioningStatus;
      throw new CommandFailure(`not done within ${seconds} s: ${why}; it is tried on`, exitCodes.late);
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {
      throw new Interruption();
    });
  }
}

function stepsOf({ nodes }: Balancer): string[] {
  return nodes.flatMap(({ name, nodeState, address, steps }) => [
    ...steps.map((step) => `${name} ${step.name}${step.name === 'PLACED' && address !== null ? ` ${address}` : ''}`),
    ...(nodeState === 'BUILDING' ? [] : [`${name} ${nodeState}`]),
  ]);
}
