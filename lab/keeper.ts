// The lab's keeper: the part of a start as root that stays root, because network namespaces need it. It accepts two verbs over a
// pipe that only its child process has, and no path, address or command. Closing that pipe ends the lab.

import type { Duplex } from 'node:stream';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { LabAnswer } from './described-lab.ts';
import type { LabSource } from './lab-source.ts';

/** The keeper's output: one JSON object per line. */
export type KeeperLine =
  | { readonly say: 'started'; readonly lab: LabAnswer }
  | { readonly say: 'stopped' }
  | { readonly say: 'failed'; readonly why: string }
  | { readonly say: 'log'; readonly level: keyof SetupLog; readonly message: string };

export const keeperVerbs = ['start', 'stop'] as const;
export type KeeperVerb = (typeof keeperVerbs)[number];

const longestVerbBytes = 16;
/** The client of the pipe waits for each answer before its next request. */
const mostWaiting = 4;

/** Serves the client at the pipe's other end. One that sends anything but a verb, or too much, is ignored from then on. */
export class LabKeeper {
  readonly #pipe: Duplex;
  readonly #source: LabSource;
  readonly #log: SetupLog;
  #heard = '';
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(pipe: Duplex, source: LabSource) {
    this.#pipe = pipe;
    this.#source = source;
    const at = (level: keyof SetupLog) => (message: string) => this.#say({ say: 'log', level, message });
    this.#log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    pipe.on('error', () => {});
    pipe.on('data', (data: Buffer) => this.#hear(data.toString('latin1')));
    pipe.on('end', () => void this.end());
    pipe.on('close', () => void this.end());
  }

  /** Accepts no more verbs, and ends the lab. */
  end(): Promise<void> {
    this.#pipe.destroy();
    this.#work = this.#work.then(() => this.#source.stop());
    return this.#work;
  }

  #hear(text: string): void {
    this.#heard += text;
    const lines = this.#heard.split('\n');
    this.#heard = lines.pop() ?? '';
    for (const line of lines) {
      const verb = keeperVerbs.find((each) => each === line);
      if (verb === undefined || this.#waiting >= mostWaiting) {
        this.#pipe.destroy();
        return;
      }
      this.#waiting += 1;
      this.#work = this.#work.then(() => this.#carryOut(verb));
    }
    if (this.#heard.length > longestVerbBytes) this.#pipe.destroy();
  }

  async #carryOut(verb: KeeperVerb): Promise<void> {
    this.#waiting -= 1;
    if (this.#pipe.destroyed) return;
    try {
      if (verb === 'start') this.#say({ say: 'started', lab: await this.#source.start(this.#log) });
      else {
        await this.#source.stop();
        this.#say({ say: 'stopped' });
      }
    } catch (error) {
      this.#say({ say: 'failed', why: error instanceof Error ? error.message : String(error) });
    }
  }

  #say(line: KeeperLine): void {
    if (!this.#pipe.destroyed) this.#pipe.write(`${JSON.stringify(line)}\n`);
  }
}
