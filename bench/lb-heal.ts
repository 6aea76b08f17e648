// How fast a load balancer heals: one of its two nodes is unplugged from its network. It measures the time until the status shows this, and
// from there until DNS answers with a new node. It compares this with a node of the same provider and a DNS update made by hand. During
// that time, a client tries a name's next address if one does not answer. It runs in the system of `npm start` with the lab's hosts, and
// needs root.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespaces, setCut } from '../lab/switched-network.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { Database } from '../platform/database/database.ts';
import { decodeUuid } from '../platform/values/ids.ts';
import { seededRandom } from '../trials/random.ts';
import { type BalancerNode, BalancerSystem, balancerPort, serving } from './lb/balancer-system.ts';
import { BareRepair } from './lb-heal/bare-repair.ts';
import { addressesOf, NextAddressClient, resolverAt } from './lb-heal/client.ts';

const counts = { faults: { help: 'nodes unplugged, one after the other', usual: 20 } };
const nodes = 2;
const name = 'web.default.lb.lab.test';
/** Each query has its own port, and the lab's line to the server remembers a bounded number of them for five seconds. */
const pollMs = 25;
const waitMs = 60_000;
/** Nodes on several hosts that fail within five seconds count as failing together, and then nothing is replaced. */
const apartMs = 6_000;

export const benchLbHeal = defineBench({ counts, run });

/** In milliseconds. The times of the steps start at the detection. */
interface Healed {
  readonly detectMs: number;
  readonly repairMs: number;
  readonly steps: Readonly<Record<string, number>>;
}

async function run({
  counts: { faults },
  seed,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'lb-heal-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const bare = await BareRepair.open(stack, folder);
  const balancers = await BalancerSystem.start(stack, signal);
  await balancers.create(nodes);
  const { DNS, DNS_PORT } = await balancers.places();
  const dns = `${DNS}:${DNS_PORT}`;
  const db = new Database({ connection: balancers.system.started.database, connectionLimit: 2 });
  stack.defer(() => db.close());
  const resolver = resolverAt(dns);
  const client = new NextAddressClient({ port: balancerPort, addresses: () => addressesOf(resolver, name) });
  await client.start();
  stack.defer(() => client.stop());
  const random = seededRandom(seed);
  const healed: Healed[] = [];
  const floorsMs: number[] = [];
  for (let n = 0; n < faults; n += 1) {
    signal.throwIfAborted();
    const whole = await balancers.until(
      'two nodes that serve, and no others',
      (now) => serving(now).length === nodes && now.nodes.length === nodes,
    );
    if (n % 2 === 0) floorsMs.push(await bare.once(signal));
    const node = serving(whole)[n % nodes];
    if (node === undefined) throw new Error('there is no node');
    healed.push(await heal(balancers, db, node, dns, signal));
    await giveUp(balancers, db, node);
    // Not together with the last one, and not always at the same moment between two checks.
    await sleep(apartMs + random.integer(0, 1_000), undefined, { signal });
    if (n % 2 === 1) floorsMs.push(await bare.once(signal));
    progress(`${n + 1}: ${JSON.stringify({ ...healed.at(-1), floorMs: floorsMs.at(-1) })}`);
  }
  await client.stop();
  const p50 = (values: readonly number[]) => percentile(values, 0.5);
  const [detectP50Ms, repairP50Ms] = [
    p50(healed.map((each) => each.detectMs)),
    p50(healed.map((each) => each.repairMs)),
  ];
  const steps = [...new Set(healed.flatMap((each) => Object.keys(each.steps)))];
  const figures = {
    ...{ detectP50Ms: rounded(detectP50Ms, 0), repairP50Ms: rounded(repairP50Ms, 0) },
    ...{ repairToFloor: rounded(repairP50Ms / p50(floorsMs), 2), failed: client.failures.length },
    ...{ floorP50Ms: rounded(p50(floorsMs), 0), requests: client.requests, answeredByTheNext: client.second },
    steps: Object.fromEntries(
      steps.map((step) => [step, rounded(p50(healed.flatMap((each) => each.steps[step] ?? [])), 0)]),
    ),
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures, faults: [...new Set(client.failures)] };
}

async function heal(
  balancers: BalancerSystem,
  db: Database,
  node: BalancerNode,
  dns: string,
  signal: AbortSignal,
): Promise<Healed> {
  const id = decodeUuid('LoadBalancerNode', node.id) ?? '';
  const known = new Set((await balancers.balancer()).nodes.map(({ address }) => address));
  const resolver = resolverAt(dns);
  const [last] = await db.query<{ id: number }>('SELECT COALESCE(MAX(id), 0) AS id FROM status_change');
  const space = (await namespaces()).find((each) => each.endsWith(`-${node.name}`));
  if (space === undefined) throw new Error(`there is no namespace of node ${node.name}`);
  const fromMs = Date.now();
  // Not through the lab, which would look up the node first.
  await setCut(space, true);
  const until = Date.now() + waitMs;
  while (!(await addressesOf(resolver, name)).some(({ address }) => !known.has(address))) {
    if (Date.now() > until) throw new Error('DNS has no new node in time');
    await sleep(pollMs, undefined, { signal });
  }
  const healedMs = Date.now();
  const events = await eventsAfter(db, last?.id ?? 0);
  const detected = events.find((event) => event.subject === id && event.to === 'ERROR');
  if (detected === undefined) throw new Error('the node was replaced, but never down');
  const steps = events
    .filter(({ subject, atMs, kind }) => subject !== id && atMs >= detected.atMs && kind === 'loadBalancerNode.step')
    .map(({ to, atMs }) => [to, atMs - detected.atMs] as const);
  return { detectMs: detected.atMs - fromMs, repairMs: healedMs - detected.atMs, steps: Object.fromEntries(steps) };
}

/** Ends the replaced node's time early. Otherwise the hosts would have one more dead node after each repair, unlike in the comparison. */
async function giveUp(balancers: BalancerSystem, db: Database, { id }: BalancerNode): Promise<void> {
  await db.execute('UPDATE lb_node SET delete_at = NOW(3) WHERE id = ?', [decodeUuid('LoadBalancerNode', id) ?? '']);
  // Wakes the reconciler.
  await balancers.change('loadBalancerNodeReplace', 'LoadBalancerNodeReplaceInput', { id });
}

interface Event {
  readonly subject: string;
  readonly kind: string;
  readonly to: string;
  readonly atMs: number;
}

async function eventsAfter(db: Database, id: number): Promise<readonly Event[]> {
  const rows = await db.query<Omit<Event, 'atMs'> & { at: Date }>(
    `SELECT subject_id AS subject, kind, to_status AS \`to\`, at FROM status_change
    WHERE id > ? AND subject_type = 'LoadBalancerNode' ORDER BY id`,
    [id],
  );
  return rows.map(({ at, ...row }) => ({ ...row, atMs: at.getTime() }));
}
