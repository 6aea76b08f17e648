// `tidegate nodes`: the nodes of a load balancer.
import { graphql } from '../../../generated/cli/index.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun } from '../../cli/verb.ts';
import { balancerId, balancerOption } from '../loadbalancers/balancer.ts';

const document = graphql(`
  query NodesList($id: ID!) {
    loadBalancer(id: $id) {
      nodes { id name state reason address appliedGeneration deleteAt host { name } steps { name doneAt } replaces { name } }
    }
  }
`);

const list = remoteVerb({
  summary: 'List the nodes of a load balancer.',
  takes: [],
  options: { loadbalancer: balancerOption, project: commonOptions.project },
  async run({ client, options, printer }) {
    const id = await balancerId(client, options.loadbalancer, options.project);
    const nodes = (await client.query(document, { id })).loadBalancer?.nodes ?? [];
    if (options.json) return printer.json(nodes);
    const rows = nodes.map((each) => [
      each.name,
      each.state,
      each.steps.at(-1)?.name ?? '-',
      each.address ?? '-',
      each.host?.name ?? '-',
      each.reason ?? '',
    ]);
    return printer.table(['NODE', 'STATE', 'LAST STEP', 'ADDRESS', 'HOST', 'REASON'], rows);
  },
});

export const nodes: Noun = { list };
