// `tidegate loadbalancers update NAME`: changes the given options.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../cli/failures.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import {
  balancerId,
  disableOption,
  enabledBy,
  enableOption,
  printBalancer,
  readBalancer,
  settled,
} from './balancer.ts';
import { descriptionOption, nodesOption, tagOption } from './create.ts';

const document = graphql(`
  mutation LoadBalancersUpdate($input: LoadBalancerUpdateInput!) {
    loadBalancerUpdate(input: $input) {
      loadBalancer { ...LoadBalancerFields }
      commit { token }
      userErrors { code message field }
    }
  }
`);

export const update = remoteVerb({
  summary: 'Change a load balancer; options left out change nothing.',
  takes: ['NAME'],
  options: {
    on: enableOption,
    off: disableOption,
    nodes: nodesOption,
    description: descriptionOption,
    tag: tagOption,
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names } = call;
    const changes = {
      ...options.nodes,
      enabled: enabledBy(options),
      description: options.description,
      tags: options.tag.length === 0 ? undefined : options.tag,
    };
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const id = await balancerId(client, names[0], options.project);
    const { loadBalancer, commit } = await client.mutate(document, { idempotencyKey: randomUUID(), id, ...changes });
    if (loadBalancer === null) throw new CommandFailure('the server gave no load balancer');
    await settled(call, commit, id);
    await printBalancer(call, options.wait === undefined ? loadBalancer : await readBalancer(client, id));
  },
});
