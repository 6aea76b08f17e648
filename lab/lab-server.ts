// The lab server: a process that runs the lab's devices for another one. Devices that need root run in the part of a start that stays root. The
// others have a separate process. The server has a pipe to its only client. It accepts a few verbs, names of devices and troubles from fixed lists,
// and names of hosts, but no paths, addresses or commands. Closing that pipe ends the devices.

import type { Duplex } from 'node:stream';
import type { SetupLog } from '../embedded/setup-log.ts';
import {
  type DeviceName,
  type HostAct,
  isDeviceName,
  isHostAct,
  isHostName,
  isTrouble,
  type StartAnswer,
  type Trouble,
} from './device.ts';
import type { LabSource } from './lab-source.ts';

/** The server's output: one JSON object per line. An answer has the number of its request. */
export type LabServerLine =
  | { readonly say: 'started'; readonly to: number; readonly answer: StartAnswer }
  | { readonly say: 'done'; readonly to: number }
  | { readonly say: 'failed'; readonly to: number; readonly why: string }
  /** `to`: the request that started the logging device. */
  | { readonly say: 'log'; readonly to: number; readonly level: keyof SetupLog; readonly message: string };

/** A request is a line: its number, the verb, and the names. */
export type LabServerRequest =
  | readonly ['start', DeviceName]
  | readonly ['clear', DeviceName]
  | readonly ['remove', DeviceName]
  | readonly ['trouble', DeviceName, Trouble]
  | readonly [HostAct, DeviceName, string]
  | readonly ['stop'];

const longestRequestBytes = 128;
const mostWaiting = 32;

/** Serves the client at the pipe's other end. One that sends anything else, or too much, is ignored from then on. */
export class LabServer {
  readonly #pipe: Duplex;
  readonly #source: LabSource;
  readonly #mayHave: (name: DeviceName) => boolean;
  readonly #working = new Set<Promise<void>>();
  #heard = '';
  #end: Promise<void> | undefined;

  /** `mayHave`: the devices that it keeps. */
  constructor(pipe: Duplex, source: LabSource, mayHave: (name: DeviceName) => boolean) {
    this.#pipe = pipe;
    this.#source = source;
    this.#mayHave = mayHave;
    pipe.on('error', () => {});
    pipe.on('data', (data: Buffer) => this.#hear(data.toString('latin1')));
    pipe.on('end', () => void this.end());
    pipe.on('close', () => void this.end());
  }

  /** Accepts no more requests, and ends the devices. */
  end(): Promise<void> {
    this.#pipe.destroy();
    this.#end ??= Promise.allSettled(this.#working).then(() => this.#source.stop());
    return this.#end;
  }

  #hear(text: string): void {
    this.#heard += text;
    const lines = this.#heard.split('\n');
    this.#heard = lines.pop() ?? '';
    for (const line of lines) {
      const [number = '', ...words] = line.split(' ');
      const request = this.#read(words);
      if (!/^\d{1,9}$/.test(number) || request === undefined || this.#working.size >= mostWaiting) {
        this.#pipe.destroy();
        return;
      }
      const work = this.#carryOut(Number(number), request).finally(() => this.#working.delete(work));
      this.#working.add(work);
    }
    if (this.#heard.length > longestRequestBytes) this.#pipe.destroy();
  }

  #read([verb = '', name = '', last = '', ...more]: readonly string[]): LabServerRequest | undefined {
    if (more.length > 0) return undefined;
    if (verb === 'stop' && name === '') return ['stop'];
    if (!isDeviceName(name) || !this.#mayHave(name)) return undefined;
    if (verb === 'trouble') return isTrouble(last) ? ['trouble', name, last] : undefined;
    if (isHostAct(verb)) return isHostName(last) ? [verb, name, last] : undefined;
    return (verb === 'start' || verb === 'clear' || verb === 'remove') && last === '' ? [verb, name] : undefined;
  }

  async #carryOut(to: number, request: LabServerRequest): Promise<void> {
    try {
      if (request[0] === 'start') {
        this.#say({ say: 'started', to, answer: await this.#source.start(request[1], this.#logOf(to)) });
        return;
      }
      if (request[0] === 'clear') await this.#source.clear(request[1]);
      else if (request[0] === 'remove') await this.#source.remove(request[1]);
      else if (request[0] === 'trouble') await this.#source.trouble(request[1], request[2]);
      else if (request[0] === 'stop') await this.#source.stop();
      else await this.#source.act(request[1], request[0], request[2]);
      this.#say({ say: 'done', to });
    } catch (error) {
      this.#say({ say: 'failed', to, why: error instanceof Error ? error.message : String(error) });
    }
  }

  #logOf(to: number): SetupLog {
    const at = (level: keyof SetupLog) => (message: string) => this.#say({ say: 'log', to, level, message });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  #say(line: LabServerLine): void {
    if (!this.#pipe.destroyed) this.#pipe.write(`${JSON.stringify(line)}\n`);
  }
}
