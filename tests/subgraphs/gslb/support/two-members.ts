// The objects that a name needs: a flavor of a backend, a vantage point, and a pool of two members that one monitor
// checks.
import { type GslbGraph, identity } from './gslb-graph.ts';

interface TwoMembers {
  readonly flavorId: string;
  readonly monitorId: string;
  readonly poolId: string;
  /** 203.0.113.1 and 203.0.113.2. */
  readonly members: readonly [one: string, two: string];
}

export async function twoMembers(graph: GslbGraph, backendId: string): Promise<TwoMembers> {
  const who = identity('MEMBER');
  const flavorId = await graph.make('gslbFlavorCreate', { name: 'plain', backendId });
  await graph.make('gslbVantagePointCreate', { name: 'eu', region: 'eu', latitude: 50, longitude: 8 });
  const monitorId = await graph.make('gslbMonitorCreate', { name: 'tcp', checkType: 'TCP' }, who);
  const poolId = await graph.make('gslbPoolCreate', { name: 'web' }, who);
  const member = (name: string, address: string) =>
    graph.make('gslbPoolMemberCreate', { poolId, name, addresses: [address], servicePort: 80 }, who);
  const members = [await member('one', '203.0.113.1'), await member('two', '203.0.113.2')] as const;
  await graph.make('gslbPoolMonitorAttach', { monitorId, target: { poolId } }, who);
  return { flavorId, monitorId, poolId, members };
}
