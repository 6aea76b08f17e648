// `tidegate loadbalancers show NAME`.
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, printBalancer, readBalancer } from '../../balancer.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';

const statsDocument = graphql(`
  query LoadBalancersStats($id: ID!) {
    loadBalancer(id: $id) { stats { activeConnections totalRequests requestErrors bytesIn bytesOut countedUntil } }
  }
`);

export const show = remoteVerb({
  summary: 'Show a load balancer with its listeners, pools, nodes and traffic in total.',
  takes: ['NAME'],
  options: { project: commonOptions.project },
  async run(call) {
    const { client, names, options, printer } = call;
    const id = await balancerId(client, names[0], options.project);
    const balancer = await readBalancer(client, id, names[0]);
    const stats = (await client.query(statsDocument, { id })).loadBalancer?.stats;
    if (options.json) return printer.json({ ...balancer, stats });
    await printBalancer(call, balancer);
    if (stats === undefined) return;
    const { activeConnections, totalRequests, requestErrors, bytesIn, bytesOut, countedUntil } = stats;
    await printer.line('');
    await printer.table(
      ['SESSIONS', 'REQUESTS', 'ERRORS', 'BYTES IN', 'BYTES OUT'],
      [[activeConnections, totalRequests, requestErrors, bytesIn, bytesOut].map(String)],
    );
    await printer.line(countedWords(countedUntil));
  },
});

/** Sums are of whole minutes: they are behind what was just sent. */
function countedWords(until: string | null): string {
  if (until === null) return 'No minute was counted yet.';
  return `Sums as of ${until.slice(11, 19)} UTC: later requests are not counted yet.`;
}
