// A relay in a separate process (with system, for a token), put together like `tidegate serve`, that opens sessions to a fleet's
// backends and reports its memory after garbage collection.
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { answerParent } from '../../measure/child.ts';
import type { Ask } from '../../measure/graph-client.ts';
import { proportionalKib } from '../../measure/process-tree.ts';
import { subgraphAsk } from '../../measure/relay/subgraph-ask.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { seededRandom } from '../../trials/random.ts';
import { callEach, type FleetBackend, type FleetCall, fleetCall, warmUp } from './fleet.ts';

export type SessionOrder =
  | { readonly do: 'start'; readonly settings: Readonly<Record<string, string>> }
  | { readonly do: 'ask'; readonly query: string; readonly variables: object }
  | { readonly do: 'warmUp'; readonly fleet: readonly FleetBackend[]; readonly forMs: number }
  | { readonly do: 'open'; readonly fleet: readonly FleetBackend[] }
  | { readonly do: 'read' }
  | { readonly do: 'stop' };

export interface Memory {
  readonly sessions: number;
  /** Proportional set size of the process. */
  readonly residentKib: number;
  /** V8's objects, and their memory outside V8's heap. */
  readonly usedKib: number;
}

const openedAtOnce = 32;
const log = createLogger({ level: 'error', pretty: false });
let running: RunningProcess | undefined;
let asker: Ask | undefined;
let call: FleetCall | undefined;

answerParent(async (order: SessionOrder): Promise<unknown> => {
  if (order.do === 'start') return start(order.settings);
  if (running === undefined || asker === undefined || call === undefined) throw new Error('the relay was not started');
  switch (order.do) {
    case 'ask':
      return asker(order.query, order.variables);
    case 'warmUp':
      return warmUp(call, { ...order, random: seededRandom(1) });
    case 'open':
      return callEach(call, order.fleet, openedAtOnce);
    case 'read':
      return readMemory(running);
    case 'stop':
      return running.stop();
  }
});

async function start(settings: Readonly<Record<string, string>>): Promise<void> {
  running = await startProcess(readConfig({ flags: settings }, subgraphRows), log);
  const { access } = running;
  if (access === undefined) throw new Error('the role system did not start');
  const projectId = await access.firstStart.ensureProject('bench');
  const { secret } = await access.firstStart.issueToken({ projectId, name: 'bench', role: 'OPERATOR' });
  asker = await subgraphAsk(running, secret, log);
  call = fleetCall(asker);
}

async function readMemory({ registry }: RunningProcess): Promise<Memory> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('start this process with --expose-gc');
  // Finalizers, and the next collection, free what one collection has released.
  for (let round = 0; round < 3; round += 1) {
    await gc({ type: 'major', execution: 'async', flavor: 'last-resort' });
    await sleep(50);
  }
  const metric = await registry.getSingleMetric('tidegate_relay_sessions')?.get();
  const { heapUsed, external } = process.memoryUsage();
  return {
    sessions: metric?.values[0]?.value ?? Number.NaN,
    residentKib: await proportionalKib(process.pid),
    usedKib: (heapUsed + external) / 1024,
  };
}
