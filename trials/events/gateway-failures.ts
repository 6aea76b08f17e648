// Failures around the clients of the gateway: its process and those behind it are killed or stopped in turn, Redis is killed and flushed,
// and all clients lose their connections at once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { WholeSystem } from '../../measure/whole-system.ts';
import type { Random } from '../random.ts';
import { type Failure, flushRedis } from './failure-turns.ts';

export interface FailureCounts {
  gatewayKills: number;
  gatewayEnds: number;
  systemKills: number;
  systemEnds: number;
  workerKills: number;
  redisKills: number;
  redisFlushes: number;
  dropsOfAll: number;
}

interface GatewayFailuresOptions {
  readonly system: WholeSystem;
  readonly random: Random;
  readonly dropAll: () => void;
}

/** Share of failures that come while the part is still down. */
const noWaitShare = 0.25;
const backDeadlineMs = 60_000;

export class GatewayFailures {
  readonly counts: FailureCounts = {
    gatewayKills: 0,
    gatewayEnds: 0,
    systemKills: 0,
    systemEnds: 0,
    workerKills: 0,
    redisKills: 0,
    redisFlushes: 0,
    dropsOfAll: 0,
  };
  readonly #options: GatewayFailuresOptions;

  constructor(options: GatewayFailuresOptions) {
    this.#options = options;
  }

  all(): readonly Failure[] {
    return [
      () => this.#end('gateway', 'SIGKILL', 'gatewayKills'),
      () => this.#end('gateway', 'SIGTERM', 'gatewayEnds'),
      () => this.#end('system', 'SIGKILL', 'systemKills'),
      () => this.#end('system', 'SIGTERM', 'systemEnds'),
      // It may be the active sequencer.
      () => this.#end('worker', 'SIGKILL', 'workerKills'),
      () => this.#end('redis', 'SIGKILL', 'redisKills'),
      () => this.#flush(),
      async () => this.#dropAll(),
    ];
  }

  /** Throws if a part does not come back. */
  async #end(name: string, signal: 'SIGKILL' | 'SIGTERM', count: keyof FailureCounts): Promise<void> {
    const { system, random } = this.#options;
    const part = system.part(name);
    if (!(await part.waitUp(backDeadlineMs))) throw new Error(`${name} did not come back in ${backDeadlineMs} ms`);
    const lives = part.lives.length;
    if (part.kill(signal)) this.counts[count] += 1;
    if (random.next() < noWaitShare) return;
    const untilMs = performance.now() + backDeadlineMs;
    while (part.lives.length === lives && performance.now() < untilMs) await sleep(10);
  }

  async #flush(): Promise<void> {
    const { system } = this.#options;
    await system.part('redis').waitUp(backDeadlineMs);
    await flushRedis(system.redisPath);
    this.counts.redisFlushes += 1;
  }

  #dropAll(): void {
    this.#options.dropAll();
    this.counts.dropsOfAll += 1;
  }
}
