// The load of one trial: clients that make changes, and readers of the event stream from its start.
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphClient } from '../../measure/graph-client.ts';
import type { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import { encodeId } from '../../platform/values/ids.ts';
import { GatewayClient } from '../calls/gateway-client.ts';
import { type Attempt, CallStream } from '../calls/stream.ts';
import { GatewayReader } from '../events/gateway-reader.ts';
import type { LoggedItem, TableRow } from '../events/verdict.ts';
import { seededRandom } from '../random.ts';
import { Reads } from './reads.ts';

interface LoadOptions {
  readonly url: string;
  readonly token: string;
  /** UUID. */
  readonly projectId: string;
  readonly cursors: CursorSealer;
  /** Prefix of the keys: no two trials have the same. */
  readonly prefix: string;
  /** The number of the first call. */
  readonly first: number;
  readonly seed: number;
}

interface Reader {
  readonly reader: GatewayReader;
  readonly wants: (row: TableRow) => boolean;
}

const clients = 4;
const pauseMs = 120;
/** Longer than any answer takes: a call's `waitMs`, the wait for a connection to the database, and a disturbance. */
const answerMs = 30_000;
const againMs = 30_000;
const againAtOnce = 6;
const readersDeadlineMs = 30_000;
const longestReadMs = 2_000;

export class Load {
  readonly attempts: Attempt[] = [];
  readonly again: Attempt[] = [];
  readonly stream: CallStream;
  readonly reads: Reads;
  readonly #client: GatewayClient;
  readonly #readers: readonly Reader[];

  private constructor(options: LoadOptions, after: string) {
    this.#client = new GatewayClient({ ...options, deadlineMs: answerMs });
    this.stream = new CallStream({
      ...{ client: this.#client, clients, pauseMs, prefix: options.prefix, first: options.first },
      random: seededRandom(options.seed),
      onAttempt: (attempt) => this.attempts.push(attempt),
    });
    this.reads = new Reads(this.#client);
    this.#readers = plans(options.projectId).map(({ filter, fields, wants, dropped }, index) => ({
      wants,
      reader: new GatewayReader({
        ...{ url: options.url, token: options.token, cursors: options.cursors, filter, fields, after },
        random: seededRandom(options.seed + 1 + index),
        longestMs: dropped ? longestReadMs : undefined,
      }),
    }));
  }

  /** Throws if the system does not answer. */
  static async start(options: LoadOptions): Promise<Load> {
    const graph = new GraphClient(options.url, 1);
    try {
      const { statusCursor } = await graph.ask<{ statusCursor: string }>('{ statusCursor }', {}, options.token);
      const load = new Load(options, statusCursor);
      await Promise.all(load.#readers.map(({ reader }) => reader.start()));
      for (const { reader } of load.#readers) reader.startDropping();
      load.stream.start();
      load.reads.start();
      return load;
    } finally {
      await graph.close();
    }
  }

  /** Sends every key again, until it has a result. */
  async sendAgain(): Promise<void> {
    const requests = [...new Map(this.attempts.map(({ request }) => [request.key, request])).values()];
    const untilMs = performance.now() + againMs;
    const send = async () => {
      for (let request = requests.pop(); request !== undefined; request = requests.pop())
        for (;;) {
          const startedAtMs = Date.now();
          const reply = await this.#client.send(request, new AbortController().signal);
          const late = performance.now() > untilMs;
          if (reply.kind !== 'again' || late) this.again.push({ request, reply, startedAtMs, endedAtMs: Date.now() });
          if (reply.kind !== 'again' || late) break;
          await sleep(reply.afterMs);
        }
    };
    await Promise.all(Array.from({ length: againAtOnce }, send));
  }

  /** The sequence number of the cursor with which the readers started. */
  get beginning(): number {
    return this.#readers[0]?.reader.beginning ?? 0;
  }

  /** Items received by each reader so far. */
  get received(): readonly LoggedItem[][] {
    return this.#readers.map(({ reader }) => reader.items);
  }

  /** Ends the readers once they have these rows, or the time is up. */
  async streams(table: readonly TableRow[]) {
    const owed = this.#readers.map(({ wants }) => table.filter(wants));
    const untilMs = performance.now() + readersDeadlineMs;
    const waits = () => this.#readers.some(({ reader }, index) => reader.received < (owed[index]?.length ?? 0));
    await Promise.all(this.#readers.map(({ reader }) => reader.stopDropping()));
    while (waits() && performance.now() < untilMs) await sleep(20);
    // If there are repeated events, they arrive now.
    await sleep(200);
    await this.stop();
    return this.#readers.map(({ reader }, index) => ({
      items: reader.items,
      faults: reader.faults,
      wanted: owed[index] ?? [],
    }));
  }

  async stop(): Promise<void> {
    await this.stream.finish(0);
    await this.reads.stop();
    await Promise.all(this.#readers.map(({ reader }) => reader.stop()));
  }
}

function plans(projectId: string) {
  const all = () => true;
  return [
    { filter: {}, fields: '', wants: all, dropped: false },
    { filter: { projectId: encodeId('Project', projectId) }, fields: 'from to reason', wants: all, dropped: true },
    {
      filter: { kinds: ['relayOperation.state'] },
      fields: '',
      wants: (row: TableRow) => row.kind === 'relayOperation.state',
      dropped: true,
    },
  ];
}
