// The lab of a process without privileges: a keeper at the other end of a pipe starts and stops it.

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { LabAnswer } from './described-lab.ts';
import type { KeeperLine, KeeperVerb } from './keeper.ts';
import type { LabSource } from './lab-source.ts';

const goneMessage = "the lab's keeper has ended";

export class KeptLab implements LabSource {
  readonly #pipe: Duplex;
  readonly #gone = new AbortController();
  #log: SetupLog | undefined;
  #answer: PromiseWithResolvers<KeeperLine> | undefined;
  #heard = '';

  constructor(pipe: Duplex) {
    this.#pipe = pipe;
    pipe.on('error', () => {});
    pipe.on('data', (data: Buffer) => this.#hear(data.toString()));
    pipe.on('close', () => {
      this.#gone.abort();
      this.#answer?.resolve({ say: 'failed', why: goneMessage });
    });
  }

  /** Aborts when the keeper has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async start(log: SetupLog): Promise<LabAnswer> {
    this.#log = log;
    const line = await this.#ask('start');
    if (line.say !== 'started') throw new Error(`the lab's keeper answered "${line.say}"`);
    return line.lab;
  }

  async stop(): Promise<void> {
    if (!this.gone.aborted) await this.#ask('stop');
  }

  async #ask(verb: KeeperVerb): Promise<KeeperLine> {
    if (this.gone.aborted) throw new Error(goneMessage);
    this.#answer = Promise.withResolvers();
    this.#pipe.write(`${verb}\n`);
    const line = await this.#answer.promise;
    if (line.say === 'failed') throw new Error(line.why);
    return line;
  }

  #hear(text: string): void {
    this.#heard += text;
    const lines = this.#heard.split('\n');
    this.#heard = lines.pop() ?? '';
    for (const line of lines.map((each) => JSON.parse(each) as KeeperLine)) {
      if (line.say === 'log') this.#log?.[line.level](line.message);
      else this.#answer?.resolve(line);
    }
  }
}

/** The lab of the keeper that started this process, if one did: LAB_KEEPER_FD is the descriptor of its pipe. */
export function keptLab(env: Readonly<Record<string, string | undefined>>): KeptLab | undefined {
  const descriptor = Number(env.LAB_KEEPER_FD ?? Number.NaN);
  if (Number.isNaN(descriptor)) return undefined;
  const pipe = new Socket({ fd: descriptor, readable: true, writable: true });
  const kept = new KeptLab(pipe);
  // It alone must not keep this process running.
  pipe.unref();
  return kept;
}
