// `tidegate loadbalancers update NAME`: changes the given options.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import {
  balancerId,
  disableOption,
  enabledBy,
  enableOption,
  printBalancer,
  readBalancer,
  settled,
} from '../../balancer.ts';
import { isProtected, protectionOption } from '../../confirmed.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { policyDocument } from './autoscale.ts';
import { descriptionOption, nodeSizeOf, nodesOption, sizeOptions, tagOption } from './create.ts';
import { previewed, previewOption } from './preview.ts';

const document = graphql(`
  mutation LoadBalancersUpdate($input: LoadBalancerUpdateInput!) {
    loadBalancerUpdate(input: $input) {
      loadBalancer { ...LoadBalancerFields } commit { token } userErrors { code message field }
    }
  }
`);

export const update = remoteVerb({
  summary: 'Change a load balancer; options left out change nothing.',
  takes: ['NAME'],
  options: {
    on: enableOption,
    off: disableOption,
    nodes: nodesOption('Number of nodes, or bounds between which it follows the load.'),
    ...sizeOptions,
    description: descriptionOption,
    tag: tagOption,
    'deletion-protected': protectionOption,
    preview: previewOption,
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names } = call;
    const changes = {
      ...options.nodes,
      nodeSize: nodeSizeOf(options),
      enabled: enabledBy(options),
      deletionProtected: isProtected(options['deletion-protected']),
      description: options.description,
      tags: options.tag.length === 0 ? undefined : options.tag,
    };
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const id = await balancerId(client, names[0], options.project);
    if (await previewed(call, id, { loadBalancerUpdate: { id, ...changes } })) return;
    const updated = await client.mutate(document, { idempotencyKey: randomUUID(), id, ...changes });
    const { loadBalancer } = updated;
    let { commit } = updated;
    if (loadBalancer === null) throw new CommandFailure('the server gave no load balancer');
    // A range is for autoscaling, as in `create`. An existing policy stays.
    const { minNodes = 0, maxNodes = 0 } = options.nodes ?? {};
    const isNewRange = minNodes < maxNodes && loadBalancer.autoscaling === null;
    if (isNewRange) {
      const policy = { idempotencyKey: randomUUID(), loadBalancerId: id, policy: {} };
      ({ commit } = await client.mutate(policyDocument, policy));
    }
    await settled(call, commit, id);
    const isSame = options.wait === undefined && !isNewRange;
    await printBalancer(call, isSame ? loadBalancer : await readBalancer(client, id));
  },
});
