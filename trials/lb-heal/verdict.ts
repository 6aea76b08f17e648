// The judge of a trial, which finds faults after all disturbances are over.
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import type { Site } from './site.ts';

export interface Fault {
  readonly figure: 'double' | 'stuck' | 'unhealed' | 'orphans' | 'wrongDns' | 'emptyDns';
  readonly what: string;
}

/** Empty if there is no fault. `balancerIds`: all load balancers of the site. */
export async function faultsNow(site: Site, balancerIds: readonly string[]): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  const all: NodeRow[] = [];
  for (const id of balancerIds) {
    const nodes = await site.nodes(id);
    faults.push(...(await faultsOf(site, id, nodes)));
    all.push(...nodes);
  }
  return [...faults, ...(await orphans(site, all))];
}

async function faultsOf(site: Site, balancerId: string, nodes: readonly NodeRow[]): Promise<readonly Fault[]> {
  const { provisioningStatus, provisioningReason, wantedNodes, hostName, floatingAddress } =
    await site.balancer(balancerId);
  const states = nodes.map(({ name, state, operatingStatus }) => `${name} ${state} ${operatingStatus}`).join(', ');
  const serving = nodes.filter(({ state, operatingStatus }) => state === 'SERVING' && operatingStatus === 'ONLINE');
  const faults: Fault[] = [];
  if (provisioningStatus !== 'ACTIVE')
    faults.push({ figure: 'stuck', what: `${provisioningStatus}: ${provisioningReason}; ${states}` });
  if (serving.length !== wantedNodes || nodes.length !== wantedNodes)
    faults.push({ figure: 'unhealed', what: `${wantedNodes} nodes are wanted: ${states}` });
  const answer = (await site.ask(hostName, 'A')) ?? ['nothing'];
  const wanted = floatingAddress === null ? serving.map(({ address }) => address).sort() : [floatingAddress];
  if (answer.join() !== wanted.join())
    faults.push({ figure: 'wrongDns', what: `${answer.join()} is answered, not ${wanted.join()}` });
  if (floatingAddress !== null) {
    const holders = (await site.holdersOf(floatingAddress, nodes)).map(({ name }) => name);
    if (holders.length !== 1)
      faults.push({ figure: 'unhealed', what: `${floatingAddress} is not at one node, but at: ${holders.join()}` });
  }
  return faults;
}

/** Running nodes, or addresses in use, without a row. */
async function orphans(site: Site, nodes: readonly NodeRow[]): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const host of site.hosts) {
    const own = nodes.filter(({ hostId }) => hostId === host.id).map(({ name }) => name);
    const left = (await host.present()).filter((name) => !own.includes(name));
    if (left.length > 0) faults.push({ figure: 'orphans', what: `${left.join()} of no row run on ${host.folder}` });
  }
  const sql = `SELECT address FROM lb_address WHERE freed_at IS NULL AND node_id NOT IN (SELECT id FROM lb_node WHERE state <> 'DELETED')
      AND node_id NOT IN (SELECT id FROM lb_load_balancer WHERE live_name IS NOT NULL)`;
  const addresses = await site.ground.db.query<{ address: string }>(sql);
  if (addresses.length > 0)
    faults.push({ figure: 'orphans', what: `addresses are left: ${addresses.map(({ address }) => address).join()}` });
  return faults;
}

/**
 * Nodes with two successors at the same time, over their whole history: the second one was created while the first one was not replaced,
 * leaving or deleted.
 */
export async function doubles(site: Site, balancerId: string): Promise<readonly Fault[]> {
  const rows = await site.ground.db.query<{ replaced: string; first: string; second: string }>(
    `SELECT a.replaces_id AS replaced, a.name AS first, b.name AS second FROM lb_node a
    JOIN lb_node b ON b.replaces_id = a.replaces_id AND b.id > a.id
    WHERE a.load_balancer_id = ? AND NOT EXISTS (
      SELECT 1 FROM status_change c WHERE c.subject_type = 'LoadBalancerNode' AND c.subject_id = a.id AND c.kind = 'loadBalancerNode.state'
        AND c.to_status IN ('REPLACED', 'DRAINING', 'DELETING', 'DELETED') AND c.at <= b.created_at)`,
    [balancerId],
  );
  return rows.map(({ replaced, first, second }) => ({
    figure: 'double',
    what: `${replaced} was replaced by ${first} and by ${second} at once`,
  }));
}
