// `tidegate loadbalancers failover NAME`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, readBalancer, replaced } from '../../balancer.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';

const document = graphql(`
  mutation LoadBalancersFailover($input: LoadBalancerNodesReplaceInput!) {
    loadBalancerNodesReplace(input: $input) {
      loadBalancer { id name provisioningStatus } commit { token } userErrors { code message field }
    }
  }
`);

export const failover = remoteVerb({
  summary: 'Replace all nodes, one after the other: each new one serves before an old one goes.',
  takes: ['NAME'],
  options: { project: commonOptions.project, wait: commonOptions.wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const id = await balancerId(client, names[0], options.project);
    const old = (await readBalancer(client, id, names[0])).nodes.map((node) => node.id);
    const { loadBalancer, commit } = await client.mutate(document, { idempotencyKey: randomUUID(), id });
    await replaced(call, commit, id, old);
    if (options.json) await printer.json(loadBalancer);
    else await printer.line(`the nodes of ${names[0]} ${options.wait === undefined ? 'are being' : 'are'} replaced`);
  },
});
