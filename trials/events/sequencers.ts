// Two sequencer processes that are paused and killed at random; a killed one is replaced.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { SequencerOrder } from './sequencer-process.ts';

const program = join(import.meta.dirname, 'sequencer-process.ts');

async function start(order: SequencerOrder): Promise<ChildProcess> {
  const child = fork(program, [], { execArgv: ['--disable-warning=ExperimentalWarning'], stdio: 'inherit' });
  child.send(order);
  await once(child, 'message', { signal: AbortSignal.timeout(60_000) });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

export class Sequencers {
  readonly #order: SequencerOrder;
  #children: ChildProcess[] = [];
  kills = 0;
  pauses = 0;

  constructor(order: SequencerOrder) {
    this.#order = order;
  }

  async start(): Promise<void> {
    this.#children = await Promise.all([start(this.#order), start(this.#order)]);
  }

  async kill(random: Random): Promise<void> {
    const victim = random.pick(this.#children);
    await kill(victim);
    const replacement = await start(this.#order);
    this.#children = this.#children.map((child) => (child === victim ? replacement : child));
    this.kills += 1;
  }

  /** For up to `longestMs`. */
  async pause(random: Random, longestMs: number): Promise<void> {
    const victim = random.pick(this.#children);
    victim.kill('SIGSTOP');
    await sleep(random.integer(50, longestMs));
    victim.kill('SIGCONT');
    this.pauses += 1;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(kill));
  }
}
