// The cost of an event for many subscriptions of one user, each with its own filter or all with the same one. All of them receive every event.
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../../measure/cpu.ts';
import { rounded } from '../../measure/statistics.ts';
import { allEventKinds } from '../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import type { BareClients, BareSocket } from './bare-clients.ts';
import type { Project } from './gateway-process.ts';
import { eventKind } from './operations.ts';
import type { Writer } from './writer.ts';

const perSocket = 50;
const warmUpEvents = 10;
const timedEvents = 20;
const settleMs = 2_000;
const query = `subscription Changes($kinds: [String!]) {
  statusChanges(kinds: $kinds) { cursor change { id changedAt kind subjectVersion from to reason project { id name } subject { id ... on Project { name description } } } }
}`;

interface FilteredCase {
  readonly clients: BareClients;
  readonly gatewayPid: number;
  readonly socketUrl: string;
  readonly writer: Writer;
  readonly project: Project;
  readonly subscriptions: number;
  /** The number of different filters. */
  readonly filters: number;
}

/** CPU time of the gateway's process for one event that every subscription receives, in milliseconds. */
export async function costPerEvent(wanted: FilteredCase, signal: AbortSignal): Promise<number> {
  const { clients, gatewayPid, socketUrl, writer, project, subscriptions, filters } = wanted;
  const variables = Array.from({ length: subscriptions }, (_, index) => ({ kinds: kindsOf(index % filters) }));
  const sockets: BareSocket[] = [];
  for (let from = 0; from < subscriptions; from += perSocket)
    sockets.push({ token: project.token, subscriptions: variables.slice(from, from + perSocket) });
  await clients.start({ url: socketUrl, query, sockets });
  const events = async (from: number, to: number): Promise<void> => {
    for (let number = from; number <= to; number += 1) {
      await writer.write(project.id, 1, 'an event for all filters');
      await clients.all(number);
    }
  };
  await events(1, warmUpEvents);
  await sleep(settleMs, undefined, { signal });
  const before = cpuMsOf(gatewayPid);
  await events(warmUpEvents + 1, warmUpEvents + timedEvents);
  const cpuMs = cpuMsOf(gatewayPid) - before;
  await clients.stop();
  return rounded(cpuMs / timedEvents, 2);
}

/** The kind of the benchmark's events, and some kinds that it does not write, so that all these filters match the same events. */
function kindsOf(filter: number): readonly string[] {
  const others = Object.keys(allEventKinds(subgraphRows)).filter((kind) => kind !== eventKind);
  if (2 ** others.length < filter) throw new Error('there are too few kinds of events for so many filters');
  return [eventKind, ...others.filter((_kind, bit) => Math.floor(filter / 2 ** bit) % 2 === 1)];
}
