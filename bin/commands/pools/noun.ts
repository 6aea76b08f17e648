// `tidegate pools`: the members that serve the same content, and how one of them is chosen.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { choice } from '../../cli/option.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun } from '../../cli/verb.ts';
import { balancerId, balancerOption, poolOf, readBalancer, settled } from '../loadbalancers/balancer.ts';
import { checkOption, memberOption } from '../loadbalancers/create.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';

const createDocument = graphql(`
  mutation PoolsCreate($input: PoolCreateInput!) {
    poolCreate(input: $input) { pool { id name } commit { token } userErrors { code message field } }
  }
`);
const monitorDocument = graphql(`
  mutation PoolsMonitor($input: HealthMonitorCreateInput!) {
    healthMonitorCreate(input: $input) { healthMonitor { id } commit { token } userErrors { code message field } }
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

const list = remoteVerb({
  summary: 'List the pools of a load balancer.',
  takes: [],
  options: { loadbalancer, project },
  async run({ client, options, printer }) {
    const { pools } = await readBalancer(client, await balancerId(client, options.loadbalancer, options.project));
    if (options.json) return printer.json(pools);
    const rows = pools.map((each) => [
      each.name,
      each.protocol,
      each.algorithm,
      each.operatingStatus,
      each.statusMessage ?? '',
    ]);
    return printer.table(['POOL', 'PROTOCOL', 'ALGORITHM', 'OPERATING', 'BECAUSE'], rows);
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
    const { algorithm, protocol = 'HTTP' } = options;
    const input = { idempotencyKey: randomUUID(), loadBalancerId, name: names[0], protocol, algorithm };
    const { pool, commit } = await client.mutate(createDocument, input);
    if (pool === null) throw new CommandFailure('the server gave no pool');
    if (options.check !== undefined)
      await client.mutate(monitorDocument, { idempotencyKey: randomUUID(), poolId: pool.id, ...options.check });
    if (options.member.length > 0)
      await client.mutate(membersDocument, { idempotencyKey: randomUUID(), id: pool.id, members: options.member });
    await settled(call, commit, loadBalancerId);
    if (options.json) await printer.json(pool);
    else await printer.line(`${pool.name} ${pool.id}`);
  },
});

const remove = remoteVerb({
  summary: 'Delete a pool that nothing uses, with its members.',
  takes: ['NAME'],
  options: { loadbalancer, preview: previewOption, project, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const place = await poolOf(client, `${options.loadbalancer}/${names[0]}`, options.project);
    if (await previewed(call, place.balancer, { poolDelete: { id: place.pool } })) return;
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id: place.pool });
    await settled(call, commit, place.balancer);
    if (options.json) await printer.json({ id: place.pool, deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
});

export const pools: Noun = { list, create, delete: remove };
