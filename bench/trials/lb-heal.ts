// `npm run trials -- lb-heal`: nodes, hosts, workers and the name server of a load balancer fail in every combination and at every step;
// real HAProxies on loopback addresses, a real PowerDNS. Afterwards there must be what is wanted, and nothing else.
import { setTimeout as sleep } from 'node:timers/promises';
import { LbWorld } from '../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import { freePort } from '../../tests/support/free-port.ts';
import { TestServers } from '../../tests/support/servers.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { disturbances, faults } from './lb-heal/faults.ts';
import { Watch } from './lb-heal/watch.ts';
import { seededRandom } from './random.ts';

const counts = { trials: { help: 'faults, one after the other', usual: 60, full: 300 } };

export const trialLbHeal = defineBench({ counts, options: {}, run });

/** Longer than a lease, a claim and the end of a breaker. */
const settleMs = 60_000;
const noticeMs = 2_000;
const wantedNodes = 4;

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, timeIsUp, progress, signal } = context;
  const random = seededRandom(seed);
  const figures = { trials: 0, double: 0, orphans: 0, wrongDns: 0, emptyDns: 0, stuck: 0, unhealed: 0 };
  const findings: string[] = [];
  await using cleanup = new AsyncDisposableStack();
  const servers = cleanup.adopt(await TestServers.start(), (each) => each.stop());
  servers.publish(undefined);
  const settings = { nodeDrainMs: 500, nodeBuildMs: 10_000, hostGoneMs: 20_000, mostTakeBacks: 1_000 };
  const world = cleanup.adopt(await LbWorld.open({ dns: true, net: 78, settings }), (each) => each.close());
  for (const name of ['host-1', 'host-2', 'host-3']) await world.addHost(name);
  const balancerId = await world.create('web', wantedNodes, await freePort());
  await world.untilActive(balancerId);
  const watch = new Watch(world, balancerId);
  watch.start();
  cleanup.defer(() => watch.stop());
  while (figures.trials < context.counts.trials && !timeIsUp() && !signal.aborted) {
    const [fault, disturbance] = [random.pick(Object.keys(faults)), random.pick(Object.keys(disturbances))];
    const name = `${figures.trials}: ${fault}, ${disturbance}`;
    progress(name);
    const place = { world, balancerId, random };
    await Promise.all([
      faults[fault]?.(place),
      sleep(random.integer(0, 2_000)).then(() => disturbances[disturbance]?.(place)),
    ]);
    figures.trials += 1;
    // By then the checks have seen it.
    await sleep(noticeMs);
    const untilMs = performance.now() + settleMs;
    let left = await leftOf(world, balancerId);
    while (left.length > 0 && performance.now() < untilMs && !signal.aborted) {
      await sleep(100);
      left = await leftOf(world, balancerId);
    }
    for (const { figure, what } of left) {
      figures[figure] += 1;
      findings.push(`${name}: ${what}`);
      progress(what);
    }
  }
  await watch.stop();
  const { emptyDns, wrongDns } = watch;
  return {
    figures: { ...figures, emptyDns, wrongDns: figures.wrongDns + wrongDns, double: watch.doubles.size, findings },
    ran: { trials: figures.trials },
  };
}

interface Left {
  readonly figure: 'stuck' | 'unhealed' | 'orphans' | 'wrongDns';
  readonly what: string;
}

/** What is not as it must be in the end. */
async function leftOf(world: LbWorld, balancerId: string): Promise<readonly Left[]> {
  const left: Left[] = [];
  const { provisioningStatus, provisioningReason } = await world.balancer(balancerId);
  const nodes = await world.nodes(balancerId);
  const states = nodes.map(({ name, state, operatingStatus }) => `${name} ${state} ${operatingStatus}`).join(', ');
  const serving = nodes.filter(({ state, operatingStatus }) => state === 'SERVING' && operatingStatus === 'ONLINE');
  if (provisioningStatus !== 'ACTIVE') left.push({ figure: 'stuck', what: `${provisioningReason}; ${states}` });
  // A replaced node that is still awaited is none of the wanted.
  const awaited = nodes.filter(({ state }) => state === 'REPLACED');
  if (serving.length !== wantedNodes || nodes.length - awaited.length !== wantedNodes)
    left.push({ figure: 'unhealed', what: `nodes: ${states}` });
  const answer = await world.answer(balancerId).catch(() => []);
  const wanted = serving.map(({ address }) => address).sort();
  if (answer.join() !== wanted.join())
    left.push({ figure: 'wrongDns', what: `${answer.join()} is answered, not ${wanted}` });
  const running = [...world.hosts.values()].reduce((sum, { host }) => sum + (host?.nodeCount ?? 0), 0);
  const sql = "SELECT address FROM lb_address WHERE node_id NOT IN (SELECT id FROM lb_node WHERE state <> 'DELETED')";
  const addresses = await world.ground.db.query<{ address: string }>(sql);
  if (running !== nodes.length || addresses.length > 0)
    left.push({
      figure: 'orphans',
      what: `${running} nodes run, ${nodes.length} are known, ${addresses.length} addresses are left`,
    });
  return left;
}
