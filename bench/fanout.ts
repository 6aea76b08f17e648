// Fan-out of status changes: 1,000 graphql-ws clients over 50 projects and 20 operations, one in ten slow, at a gateway with the system
// subgraph on a real MariaDB and Redis. First, events arrive at a steady rate and are measured. Then one project gets a flood while its
// slow clients read nothing, so that they fall out of the shared ring and must catch up. Then, each without other clients: an event for one
// user's subscriptions with many different filters, compared with as many subscriptions with the same filter; a delivery when 250 clients
// share a stream; the memory of many sockets; a client that catches up. At the end, in a separate system: an administrator's stream while
// more relayed calls are offered than the machine can carry.
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { Child } from '../measure/child.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { Database } from '../platform/database/database.ts';
import { createLogger } from '../platform/log/log.ts';
import { keyFilePath } from '../platform/secrets/key-folder.ts';
import { createRedisWake } from '../platform/work/wake.ts';
import { atMost } from '../platform/work/within.ts';
import { BareClients } from './fanout/bare-clients.ts';
import { catchUp } from './fanout/catch-up.ts';
import type { ClientPlan } from './fanout/client.ts';
import type { ClientsOrder, ClientsVerdict, SlowMode } from './fanout/clients-process.ts';
import { sharedCpuMs, socketMemory, tokensOfProject } from './fanout/crowd.ts';
import { costPerEvent } from './fanout/filters.ts';
import type { GatewayOrder, GatewayStarted } from './fanout/gateway-process.ts';
import { operations } from './fanout/operations.ts';
import { streamUnderOverload } from './fanout/overload.ts';
import { startServers } from './fanout/servers.ts';
import { Writer } from './fanout/writer.ts';

const projectCount = 50;
const processCount = 2;
const askDeadlineMs = 60_000;
const drainMs = 40_000;
const settleMs = 2_000;
const idleMs = 3_000;
const warmUpSeconds = 5;
/** Both operations of this project select the long reason, so that few events fill a slow client's socket. */
const floodedProject = 8;
const floodBatch = 50;

const counts = {
  clients: { help: 'clients', usual: 1_000 },
  rate: { help: 'events per second', usual: 100 },
  seconds: { help: 'of the steady rate', usual: 20 },
  flood: { help: 'events of the flood', usual: 3_000 },
  filters: { help: 'subscriptions of one user, each with another filter', usual: 1_000 },
  sockets: { help: 'sockets whose memory is measured', usual: 10_000 },
  past: { help: 'events that a client catches up with', usual: 10_000 },
  overload: { help: 'of too many calls', unit: 's', usual: 30, full: 180 },
};

export const benchFanout = defineBench({
  counts,
  against: {
    counts: { clients: 1_000, rate: 100, seconds: 20, flood: 500, sockets: 50, past: 100, overload: 1 },
    rounds: 5,
    cpuPerUnit: ['cpuMsPerDelivery'],
    measuredBy: 'its own benchmark',
  },
  run,
});

async function run({
  seed,
  counts: { clients: clientCount, rate, seconds, flood: floodEvents, filters, sockets, past, overload },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const servers = await startServers(stack, signal);
  const gateway = startChild(stack, './fanout/gateway-process.ts');
  const order: GatewayOrder = { settings: servers.settings, projects: projectCount, tokens: tokensOfProject };
  const { url, projects } = await gateway.ask<GatewayStarted>(order, askDeadlineMs);
  const db = new Database({ connection: servers.connection, connectionLimit: 8 });
  stack.defer(() => db.close());
  const log = createLogger({ level: 'error', pretty: false });
  const wake = createRedisWake({ path: servers.redisPath }, { prefix: 'tidegate', log });
  stack.defer(() => wake.close());
  const writer = new Writer({ db, wake, projectIds: projects.map(({ id }) => id) });
  await writer.prepare();
  const parts = { gatewayPid: gateway.pid, socketUrl: `${url.replace('http', 'ws')}/graphql`, writer };
  const crowd = { ...parts, clients: new BareClients(stack, processCount), projects };
  // This comes first, while memory is not yet used by other work.
  const memory = await socketMemory({ ...crowd, count: sockets }, signal);
  progress(`${sockets} sockets: ${JSON.stringify(memory)}`);

  const halves = Array.from({ length: processCount }, () => startChild(stack, './fanout/clients-process.ts'));
  const askAll = <Reply>(question: (index: number) => ClientsOrder): Promise<Reply[]> =>
    Promise.all(halves.map((half, index) => half.ask<Reply>(question(index), askDeadlineMs)));
  const slowRead = (mode: SlowMode) => askAll(() => ({ do: 'slow', mode }));
  const plans = Array.from({ length: clientCount }, (_, index) => planOf(index, clientCount, url, projects));
  const started = performance.now();
  const keys = keyFilePath(servers.settings['keys.folder'] ?? '', 'subgraphs');
  await askAll((index) => ({
    do: 'start',
    plans: plans.filter((_, number) => number % processCount === index),
    keys,
  }));
  progress(`${clientCount} clients follow after ${Math.round(performance.now() - started)} ms`);

  await writer.steadily(rate, warmUpSeconds, signal);
  await sleep(settleMs, undefined, { signal });
  const idle = await measure(gateway.pid, url, () => sleep(idleMs, undefined, { signal }));
  const upstreams = await gauge(url, 'tidegate_gateway_upstreams');

  const before = await writer.account();
  await slowRead('in glimpses');
  const steady = await measure(gateway.pid, url, async () => {
    await writer.steadily(rate, seconds, signal);
    await slowRead('always');
    const { expected } = await writer.account();
    await askAll(() => ({ do: 'finish', who: 'all', expected, withinMs: drainMs }));
  });
  const timed = (await writer.account()).committedMs;
  for (const seq of before.committedMs.keys()) timed.delete(seq);
  progress(`${steady.deliveries} deliveries of ${timed.size} events; now the flood`);

  await slowRead('never');
  const flooded = projects[floodedProject]?.id ?? '';
  // Three bytes per character, so 3 KB: the longest possible reason.
  const reason = '€'.repeat(1024);
  let rings = 0;
  const flood = await measure(gateway.pid, url, async () => {
    for (let written = 0; written < floodEvents; written += floodBatch) await writer.write(flooded, floodBatch, reason);
    const { expected } = await writer.account();
    await askAll(() => ({ do: 'finish', who: 'fast', expected, withinMs: drainMs }));
    await slowRead('always');
    const done = askAll(() => ({ do: 'finish', who: 'all', expected, withinMs: drainMs }));
    rings = await highest(done, async () => (await gauge(url, 'tidegate_gateway_upstreams')) - upstreams);
  });
  progress(`${flood.deliveries} deliveries of the flood; slow clients had ${rings} rings of their own`);

  const { expected } = await writer.account();
  const verdicts = await askAll<ClientsVerdict>(() => ({ do: 'judge', expected, committedMs: timed }));
  for (const half of halves) await half.stop();
  const [project] = projects;
  if (project === undefined) throw new Error('there is no project');
  const one = new BareClients(stack);
  const filtered = { ...parts, clients: one, project, subscriptions: filters };
  const oneFilter = await costPerEvent({ ...filtered, filters: 1 }, signal);
  const manyFilters = await costPerEvent({ ...filtered, filters }, signal);
  progress(
    `an event for ${filters} subscriptions: ${oneFilter} ms of CPU with one filter, ${manyFilters} ms with ${filters}`,
  );
  const shared = await sharedCpuMs(stack, crowd, signal);
  progress(`250 clients share a stream: ${JSON.stringify(shared)}`);
  const caughtUp = await catchUp({ ...parts, clients: one, project, events: past });
  progress(`${past} events to catch up with: ${JSON.stringify(caughtUp)}`);
  await gateway.stop();
  const overloaded = await streamUnderOverload(overload, seed, signal);
  progress(`an administrator's stream beside too many calls: ${JSON.stringify(overloaded)}`);

  const sum = (value: (verdict: ClientsVerdict) => number) =>
    verdicts.reduce((all, verdict) => all + value(verdict), 0);
  const faults = verdicts.flatMap((verdict) => verdict.faults);
  if (faults.length > 0) progress(`faults of clients: ${faults.join('; ')}`);
  const latencies = verdicts.flatMap(({ latenciesMs }) => latenciesMs);
  const [missing, repeated, wrong] = [sum((v) => v.missing), sum((v) => v.repeated), sum((v) => v.wrong)];
  const figures = {
    ...shared,
    ...memory,
    ...caughtUp,
    ...overloaded,
    cpuMsPerDelivery: rounded(steady.cpuMs / steady.deliveries, 4),
    p99Ms: rounded(percentile(latencies, 0.99), 1),
    missed: missing + repeated + wrong + overloaded.overloadMissed,
    deliveries: sum((verdict) => verdict.deliveries),
    p50Ms: rounded(percentile(latencies, 0.5), 1),
    missing,
    repeated,
    wrong,
    clients: clientCount,
    slowClients: plans.filter(({ slow }) => slow).length,
    sharedStreams: upstreams,
    measuredDeliveries: steady.deliveries,
    eventsPerSecond: rate,
    idleCpuMsPerSecond: rounded((idle.cpuMs * 1000) / idle.elapsedMs, 1),
    floodDeliveries: flood.deliveries,
    floodCpuMsPerDelivery: rounded(flood.cpuMs / flood.deliveries, 4),
    ringsOfSlowClients: rings,
    reconnects: sum((verdict) => verdict.reconnects),
    distinctFilters: filters,
    cpuMsPerEvent: manyFilters,
    cpuMsPerEventOneFilter: oneFilter,
    filtersToOne: rounded(manyFilters / oneFilter, 2),
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures };
}

function startChild(stack: AsyncDisposableStack, module: string): Child {
  const child = new Child(new URL(module, import.meta.url));
  stack.defer(() => child.stop());
  return child;
}

/** Clients are spread evenly over projects and operations: with 1,000 of them, 100 pairs have ten each, one of them slow. */
function planOf(index: number, count: number, url: string, projects: GatewayStarted['projects']): ClientPlan {
  const project = projects[index % projects.length];
  const operation = operations[index % operations.length];
  if (project === undefined || operation === undefined) throw new Error('there are no projects or operations');
  const socketUrl = `${url.replace('http', 'ws')}/graphql`;
  return { url: socketUrl, token: project.token, projectId: project.id, operation, slow: index >= count * 0.9 };
}

/** CPU time and deliveries of the gateway's process during `work`. */
async function measure(pid: number, url: string, work: () => Promise<unknown>) {
  const [cpuMs, deliveries, startMs] = [cpuMsOf(pid), await deliveriesOf(url), performance.now()];
  await work();
  return {
    cpuMs: cpuMsOf(pid) - cpuMs,
    deliveries: (await deliveriesOf(url)) - deliveries,
    elapsedMs: performance.now() - startMs,
  };
}

function deliveriesOf(url: string): Promise<number> {
  return gauge(url, 'tidegate_gateway_deliveries_total');
}

/** A metric without labels, as published by the gateway. */
async function gauge(url: string, name: string): Promise<number> {
  const response = await request(`${url}/metrics`, { signal: AbortSignal.timeout(askDeadlineMs) });
  const line = (await response.body.text()).split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`the gateway does not publish ${name}`);
  return Number(line.slice(name.length + 1));
}

/** The highest value of `read` until `done` settles. */
async function highest(done: Promise<unknown>, read: () => Promise<number>): Promise<number> {
  let most = 0;
  let running = true;
  const end = done.finally(() => {
    running = false;
  });
  while (running) {
    most = Math.max(most, await read());
    await atMost(25, end);
  }
  await end;
  return most;
}
