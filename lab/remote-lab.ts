// Devices of the lab in another process: a lab server at the other end of a pipe.

import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { DeviceName, HostAct, StartAnswer, Trouble } from './device.ts';
import type { LabServerLine, LabServerRequest } from './lab-server.ts';
import type { LabSource } from './lab-source.ts';

const goneMessage = 'the lab server has ended';

export class RemoteLab implements LabSource {
  readonly #pipe: Socket;
  readonly #gone = new AbortController();
  readonly #waiting = new Map<number, (line: LabServerLine) => void>();
  /** By the request that started the device, because a device logs as long as it runs. */
  readonly #logs = new Map<number, SetupLog>();
  #last = 0;
  #heard = '';

  constructor(pipe: Socket) {
    this.#pipe = pipe;
    // The pipe alone must not keep this process running.
    pipe.unref();
    pipe.on('error', () => {});
    pipe.on('data', (data: Buffer) => this.#hear(data.toString()));
    pipe.on('close', () => {
      this.#gone.abort();
      for (const [to, answer] of this.#waiting) answer({ say: 'failed', to, why: goneMessage });
    });
  }

  /** Aborts when the lab server has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async start(name: DeviceName, log: SetupLog): Promise<StartAnswer> {
    const asked = this.#ask('start', name);
    this.#logs.set(this.#last, log);
    const line = await asked;
    if (line.say !== 'started') throw new Error(`the lab server answered "${line.say}"`);
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

  async #ask(...request: LabServerRequest): Promise<LabServerLine> {
    if (this.gone.aborted) throw new Error(goneMessage);
    this.#last += 1;
    const number = this.#last;
    const answer = Promise.withResolvers<LabServerLine>();
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
    for (const line of lines.map((each) => JSON.parse(each) as LabServerLine)) {
      if (line.say === 'log') this.#logs.get(line.to)?.[line.level](line.message);
      else this.#waiting.get(line.to)?.(line);
    }
  }
}

/** The devices of the lab server that started this process, if one did. LAB_SERVER_FD is the descriptor of its pipe. */
export function inheritedLab(env: Readonly<Record<string, string | undefined>>): RemoteLab | undefined {
  const descriptor = Number(env.LAB_SERVER_FD ?? Number.NaN);
  if (Number.isNaN(descriptor)) return undefined;
  const pipe = new Socket({ fd: descriptor, readable: true, writable: true });
  return new RemoteLab(pipe);
}

/** Starts a lab server for the devices that need no root, as the user of this process. It ends with this process. */
export function spawnLabServer(dataPath: string): RemoteLab {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'lab-server-process.ts'), dataPath], {
    // A Ctrl-C on the terminal is for the process that it belongs to.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const pipe = child.stdio[3] as Socket;
  child.on('error', () => pipe.destroy());
  child.unref();
  return new RemoteLab(pipe);
}
