// A process of the whole system that is kept running: it can be killed, restarts by itself, and records its lives.
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedServer, killQuietly } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { type Supervised, supervise } from '../embedded/supervise.ts';

/** One incarnation, by this machine's clock. */
export interface Life {
  readonly pid: number;
  /** UUID of a process with a database. Undefined for servers. */
  readonly owner: string | undefined;
  readonly upAtMs: number;
  /** Undefined while it is running. */
  endedAtMs: number | undefined;
}

/** How long a part must have been up to be restarted without a pause. */
const steadyAfterMs = 300;

export class Part<Server extends EmbeddedServer & { readonly owner?: string | undefined } = EmbeddedServer> {
  readonly name: string;
  readonly lives: Life[] = [];
  #supervised: Supervised<Server> | undefined;

  private constructor(name: string) {
    this.name = name;
  }

  static async start<Server extends EmbeddedServer & { readonly owner?: string | undefined }>(
    name: string,
    start: (signal: AbortSignal) => Promise<Server>,
    log: SetupLog,
  ): Promise<Part<Server>> {
    const part = new Part<Server>(name);
    part.#supervised = await supervise(name, start, { log, steadyAfterMs, onUp: (server) => part.#remember(server) });
    return part;
  }

  get current(): Server {
    if (this.#supervised === undefined) throw new Error(`${this.name} was not started`);
    return this.#supervised.current;
  }

  get up(): boolean {
    return this.lives.at(-1)?.endedAtMs === undefined;
  }

  /** SIGKILL, or an orderly end by SIGTERM. False if it is already down. */
  kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): boolean {
    if (!this.up) return false;
    killQuietly(this.current.pid, signal);
    return true;
  }

  /** Waits until it is up. False if it is not by the deadline. */
  async waitUp(deadlineMs: number): Promise<boolean> {
    const untilMs = performance.now() + deadlineMs;
    while (!this.up && performance.now() < untilMs) await sleep(10);
    return this.up;
  }

  async stop(): Promise<void> {
    await this.#supervised?.stop();
  }

  #remember(server: Server): void {
    const life: Life = { pid: server.pid, owner: server.owner, upAtMs: Date.now(), endedAtMs: undefined };
    this.lives.push(life);
    void server.exited.then(() => {
      life.endedAtMs = Date.now();
    });
  }
}
