// HAProxy's runtime socket (HAProxy 2.6, management guide, section 9.3), with one connection per command.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const mostMasterTries = 50;
const mostAnswerBytes = 16 * 1024 * 1024;

export class RuntimeError extends Error {
  constructor(command: string, answer: string) {
    super(`HAProxy refused "${command.slice(0, 120)}": ${answer.slice(0, 200)}`);
    this.name = 'RuntimeError';
  }
}

export interface Processes {
  /** How often the master has re-executed itself. */
  readonly reloads: number;
  /** Process id of the newest worker. Undefined if a reload failed and an earlier worker continues. */
  readonly worker: string | undefined;
  /** Process ids of earlier workers. */
  readonly earlier: readonly string[];
}

export class RuntimeSocket {
  readonly #path: string;
  readonly #deadlineMs: number;

  constructor(path: string, deadlineMs = 5_000) {
    this.#path = path;
    this.#deadlineMs = deadlineMs;
  }

  /** Like `ask`, on the master's socket. While the master re-executes itself for a reload, nobody listens there for a moment. */
  async askMaster(command: string): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.ask(command);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (tries === mostMasterTries || (code !== 'ECONNREFUSED' && code !== 'ENOENT')) throw error;
        await sleep(100);
      }
    }
  }

  /** From the master's socket. A master that re-executes itself answers once it has forked its new worker. */
  async processes(): Promise<Processes> {
    // Unlike a worker's, the master's socket stays open after a command.
    const shown = await this.askMaster('show proc;quit');
    const [current = '', earlier = ''] = shown.split('# old workers');
    const pids = (text: string) => [...text.matchAll(/^(\d+)\s+worker/gm)].map(([, pid = '']) => pid);
    const [, reloads = '0'] = /^\d+\s+master\s+(\d+)/m.exec(shown) ?? [];
    return { reloads: Number(reloads), worker: pids(current)[0], earlier: pids(earlier) };
  }

  /** From the master's socket: process ids of earlier workers, which end with their last session. */
  async earlierWorkers(): Promise<readonly string[]> {
    return (await this.processes()).earlier;
  }

  /** The answer to one command. `payload`: further lines, without empty ones. */
  ask(command: string, payload?: string): Promise<string> {
    const lines = payload?.replaceAll(/\n\s*\n/g, '\n').trim();
    const text = lines === undefined ? `${command}\n` : `${command} <<\n${lines}\n\n`;
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      const chunks: Buffer[] = [];
      let bytes = 0;
      const timer = setTimeout(
        () => socket.destroy(new Error(`HAProxy did not answer "${command.slice(0, 120)}" in time`)),
        this.#deadlineMs,
      );
      socket.on('connect', () => socket.write(text));
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > mostAnswerBytes)
          socket.destroy(new Error(`HAProxy's answer to "${command.slice(0, 120)}" is too large`));
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        // After "quit" HAProxy may close without having read the end of the line: the answer is whole, and its end is a reset.
        if (error.code !== 'ECONNRESET' || bytes === 0) reject(error);
      });
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(Buffer.concat(chunks).toString('utf8').trim());
      });
    });
  }

  /** For commands with an empty answer or one that matches `expected`. Otherwise rejects with RuntimeError. */
  async tell(command: string, expected: RegExp = /^$/, payload?: string): Promise<void> {
    const answer = await this.ask(command, payload);
    if (!expected.test(answer)) throw new RuntimeError(command, answer);
  }
}
