// Clients connect, disconnect and read slowly, while the process of the stream is killed repeatedly. No client's own log of cursors has a gap
// or a duplicate. The seed is printed, and SEED repeats a run.
// needs: processes
import { expect, test } from '@jest/globals';
import { until } from '../support/machine/temporary-folder.ts';
import { positionIn } from './support/event-log.ts';
import { modes, TestGateway } from './support/gateway.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** The mulberry32 generator. */
function random(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A client that drops its connection at random and resumes with its last cursor. */
class RestlessClient {
  readonly seen: number[] = [];
  #cursor: string | undefined;
  #gateway: TestGateway;
  #query: string;
  #drop: () => void = () => {};

  constructor(gateway: TestGateway, prefix: string) {
    this.#gateway = gateway;
    this.#query = `subscription S($after: String) { thingChanges(after: $after, prefix: "${prefix}") { cursor thing { id } } }`;
    this.connect();
  }

  get anchored(): boolean {
    return this.#cursor !== undefined;
  }

  connect(): void {
    const client = this.#gateway.client();
    let over = false;
    client.subscribe(
      { query: this.#query, variables: { after: this.#cursor } },
      {
        next: ({ data }) => {
          if (over) return;
          const item = (data as { thingChanges: { cursor: string; thing: unknown } }).thingChanges;
          this.#cursor = item.cursor;
          if (item.thing !== null) this.seen.push(positionIn(item.cursor)?.seq ?? -1);
        },
        error: () => {},
        complete: () => {},
      },
    );
    this.#drop = () => {
      over = true;
      client.terminate();
    };
  }

  reconnect(): void {
    this.#drop();
    this.connect();
  }
}

test.each(modes)('no gap and no duplicate under restarts and reconnects, subgraphs %s', async (mode) => {
  process.stdout.write(`seed ${seed}\n`);
  const next = random(seed);
  const gateway = await new TestGateway(mode).start({ socketLimits: { ringCapacity: 16 } });
  try {
    const clients = Array.from(
      { length: 24 },
      (_item, index) => new RestlessClient(gateway, index % 3 === 0 ? 'even' : ''),
    );
    await until(() => clients.every((client) => client.anchored));
    for (let n = 1; n <= 1500; n += 1) {
      gateway.world.log.append(n % 2 === 0 ? `even${n}` : `odd${n}`);
      if (next() < 0.1) await new Promise((resolve) => setTimeout(resolve, next() * 4));
      if (next() < 0.05) clients[Math.floor(next() * clients.length)]?.reconnect();
      if (next() < 0.01) {
        await gateway.killAlpha();
        gateway.world.log.append('even while down');
        await gateway.restartAlpha();
      }
    }
    const all = gateway.world.log.events;
    const even = all.filter((event) => event.thingId.startsWith('even'));
    await until(() => clients.every((client, index) => client.seen.length >= (index % 3 === 0 ? even : all).length));
    for (const [index, client] of clients.entries())
      expect(client.seen).toEqual((index % 3 === 0 ? even : all).map((event) => event.seq));
    // When idle, clients with the same subscription share one execution again.
    gateway.world.log.checkpoint();
    await until(() => {
      gateway.world.log.checkpoint();
      return gateway.world.log.open === 2;
    });
  } finally {
    await gateway.stop();
  }
});
