// Many clients of a few streams, each on its own socket: the cost of a delivery when 250 clients share a stream, and the memory of a socket.
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../../measure/child.ts';
import { cpuMsOf } from '../../measure/cpu.ts';
import { percentile, rounded } from '../../measure/statistics.ts';
import { residentKib } from '../support/resident.ts';
import { BareClients, type BareSocket } from './bare-clients.ts';
import type { Project } from './gateway-process.ts';
import type { FloorOrder } from './socket-floor-process.ts';
import type { Writer } from './writer.ts';

/** Less than the 100 sockets that a token may have. */
const socketsOfToken = 90;
export const tokensOfProject = 3;
const sharedProjects = 4;
const ofStream = 250;
const perSecond = 80;
const warmUpSeconds = 3;
const timedSeconds = 10;
const rounds = 3;
const settleMs = 5_000;
const askDeadlineMs = 60_000;
const query = 'subscription { statusChanges { cursor change { id changedAt kind subjectVersion from to reason } } }';

interface Crowd {
  readonly clients: BareClients;
  readonly gatewayPid: number;
  readonly socketUrl: string;
  readonly projects: readonly Project[];
}

/** A server for the crowd, with a function that makes it send events at the rate for some seconds. */
interface Served {
  readonly pid: number;
  readonly clients: BareClients;
  readonly send: (seconds: number) => Promise<void>;
}

/**
 * CPU time per delivery above the idle time, in milliseconds: of the gateway's process with all its work for an event, and of a server that
 * only writes frames.
 */
export async function sharedCpuMs(
  stack: AsyncDisposableStack,
  crowd: Crowd & { readonly writer: Writer },
  signal: AbortSignal,
) {
  const { clients, gatewayPid, socketUrl, writer } = crowd;
  const projects = crowd.projects.slice(0, sharedProjects);
  const sockets = projects.flatMap((project) => socketsOf(project, ofStream));
  const floor = new Child(new URL('./socket-floor-process.ts', import.meta.url));
  stack.defer(() => floor.stop());
  const floorUrl = await floor.ask<string>({ do: 'start' } satisfies FloorOrder, askDeadlineMs);
  const floorClients = new BareClients(stack, 2);
  await clients.start({ url: socketUrl, query, sockets });
  await floorClients.start({ url: floorUrl, query, sockets });
  const ids = projects.map(({ id }) => id);
  const ours: Served = {
    pid: gatewayPid,
    clients,
    send: (seconds) => writer.steadily(perSecond, seconds, signal, ids),
  };
  const bare: Served = {
    pid: floor.pid,
    clients: floorClients,
    send: (seconds) => {
      const order: FloorOrder = { do: 'send', events: perSecond * seconds, perSecond, streams: sharedProjects };
      return floor.ask<void>(order, askDeadlineMs);
    },
  };
  const events = new Map([ours, bare].map((each) => [each, 0]));
  const send = async (served: Served, seconds: number): Promise<void> => {
    const due = (events.get(served) ?? 0) + (perSecond * seconds) / sharedProjects;
    events.set(served, due);
    await served.send(seconds);
    await served.clients.all(due);
  };
  const deliveries = (perSecond * timedSeconds * sockets.length) / sharedProjects;
  const cpuMs = async (served: Served): Promise<number> => {
    const idle = await cpuDuring(served.pid, () => sleep(settleMs, undefined, { signal }));
    const timed = await cpuDuring(served.pid, () => send(served, timedSeconds));
    return (timed.cpuMs - (idle.cpuMs * timed.elapsedMs) / idle.elapsedMs) / deliveries;
  };
  for (const served of [ours, bare]) await send(served, warmUpSeconds);
  const figures: { ours: number; bare: number }[] = [];
  for (let round = 0; round < rounds; round += 1) figures.push({ ours: await cpuMs(ours), bare: await cpuMs(bare) });
  await clients.stop();
  await floorClients.stop();
  const median = (of: 'ours' | 'bare') =>
    percentile(
      figures.map((each) => each[of]),
      0.5,
    );
  return {
    sharedCpuMsPerDelivery: rounded(median('ours'), 4),
    socketCpuMsPerDelivery: rounded(median('bare'), 4),
    sharedToSocket: rounded(median('ours') / median('bare'), 2),
    sharedDeliveries: rounds * deliveries,
  };
}

/** Resident memory that each of `count` sockets with one subscription adds to the gateway's process. */
export async function socketMemory(crowd: Crowd & { readonly count: number }, signal: AbortSignal) {
  const { clients, gatewayPid, socketUrl, projects, count } = crowd;
  const share = (index: number) => Math.floor(count / projects.length) + (index < count % projects.length ? 1 : 0);
  const sockets = projects.flatMap((project, index) => socketsOf(project, share(index)));
  const before = residentKib(gatewayPid);
  await clients.start({ url: socketUrl, query, sockets });
  await sleep(settleMs, undefined, { signal });
  const kib = residentKib(gatewayPid) - before;
  await clients.stop();
  return { kibPerSocket: rounded(kib / sockets.length, 1), sockets: sockets.length };
}

function socketsOf({ tokens }: Project, count: number): BareSocket[] {
  if (count > tokens.length * socketsOfToken) throw new Error(`a project has no more than ${tokens.length} tokens`);
  return Array.from({ length: count }, (_, index) => ({
    token: tokens[index % tokens.length] ?? '',
    subscriptions: [{}],
  }));
}

async function cpuDuring(pid: number, work: () => Promise<unknown>) {
  const [cpuMs, startMs] = [cpuMsOf(pid), performance.now()];
  await work();
  return { cpuMs: cpuMsOf(pid) - cpuMs, elapsedMs: performance.now() - startMs };
}
