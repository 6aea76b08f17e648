// The connection of one machine, as every subgraph with agents serves it. It sends documents when a topic wakes it and at regular
// intervals, accepts reports only in the connection's epoch, and records the connection's end.
import { z } from 'zod';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import type { Wake } from '../work/wake.ts';
import type { LinkPeer } from './link-server.ts';

interface MachineSessionOptions {
  readonly peer: LinkPeer;
  /** Number of this connection in the database: reports count only while no connection has a higher one. */
  readonly epoch: number;
  /** The machine's noun in messages, for example `host`. */
  readonly noun: string;
  /** The kind of objects that the machine receives, for example `nodes`. */
  readonly what: string;
  readonly wake: Wake;
  readonly log: Logger;
  /** Longest time between two reads of the tables, because a wake-up may be lost. */
  readonly pauseMs: number;
}

export abstract class MachineSession {
  readonly epoch: number;
  protected readonly peer: LinkPeer;
  readonly #options: MachineSessionOptions;
  readonly #loop: Loop;
  /** By topic, the function that ends listening to the topic. */
  readonly #followed = new Map<string, () => void>();
  #wholeAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: MachineSessionOptions) {
    const { peer, epoch, noun, what, log, pauseMs } = options;
    this.#options = options;
    this.peer = peer;
    this.epoch = epoch;
    this.#loop = new Loop({
      name: `${what} of ${noun} ${peer.machine.name}`,
      ...{ log, pauseMs: () => pauseMs, run: (signal) => this.send(signal) },
    });
  }

  begin(): void {
    this.#loop.start();
  }

  async closed(): Promise<void> {
    this.follow([]);
    const { log, noun } = this.#options;
    await this.#loop
      .stop()
      .then(() => this.recordEnd())
      .catch((error: unknown) =>
        log.warn({ err: error, [noun]: this.peer.machine.name }, 'could not record the end of a connection'),
      );
  }

  /** Sends what the machine lacks. Returns true if there may be more to send right away. */
  protected abstract send(signal: AbortSignal): Promise<boolean>;

  /** Records the end of the connection. */
  protected abstract recordEnd(): Promise<unknown>;

  protected sendSoon(): void {
    this.#loop.trigger();
  }

  /** Replaces the followed topics. From now on, only these topics trigger sending. */
  protected follow(topics: Iterable<string>): void {
    const wanted = new Set(topics);
    for (const [topic, end] of this.#followed) {
      if (wanted.has(topic)) continue;
      end();
      this.#followed.delete(topic);
    }
    for (const topic of wanted)
      if (!this.#followed.has(topic))
        this.#followed.set(
          topic,
          this.#options.wake.on(topic, () => this.sendSoon()),
        );
  }

  /** Notifies the machine that it has received everything: the first time, and again after `everyMs`. */
  protected sendWhole(everyMs = Number.POSITIVE_INFINITY): void {
    if (performance.now() - this.#wholeAtMs < everyMs) return;
    this.peer.send({ type: 'whole' });
    this.#wholeAtMs = performance.now();
  }

  /** Makes the next `sendWhole` notify the machine again. */
  protected notWhole(): void {
    this.#wholeAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Refuses a report of a connection that is not the newest one, or of another history of the database. Disconnects and throws. */
  protected refuseReport(): never {
    this.peer.close(`the ${this.#options.noun} has a newer connection, or the history of the database has changed`);
    throw new Error('dropped a report of an earlier connection');
  }
}

/** The facts that a machine sends when it connects. @throws if they are not in the shape */
export function readFacts<Facts>({ facts, machine }: LinkPeer, noun: string, shape: z.ZodType<Facts>): Facts {
  const read = shape.safeParse(facts);
  if (read.success) return read.data;
  throw new Error(`the ${noun} ${machine.name} sent no valid facts: ${z.prettifyError(read.error)}`);
}

export function unknownReport(key: string): Error {
  return new Error(`a report of an unknown kind: ${key.slice(0, 80)}`);
}
