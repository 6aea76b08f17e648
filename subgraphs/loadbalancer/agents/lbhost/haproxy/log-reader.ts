// Reads HAProxy's log live: transitions of servers, and the access log. HAProxy keeps the lines in a ring in its memory, and its runtime
// socket streams them (`show events`, HAProxy 2.6, management guide, section 9.3). So it connects to nobody, and does no work without a
// reader.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonIn } from './check-words.ts';

export interface Transition {
  readonly backend: string;
  readonly server: string;
  readonly status: 'UP' | 'DOWN';
  /** A plain sentence. Undefined if this line has none; an earlier line may have had one. */
  readonly reason: string | undefined;
  /** It did not answer in time. */
  readonly timedOut: boolean;
}

interface LogReaderOptions {
  /** The runtime socket. It need not exist yet. */
  readonly path: string;
  readonly transition: (transition: Transition) => void;
  /** One line of the access log, in JSON. */
  readonly access: (line: string) => void;
}

const mostLineBytes = 16_384;
const pauseMs = 200;
const serverLine = /^Server ([^ /]+)\/([^ ]+) is (UP|DOWN)\b/;
const checkLine = /^Health check for server ([^ /]+)\/([^ ]+) (?:succeeded|failed), .*, status: \d+\/\d+ (UP|DOWN)\.?$/;
/** A replaced worker logs this for each of its proxies. It stays alive while somebody reads from it. */
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
    // Lines logged before this process were read by the process before.
    let isNew = false;
    while (!signal.aborted) {
      const end = await this.#connection(isNew);
      isNew = true;
      if (end !== 'REPLACED') await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Lines of one worker, until another replaces it or it ends. `isNew`: includes waiting lines. */
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
    // HAProxy also escapes closing brackets, as in RFC 5424; JSON does not.
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
