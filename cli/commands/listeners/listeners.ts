// `tidegate listeners`: the ports and protocols on which a load balancer accepts connections.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { type Balancer, balancerId, balancerOption, readBalancer, settled } from '../../balancer.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { projectId } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { choice, giving, integer, several, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { certificateIds, certificateOption } from '../loadbalancers/create.ts';
import { deletePartVerb } from '../loadbalancers/part.ts';
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
  'allow-from': giving(['allowedCidrs'], several('CIDR', 'Clients that may connect (all).')),
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
  readonly project: string | undefined;
}

async function settingsOf(client: GraphClient, options: Settings, { name, pools }: Balancer) {
  const { 'default-pool': named, 'tls-certificate': certificates } = options;
  const pool = pools.find((each) => each.name === named);
  if (named !== undefined && pool === undefined) throw new CommandFailure(`there is no pool '${named}' in '${name}'`);
  return {
    defaultPoolId: named === undefined ? undefined : pool?.id,
    connectionLimit: options['connection-limit'],
    allowedCidrs: options['allow-from'].length === 0 ? undefined : options['allow-from'],
    certificateIds:
      certificates.length === 0
        ? undefined
        : await certificateIds(client, certificates, await projectId(client, options.project)),
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

const list = listVerb({
  summary: 'List the listeners of a load balancer.',
  options: { loadbalancer, project },
  read: async ({ client, options }) => (await balancerOf(client, options.loadbalancer, options.project)).listeners,
  columns: {
    PORT: 'port',
    PROTOCOL: 'protocol',
    POOL: ({ defaultPool }) => defaultPool?.name,
    OPERATING: 'operatingStatus',
  },
});

const create = remoteVerb({
  summary: 'Create a listener; NAME is its port.',
  takes: ['NAME'],
  named: ['port'],
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
    const input = { loadBalancerId: balancer.id, port, ...(await settingsOf(client, options, balancer)), protocol };
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
    const changes = await settingsOf(client, options, balancer);
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const id = listenerOf(balancer, names[0]);
    if (await previewed(call, balancer.id, { listenerUpdate: { id, ...changes } })) return;
    const { listener, commit } = await client.mutate(updateDocument, { idempotencyKey: randomUUID(), id, ...changes });
    await settled(call, commit, balancer.id);
    if (options.json) await printer.json(listener);
    else await printer.line(`port ${names[0]} is changed`);
  },
});

const remove = deletePartVerb({
  summary: 'Delete the listener at a port with its L7 policies.',
  options: { loadbalancer, preview: previewOption, project, wait },
  document: deleteDocument,
  change: 'listenerDelete',
  async find({ client, names, options }) {
    const balancer = await balancerOf(client, options.loadbalancer, options.project);
    return { id: listenerOf(balancer, names[0]), balancer: balancer.id };
  },
  named: (port) => `port ${port}`,
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

export const listeners: Noun = {
  ...{ list, show: kindVerb('Listener', 'show'), create, update, delete: remove, traffic },
};
