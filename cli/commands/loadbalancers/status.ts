// `tidegate loadbalancers status NAME`: the status tree, Octavia's `/loadbalancers/ID/status`.
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, hostText } from '../../balancer.ts';
import { CommandFailure } from '../../failures.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { membersOf } from './pool-members.ts';

const document = graphql(`
  query LoadBalancersStatus($id: ID!) {
    loadBalancer(id: $id) {
      id name provisioningStatus provisioningReason operatingStatus operatingReason wantedNodes
      listeners {
        id name protocol port provisioningStatus operatingStatus operatingReason defaultPool { id }
        l7Policies { id name action provisioningStatus operatingStatus }
      }
      pools { id name provisioningStatus operatingStatus operatingReason healthMonitor { id monitorType provisioningStatus operatingStatus } }
      nodes { id name nodeState nodeStateReason operatingStatus address }
    }
  }
`);

type Row = readonly [what: string, provisioning: string, operating: string, because: string | null];

export const status = remoteVerb({
  summary: 'Show the statuses of a load balancer and all of its parts and nodes, as a tree.',
  takes: ['NAME'],
  options: { project: commonOptions.project },
  async run({ client, names, options, printer }) {
    const id = await balancerId(client, names[0], options.project);
    const { loadBalancer: balancer } = await client.query(document, { id });
    if (balancer === null) throw new CommandFailure(`there is no load balancer '${names[0]}'`);
    const pools = [];
    for (const pool of balancer.pools) pools.push({ ...pool, members: await membersOf(client, pool.id) });
    if (options.json) return printer.json({ ...balancer, pools });
    const rows: Row[] = [
      [balancer.name, ...statuses(balancer, balancer.operatingReason ?? balancer.provisioningReason)],
    ];
    for (const listener of balancer.listeners) {
      rows.push([`  listener ${listener.port} ${listener.protocol}`, ...statuses(listener, listener.operatingReason)]);
      for (const policy of listener.l7Policies)
        rows.push([`    policy ${policy.name} ${policy.action}`, ...statuses(policy, null)]);
    }
    for (const pool of pools) {
      rows.push([`  pool ${pool.name}`, ...statuses(pool, pool.operatingReason)]);
      if (pool.healthMonitor !== null)
        rows.push([`    health monitor ${pool.healthMonitor.monitorType}`, ...statuses(pool.healthMonitor, null)]);
      for (const member of pool.members)
        rows.push([`    member ${hostText(member)}`, ...statuses(member, member.operatingReason)]);
    }
    for (const node of balancer.nodes)
      rows.push([
        `  node ${node.name} ${node.address ?? ''}`,
        node.nodeState,
        node.operatingStatus,
        node.nodeStateReason,
      ]);
    return printer.table(
      ['OBJECT', 'PROVISIONING', 'OPERATING', 'BECAUSE'],
      rows.map(([what, provisioning, operating, because]) => [what, provisioning, operating, because ?? '']),
    );
  },
});

function statuses(
  { provisioningStatus, operatingStatus }: { readonly provisioningStatus: string; readonly operatingStatus: string },
  because: string | null,
): readonly [string, string, string | null] {
  return [provisioningStatus, operatingStatus, because];
}
