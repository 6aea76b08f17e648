// `tidegate loadbalancers delete NAME`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, settled } from '../../balancer.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { previewed, previewOption } from './preview.ts';

const document = graphql(`
  mutation LoadBalancersDelete($input: LoadBalancerDeleteInput!) {
    loadBalancerDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

export const remove = remoteVerb({
  summary: 'Delete a load balancer with all of its parts and nodes.',
  takes: ['NAME'],
  options: { preview: previewOption, project: commonOptions.project, wait: commonOptions.wait },
  async run(call) {
    const { client, options, names, printer } = call;
    const id = await balancerId(client, names[0], options.project);
    if (await previewed(call, id, { loadBalancerDelete: { id } })) return;
    const { commit } = await client.mutate(document, { idempotencyKey: randomUUID(), id });
    await settled(call, commit, id);
    if (options.json) await printer.json({ id, deleted: options.wait !== undefined });
    else await printer.line(`${names[0]} is ${options.wait === undefined ? 'being ' : ''}deleted`);
  },
});
