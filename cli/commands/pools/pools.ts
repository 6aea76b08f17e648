// `tidegate pools`: members that serve the same content, and the algorithm that chooses one.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, balancerOption, poolOf, readBalancer, settled } from '../../balancer.ts';
import { CommandFailure } from '../../failures.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { choice } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { checkOption, memberOption } from '../loadbalancers/create.ts';
import { deletePartVerb } from '../loadbalancers/part.ts';
import { previewOption } from '../loadbalancers/preview.ts';

const createDocument = graphql(`
  mutation PoolsCreate($input: PoolCreateInput!) {
    poolCreate(input: $input) { pool { id name } commit { token } userErrors { code message field } }
  }
`);
const monitorDocument = graphql(`
  mutation PoolsMonitor($input: PoolHealthMonitorCreateInput!) {
    poolHealthMonitorCreate(input: $input) { poolHealthMonitor { id } commit { token } userErrors { code message field } }
  }
`);
const membersDocument = graphql(`
  mutation PoolsMembersSet($input: PoolMembersSetInput!) {
    poolMembersSet(input: $input) { pool { id name } commit { token } userErrors { code message field } }
  }
`);
const deleteDocument = graphql(`
  mutation PoolsDelete($input: PoolDeleteInput!) {
    poolDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const { project, wait } = commonOptions;
const loadbalancer = balancerOption;

const list = listVerb({
  summary: 'List the pools of a load balancer.',
  options: { loadbalancer, project },
  read: async ({ client, options }) =>
    (await readBalancer(client, await balancerId(client, options.loadbalancer, options.project))).pools,
  columns: {
    POOL: 'name',
    PROTOCOL: 'memberProtocol',
    ALGORITHM: 'algorithm',
    OPERATING: 'operatingStatus',
    BECAUSE: ({ operatingReason }) => operatingReason ?? '',
  },
});

const create = remoteVerb({
  summary: 'Create a pool.',
  takes: ['NAME'],
  options: {
    loadbalancer,
    protocol: choice('PROTOCOL', ['HTTP', 'HTTP2', 'TCP'], 'Protocol (HTTP).'),
    algorithm: choice(
      'ALGORITHM',
      ['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP'],
      'How a member is chosen (ROUND_ROBIN).',
    ),
    member: memberOption,
    check: checkOption,
    project,
    wait,
  },
  async run(call) {
    const { client, names, options, printer } = call;
    const loadBalancerId = await balancerId(client, options.loadbalancer, options.project);
    const { algorithm, protocol: memberProtocol = 'HTTP' } = options;
    const input = { idempotencyKey: randomUUID(), loadBalancerId, name: names[0], memberProtocol, algorithm };
    const { pool, commit } = await client.mutate(createDocument, input);
    if (pool === null) throw new CommandFailure('the server gave no pool');
    if (options.check !== undefined)
      await client.mutate(monitorDocument, { idempotencyKey: randomUUID(), poolId: pool.id, ...options.check });
    if (options.member.length > 0)
      await client.mutate(membersDocument, { idempotencyKey: randomUUID(), id: pool.id, members: options.member });
    await settled(call, commit, loadBalancerId);
    if (options.json) await printer.json(pool);
    else await printer.line(`${pool.name} ${printer.idText(pool.id)}`);
  },
});

const remove = deletePartVerb({
  summary: 'Delete a pool that nothing uses, with its members.',
  options: { loadbalancer, preview: previewOption, project, wait },
  document: deleteDocument,
  change: 'poolDelete',
  async find({ client, names, options }) {
    const { pool, balancer } = await poolOf(client, `${options.loadbalancer}/${names[0]}`, options.project);
    return { id: pool, balancer };
  },
});

export const pools: Noun = {
  ...{ list, show: kindVerb('Pool', 'show'), create, update: kindVerb('Pool', 'update'), delete: remove },
};
