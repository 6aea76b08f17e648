// `tidegate listeners`: what a load balancer accepts from clients, by port.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../cli/failures.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { choice, integer, several, text } from '../../cli/option.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun } from '../../cli/verb.ts';
import { type Balancer, balancerId, balancerOption, readBalancer, settled } from '../loadbalancers/balancer.ts';
import { certificateOption } from '../loadbalancers/create.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';
import { printTraffic, trafficArguments, trafficOptions } from '../loadbalancers/traffic.ts';

const createDocument = graphql(`
  mutation ListenersCreate($input: ListenerCreateInput!) {
    listenerCreate(input: $input) { listener { id port protocol } commit { token } userErrors { code message field } }
  }
`);
const updateDocument = graphql(`
  mutation ListenersUpdate($input: ListenerUpdateInput!) {
    listenerUpdate(input: $input) { listener { id port protocol } commit { token } userErrors { code message field } }
  }
`);
const trafficDocument = graphql(`
  query ListenersTraffic($id: ID!, $period: LoadBalancerTrafficPeriod!, $periods: Int!) {
    listener(id: $id) { traffic(period: $period, periods: $periods) { ...TrafficFields } }
  }
`);
const deleteDocument = graphql(`
  mutation ListenersDelete($input: ListenerDeleteInput!) {
    listenerDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const { project, wait } = commonOptions;
const loadbalancer = balancerOption;
const common = {
  loadbalancer,
  'default-pool': text('NAME', 'Pool of its requests.'),
  'connection-limit': integer('N', 'Concurrent connections on each node.', { least: 1, most: 1_000_000 }),
  'allow-from': several('CIDR', 'Clients that may connect (all).'),
  'tls-certificate': certificateOption,
  preview: previewOption,
  project,
  wait,
} as const;

interface Settings {
  readonly 'default-pool': string | undefined;
  readonly 'connection-limit': number | undefined;
  readonly 'allow-from': readonly string[];
  readonly 'tls-certificate': readonly string[];
}

function settingsOf(options: Settings, { name, pools }: Balancer) {
  const { 'default-pool': named, 'tls-certificate': certificates } = options;
  const pool = pools.find((each) => each.name === named);
  if (named !== undefined && pool === undefined) throw new CommandFailure(`there is no pool '${named}' in '${name}'`);
  return {
    defaultPoolId: named === undefined ? undefined : pool?.id,
    connectionLimit: options['connection-limit'],
    allowedCidrs: options['allow-from'].length === 0 ? undefined : options['allow-from'],
    certificateIds: certificates.length === 0 ? undefined : certificates,
  };
}

async function balancerOf(client: GraphClient, name: string, inProject: string | undefined): Promise<Balancer> {
  return readBalancer(client, await balancerId(client, name, inProject), name);
}

function listenerOf({ name, listeners }: Balancer, port: string): string {
  const found = listeners.find((each) => String(each.port) === port || each.id === port);
  if (found === undefined) throw new CommandFailure(`'${name}' has no listener at port ${port}`);
  return found.id;
}

const list = remoteVerb({
  summary: 'List the listeners of a load balancer.',
  takes: [],
  options: { loadbalancer, project },
  async run({ client, options, printer }) {
    const { listeners } = await balancerOf(client, options.loadbalancer, options.project);
    if (options.json) return printer.json(listeners);
    const rows = listeners.map((each) => [
      String(each.port),
      each.protocol,
      each.defaultPool?.name ?? '-',
      each.operatingStatus,
    ]);
    return printer.table(['PORT', 'PROTOCOL', 'POOL', 'OPERATING'], rows);
  },
});

const create = remoteVerb({
  summary: 'Create a listener; NAME is its port.',
  takes: ['NAME'],
  options: {
    protocol: choice('PROTOCOL', ['HTTP', 'TCP', 'HTTPS', 'TERMINATED_HTTPS'], 'Protocol (HTTP).'),
    ...common,
  },
  async run(call) {
    const { client, names, options, printer } = call;
    const port = Number(names[0]);
    if (!Number.isInteger(port)) throw new UsageError(`NAME must be a port, not '${names[0]}'`);
    const balancer = await balancerOf(client, options.loadbalancer, options.project);
    const { protocol = 'HTTP' } = options;
    const input = { loadBalancerId: balancer.id, port, ...settingsOf(options, balancer), protocol };
    if (await previewed(call, balancer.id, { listenerCreate: input })) return;
    const { listener, commit } = await client.mutate(createDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit, balancer.id);
    if (options.json) await printer.json(listener);
    else await printer.line(`${balancer.name} listens at port ${port}`);
  },
});

const update = remoteVerb({
  summary: 'Change the listener at a port; options left out change nothing.',
  takes: ['NAME'],
  options: common,
  async run(call) {
    const { client, names, options, printer } = call;
    const balancer = await balancerOf(client, options.loadbalancer, options.project);
    const changes = settingsOf(options, balancer);
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const id = listenerOf(balancer, names[0]);
    if (await previewed(call, balancer.id, { listenerUpdate: { id, ...changes } })) return;
    const { listener, commit } = await client.mutate(updateDocument, { idempotencyKey: randomUUID(), id, ...changes });
    await settled(call, commit, balancer.id);
    if (options.json) await printer.json(listener);
    else await printer.line(`port ${names[0]} is changed`);
  },
});

const remove = remoteVerb({
  summary: 'Delete the listener at a port with its L7 policies.',
  takes: ['NAME'],
  options: { loadbalancer, preview: previewOption, project, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const balancer = await balancerOf(client, options.loadbalancer, options.project);
    const id = listenerOf(balancer, names[0]);
    if (await previewed(call, balancer.id, { listenerDelete: { id } })) return;
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    await settled(call, commit, balancer.id);
    if (options.json) await printer.json({ id, deleted: true });
    else await printer.line(`port ${names[0]} is deleted`);
  },
});

const traffic = remoteVerb({
  summary: 'Show requests, errors, sessions, bytes and latency of the listener at a port.',
  takes: ['NAME'],
  options: { loadbalancer, project, ...trafficOptions },
  async run(call) {
    const { client, names, options } = call;
    const id = listenerOf(await balancerOf(client, options.loadbalancer, options.project), names[0]);
    const { listener } = await client.query(trafficDocument, { id, ...trafficArguments(options) });
    await printTraffic(call, listener?.traffic);
  },
});

export const listeners: Noun = { list, create, update, delete: remove, traffic };
