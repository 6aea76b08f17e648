// Reads what HAProxy logs as it happens: transitions of servers, and the access log. HAProxy keeps the lines in a ring in its memory, from
// which its runtime socket streams them (`show events`, HAProxy 2.6, management guide, section 9.3): so it connects to nobody, and does no
// work for a reader that is not there.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonIn } from './check-words.ts';

export interface Transition {
  readonly backend: string;
  readonly server: string;
  readonly status: 'UP' | 'DOWN';
  /** In words; undefined: none is given, but perhaps was a moment before. */
  readonly reason: string | undefined;
  /** It did not answer in time. */
  readonly timedOut: boolean;
}

export interface LogReaderOptions {
  /** The runtime socket. It need not exist yet. */
  readonly path: string;
  readonly transition: (transition: Transition) => void;
  /** One line of the access log: JSON. */
  readonly access: (line: string) => void;
}

const mostLineBytes = 16_384;
const pauseMs = 200;
const serverLine = /^Server ([^ /]+)\/([^ ]+) is (UP|DOWN)\b/;
const checkLine = /^Health check for server ([^ /]+)\/([^ ]+) (?:succeeded|failed), .*, status: \d+\/\d+ (UP|DOWN)\.?$/;
/** A worker that is replaced says this of each of its proxies; it lives on while somebody reads from it. */
const stoppedLine = /^Proxy \S+ stopped /;

export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #ending = new AbortController();
  #reading: Promise<void> | undefined;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#reading ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#reading;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    // What a HAProxy that ran before this process has logged was read by the process before.
    let isNew = false;
    while (!signal.aborted) {
      const end = await this.#connection(isNew);
      isNew = true;
      if (end !== 'REPLACED') await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One worker's lines, until another takes its place, or it ends. `isNew`: also those that are waiting. */
  #connection(isNew: boolean): Promise<'REPLACED' | 'ENDED'> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const socket: Socket = connect(this.#options.path);
      let end: 'REPLACED' | 'ENDED' = 'ENDED';
      let rest = '';
      const abort = () => socket.destroy();
      signal.addEventListener('abort', abort, { once: true });
      socket.setEncoding('utf8');
      socket.on('connect', () => socket.write(`set timeout cli 86400s;show events events -w${isNew ? '' : ' -n'}\n`));
      socket.on('data', (chunk: string) => {
        const lines = `${rest}${chunk}`.split('\n');
        rest = (lines.pop() ?? '').slice(-mostLineBytes);
        for (const line of lines) {
          if (stoppedLine.test(line)) end = 'REPLACED';
          else this.#line(line);
        }
        if (end === 'REPLACED') socket.destroy();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        signal.removeEventListener('abort', abort);
        resolve(end);
      });
    });
  }

  #line(line: string): void {
    const { transition, access } = this.#options;
    // HAProxy escapes a closing bracket too, as RFC 5424 has it; JSON does not.
    if (line.startsWith('{'))
      access(line.replaceAll(/\\(.)/g, (escaped, character) => (character === ']' ? character : escaped)));
    else {
      const found = transitionIn(line);
      if (found !== undefined) transition(found);
    }
  }
}

function transitionIn(line: string): Transition | undefined {
  const [, backend, server, status] = serverLine.exec(line) ?? checkLine.exec(line) ?? [];
  if (backend === undefined || server === undefined) return undefined;
  const timedOut = /timeout/i.test(line);
  return { backend, server, status: status as Transition['status'], reason: reasonIn(line), timedOut };
}
