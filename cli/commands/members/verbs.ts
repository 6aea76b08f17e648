// The verbs of `tidegate members`. A member's NAME is HOST:PORT, or its id.
import { randomUUID } from 'node:crypto';
import type { MemberFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import {
  disableOption,
  drainText,
  enabledBy,
  enableOption,
  hostAndPort,
  hostText,
  poolOf,
  settled,
} from '../../balancer.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { flag, integer, neededText } from '../../option.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import { deletePartVerb } from '../loadbalancers/part.ts';
import { membersOf } from '../loadbalancers/pool-members.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';
import { printTraffic, trafficArguments, trafficOptions } from '../loadbalancers/traffic.ts';

const createDocument = graphql(`
  mutation MembersCreate($input: PoolMemberCreateInput!) {
    poolMemberCreate(input: $input) { poolMember { ...MemberFields } commit { token } userErrors { code message field } }
  }
`);
const updateDocument = graphql(`
  mutation MembersUpdate($input: PoolMemberUpdateInput!) {
    poolMemberUpdate(input: $input) { poolMember { ...MemberFields } commit { token } userErrors { code message field } }
  }
`);
const drainDocument = graphql(`
  mutation MembersDrain($input: PoolMemberDrainInput!) {
    poolMemberDrain(input: $input) { poolMember { ...MemberFields } commit { token } userErrors { code message field } }
  }
`);
const drainCancelDocument = graphql(`
  mutation MembersDrainCancel($input: PoolMemberDrainCancelInput!) {
    poolMemberDrainCancel(input: $input) {
      poolMember { ...MemberFields } commit { token } userErrors { code message field }
    }
  }
`);
const trafficDocument = graphql(`
  query MembersTraffic($id: ID!, $period: LoadBalancerTrafficPeriod!, $periods: Int!) {
    poolMember(id: $id) { traffic(period: $period, periods: $periods) { ...TrafficFields } }
  }
`);
const deleteDocument = graphql(`
  mutation MembersDelete($input: PoolMemberDeleteInput!) {
    poolMemberDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

type Member = MemberFieldsFragment;
const { project, wait } = commonOptions;
const preview = previewOption;
const pool = neededText('POOL', 'Pool, as LOADBALANCER/POOL, or LOADBALANCER where it has one.');
const weight = integer('N', 'Its share among the members, 0 to 256.', { least: 0, most: 256 });

/** UUID of a member of a pool. */
async function memberId(client: GraphClient, ofPool: string, text: string): Promise<string> {
  const found = (await membersOf(client, ofPool)).filter((member) => member.id === text || hostText(member) === text);
  const [only] = found;
  if (only === undefined) throw new CommandFailure(`there is no member '${text}' in this pool`);
  return only.id;
}

async function print(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  member: Member | null,
): Promise<void> {
  if (member === null) throw new CommandFailure('the server gave no member');
  if (options.json) return printer.json(member);
  return printer.pairs([
    ['Id', member.id],
    ['Address', hostText(member)],
    ['Weight', member.weight],
    ['Provisioning', member.provisioningStatus],
    ['Operating', drainText(member.operatingStatus, member.sessions)],
    ['Because', member.operatingReason],
    ['Drained until', member.drainUntil],
  ]);
}

export const list = listVerb({
  summary: 'List the members of a pool.',
  options: { pool, project },
  read: async ({ client, options }) => membersOf(client, (await poolOf(client, options.pool, options.project)).pool),
  columns: {
    MEMBER: (member) => hostText(member),
    WEIGHT: ({ weight: share, backup }) => `${share}${backup ? ' backup' : ''}`,
    PROVISIONING: 'provisioningStatus',
    OPERATING: ({ operatingStatus, sessions }) => drainText(operatingStatus, sessions),
    BECAUSE: ({ operatingReason }) => operatingReason ?? '',
  },
});

export const create = remoteVerb({
  summary: 'Add a member, HOST:PORT, to a pool.',
  takes: ['NAME'],
  named: ['host', 'port'],
  options: { pool, weight, backup: flag('Use it only when no other member is healthy.'), preview, project, wait },
  async run(call) {
    const { client, names, options } = call;
    const address = hostAndPort(names[0], 'NAME');
    const place = await poolOf(client, options.pool, options.project);
    const input = { poolId: place.pool, ...address, weight: options.weight, backup: options.backup };
    if (await previewed(call, place.balancer, { poolMemberCreate: input })) return;
    const { poolMember, commit } = await client.mutate(createDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit, place.balancer);
    await print(call, poolMember);
  },
});

export const update = remoteVerb({
  summary: 'Change a member; options left out change nothing.',
  takes: ['NAME'],
  options: { pool, weight, on: enableOption, off: disableOption, preview, project, wait },
  async run(call) {
    const { client, names, options } = call;
    const enabled = enabledBy(options);
    if (options.weight === undefined && enabled === undefined) throw new UsageError('nothing to change was given');
    const place = await poolOf(client, options.pool, options.project);
    const id = await memberId(client, place.pool, names[0]);
    const input = { id, weight: options.weight, enabled };
    if (await previewed(call, place.balancer, { poolMemberUpdate: input })) return;
    const { poolMember, commit } = await client.mutate(updateDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit, place.balancer);
    await print(call, poolMember);
  },
});

export const drain = remoteVerb({
  summary: 'Let a member finish its sessions and give it no new ones.',
  takes: ['NAME'],
  options: {
    pool,
    deadline: integer('SECONDS', "End its sessions after so long (the pool's drainMs).", { least: 0, most: 86_400 }),
    end: flag('Give it new sessions again.'),
    preview,
    project,
  },
  async run(call) {
    const { client, names, options } = call;
    const place = await poolOf(client, options.pool, options.project);
    const id = await memberId(client, place.pool, names[0]);
    const deadlineMs = options.deadline === undefined ? undefined : options.deadline * 1000;
    const idempotencyKey = randomUUID();
    if (options.end) {
      if (deadlineMs !== undefined) throw new UsageError('--end takes no --deadline');
      if (await previewed(call, place.balancer, { poolMemberDrainCancel: { id } })) return;
      const { poolMember } = await client.mutate(drainCancelDocument, { idempotencyKey, id });
      return print(call, poolMember);
    }
    if (await previewed(call, place.balancer, { poolMemberDrain: { id, deadlineMs } })) return;
    const { poolMember } = await client.mutate(drainDocument, { idempotencyKey, id, deadlineMs });
    await print(call, poolMember);
  },
});

export const traffic = remoteVerb({
  summary: 'Show requests, errors, sessions, bytes and latency of a member.',
  takes: ['NAME'],
  options: { pool, ...trafficOptions, project },
  async run(call) {
    const { client, names, options } = call;
    const id = await memberId(client, (await poolOf(client, options.pool, options.project)).pool, names[0]);
    const { poolMember } = await client.query(trafficDocument, { id, ...trafficArguments(options) });
    await printTraffic(call, poolMember?.traffic);
  },
});

export const remove = deletePartVerb({
  summary: 'Remove a member from a pool, once its sessions have ended.',
  options: { pool, preview, project, wait },
  document: deleteDocument,
  change: 'poolMemberDelete',
  async find({ client, names, options }) {
    const place = await poolOf(client, options.pool, options.project);
    return { id: await memberId(client, place.pool, names[0]), balancer: place.balancer };
  },
});
