// Devices of the lab in another process: its keeper, at the other end of a pipe.

import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { DeviceName, HostAct, StartAnswer, Trouble } from './device.ts';
import type { KeeperLine, KeeperRequest } from './keeper.ts';
import type { LabSource } from './lab-source.ts';

const goneMessage = "the lab's keeper has ended";

export class KeptLab implements LabSource {
  readonly #pipe: Socket;
  readonly #gone = new AbortController();
  readonly #waiting = new Map<number, (line: KeeperLine) => void>();
  /** By the request that started the device. A device says something as long as it runs. */
  readonly #logs = new Map<number, SetupLog>();
  #last = 0;
  #heard = '';

  constructor(pipe: Socket) {
    this.#pipe = pipe;
    // It alone must not keep this process running.
    pipe.unref();
    pipe.on('error', () => {});
    pipe.on('data', (data: Buffer) => this.#hear(data.toString()));
    pipe.on('close', () => {
      this.#gone.abort();
      for (const [to, answer] of this.#waiting) answer({ say: 'failed', to, why: goneMessage });
    });
  }

  /** Aborts when the keeper has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async start(name: DeviceName, log: SetupLog): Promise<StartAnswer> {
    const asked = this.#ask('start', name);
    this.#logs.set(this.#last, log);
    const line = await asked;
    if (line.say !== 'started') throw new Error(`the lab's keeper answered "${line.say}"`);
    return line.answer;
  }

  async trouble(name: DeviceName, trouble: Trouble): Promise<void> {
    await this.#ask('trouble', name, trouble);
  }

  async act(name: DeviceName, act: HostAct, host: string): Promise<void> {
    await this.#ask(act, name, host);
  }

  async clear(name: DeviceName): Promise<void> {
    await this.#ask('clear', name);
  }

  async remove(name: DeviceName): Promise<void> {
    await this.#ask('remove', name);
  }

  async stop(): Promise<void> {
    if (!this.gone.aborted) await this.#ask('stop');
  }

  async #ask(...request: KeeperRequest): Promise<KeeperLine> {
    if (this.gone.aborted) throw new Error(goneMessage);
    this.#last += 1;
    const number = this.#last;
    const answer = Promise.withResolvers<KeeperLine>();
    this.#waiting.set(number, answer.resolve);
    this.#pipe.ref();
    this.#pipe.write(`${[number, ...request].join(' ')}\n`);
    const line = await answer.promise;
    this.#waiting.delete(number);
    if (this.#waiting.size === 0) this.#pipe.unref();
    if (line.say === 'failed') throw new Error(line.why);
    return line;
  }

  #hear(text: string): void {
    this.#heard += text;
    const lines = this.#heard.split('\n');
    this.#heard = lines.pop() ?? '';
    for (const line of lines.map((each) => JSON.parse(each) as KeeperLine)) {
      if (line.say === 'log') this.#logs.get(line.to)?.[line.level](line.message);
      else this.#waiting.get(line.to)?.(line);
    }
  }
}

/** The devices of the keeper that started this process, if one did: LAB_KEEPER_FD is the descriptor of its pipe. */
export function keptLab(env: Readonly<Record<string, string | undefined>>): KeptLab | undefined {
  const descriptor = Number(env.LAB_KEEPER_FD ?? Number.NaN);
  if (Number.isNaN(descriptor)) return undefined;
  const pipe = new Socket({ fd: descriptor, readable: true, writable: true });
  return new KeptLab(pipe);
}

/** Starts the keeper of the devices that need no root, as the user of this process. It ends with this process. */
export function plainKeeper(dataPath: string): KeptLab {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'plain-keeper.ts'), dataPath], {
    // A Ctrl-C on the terminal is for the process that it belongs to.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const pipe = child.stdio[3] as Socket;
  child.on('error', () => pipe.destroy());
  child.unref();
  return new KeptLab(pipe);
}
