// Traffic figures for `traffic` of load balancers, listeners, members and nodes.
import type { TrafficFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId } from '../../balancer.ts';
import { CommandFailure } from '../../failures.ts';
import { choice, integer, type Values } from '../../option.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../../remote-verb.ts';

graphql(`
  fragment TrafficFields on LoadBalancerTraffic { startedAt requests errors serverErrors sessions bytesIn bytesOut latencyMs }
`);
const document = graphql(`
  query LoadBalancersTraffic($id: ID!, $period: LoadBalancerTrafficPeriod!, $periods: Int!) {
    loadBalancer(id: $id) { traffic(period: $period, periods: $periods) { ...TrafficFields } }
  }
`);

export const trafficOptions = {
  period: choice('PERIOD', ['SECOND', 'MINUTE', 'HOUR'], 'SECOND, MINUTE or HOUR (SECOND).'),
  periods: integer('N', 'Periods up to now, newest first; of seconds at most 300 (10).', { least: 1, most: 1_440 }),
} as const;

export function trafficArguments({ period = 'SECOND', periods = 10 }: Values<typeof trafficOptions>) {
  return { period, periods };
}

/** `traffic`: undefined if the object no longer exists. */
export async function printTraffic(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  traffic: readonly TrafficFieldsFragment[] | undefined,
): Promise<void> {
  if (traffic === undefined) throw new CommandFailure('it was deleted');
  if (options.json) return printer.json(traffic);
  if (traffic.length === 0) return printer.line('no node reported in this time');
  const rows = traffic.map((each) => [
    each.startedAt,
    ...[each.requests, each.errors].map(String),
    each.serverErrors === null ? '-' : String(each.serverErrors),
    String(each.sessions),
    ...[each.bytesIn, each.bytesOut].map(String),
    each.latencyMs === null ? '-' : `${each.latencyMs} ms`,
  ]);
  return printer.table(['FROM', 'REQUESTS', 'ERRORS', '5XX', 'SESSIONS', 'BYTES IN', 'BYTES OUT', 'LATENCY'], rows);
}

export const traffic = remoteVerb({
  summary: 'Show requests, errors, sessions, bytes and latency of a load balancer.',
  takes: ['NAME'],
  options: { ...trafficOptions, project: commonOptions.project },
  async run(call) {
    const { client, names, options } = call;
    const id = await balancerId(client, names[0], options.project);
    const { loadBalancer } = await client.query(document, { id, ...trafficArguments(options) });
    await printTraffic(call, loadBalancer?.traffic);
  },
});
