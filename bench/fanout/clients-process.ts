// Half of the clients, in a separate process. A slow client reads for a moment every few seconds, or not at all while it is held.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from '../../measure/child.ts';
import { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import { openKeyring } from '../../platform/secrets/keyring.ts';
import { Client, type ClientPlan } from './client.ts';

export type ClientsOrder =
  /** `keys`: the subgraphs' key file, which is needed to read the order from cursors. Clients can't do that. */
  | { readonly do: 'start'; readonly plans: readonly ClientPlan[]; readonly keys: string }
  /** How slow clients read from now on. */
  | { readonly do: 'slow'; readonly mode: SlowMode }
  /** Waits until every client, or every fast one, has all its events, or `withinMs` has passed. */
  | {
      readonly do: 'finish';
      readonly who: 'all' | 'fast';
      readonly expected: ReadonlyMap<string, readonly number[]>;
      readonly withinMs: number;
    }
  | {
      readonly do: 'judge';
      readonly expected: ReadonlyMap<string, readonly number[]>;
      /** The commit times by sequence number, for events whose delivery is measured. */
      readonly committedMs: ReadonlyMap<number, number>;
    };

export type SlowMode = 'in glimpses' | 'never' | 'always';

export interface ClientsVerdict {
  readonly deliveries: number;
  readonly missing: number;
  readonly repeated: number;
  readonly wrong: number;
  readonly reconnects: number;
  readonly faults: readonly string[];
  /** The figures of the fast clients. */
  readonly latenciesMs: readonly number[];
}

const opensAtOnce = 20;
const blindMs = 3_000;
const glimpseMs = 100;
const clients: Client[] = [];
let mode: SlowMode = 'always';
let glimpses: NodeJS.Timeout | undefined;

async function start({ plans, keys }: Extract<ClientsOrder, { do: 'start' }>): Promise<void> {
  const cursors = new CursorSealer(await openKeyring(keys));
  const queue = [...plans];
  const open = async (): Promise<void> => {
    for (let plan = queue.pop(); plan !== undefined; plan = queue.pop()) {
      const client = new Client(plan, cursors);
      clients.push(client);
      await client.start();
    }
  };
  await Promise.all(Array.from({ length: opensAtOnce }, open));
}

function slow(): readonly Client[] {
  return clients.filter(({ plan }) => plan.slow);
}

function setMode(next: SlowMode): void {
  mode = next;
  clearTimeout(glimpses);
  for (const client of slow()) mode === 'always' ? client.resume() : client.pause();
  if (mode === 'in glimpses') glimpses = setTimeout(glimpse, blindMs);
}

function glimpse(): void {
  for (const client of slow()) client.resume();
  glimpses = setTimeout(() => setMode(mode), glimpseMs);
}

async function finish({ who, expected, withinMs }: Extract<ClientsOrder, { do: 'finish' }>): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  let waiting = clients.filter(({ plan }) => who === 'all' || !plan.slow);
  while (performance.now() < deadlineMs) {
    waiting = waiting.filter(({ log, plan }) => log.length < log.due(expected.get(plan.projectId) ?? []));
    if (waiting.length === 0) return true;
    await sleep(20);
  }
  return false;
}

function judge({ expected, committedMs }: Extract<ClientsOrder, { do: 'judge' }>): ClientsVerdict {
  const results = clients.map(({ log, plan }) => log.resultFor(expected.get(plan.projectId) ?? []));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    deliveries: sum(clients.map(({ log }) => log.length)),
    missing: sum(results.map(({ missing }) => missing)),
    repeated: sum(results.map(({ repeated }) => repeated)),
    wrong: sum(results.map(({ wrong }) => wrong)),
    reconnects: sum(clients.map(({ reconnects }) => reconnects)),
    faults: [...new Set(clients.flatMap(({ fault }) => fault ?? []))],
    latenciesMs: clients.filter(({ plan }) => !plan.slow).flatMap(({ log }) => log.latenciesMs(committedMs)),
  };
}

answerParent(async (order: ClientsOrder): Promise<unknown> => {
  if (order.do === 'start') return start(order);
  if (order.do === 'slow') return setMode(order.mode);
  if (order.do === 'finish') return finish(order);
  return judge(order);
});
