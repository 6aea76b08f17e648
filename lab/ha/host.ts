// One host of the demo: its disk, and the processes that an init would run on it: `tidegate ha agent` and, with data, `tidegate serve`.
// Each is restarted when it ends, until the host's power is cut.
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedServer, killQuietly, ServerProcess } from '../../embedded/server-process.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { type Supervised, supervise } from '../../embedded/supervise.ts';
import type { LoopDisk } from '../loop-disk.ts';
import { endProcessesIn, processesIn } from '../processes.ts';
import type { HostName } from './plan.ts';

/** Programs of a host, in starting order. */
const programNames = ['agent', 'serve'] as const;
export type ProgramName = (typeof programNames)[number];

/** A command, with the environment that it gets in addition to a plain one. */
export interface HostProgram {
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface HaHostOptions {
  readonly name: HostName;
  readonly disk: LoopDisk;
  readonly namespace: string;
  /** Enters its network. */
  readonly wrapper: readonly string[];
  /** Programs by name, read at each start. `skewSeconds`: shift of the host's clock. */
  readonly programs: (name: ProgramName, skewSeconds: number) => Promise<HostProgram>;
  readonly log: SetupLog;
}

const firstPauseMs = 500;
/** New processes may appear while the others are being stopped. */
const freezeTries = 50;

export class HaHost {
  readonly name: HostName;
  readonly disk: LoopDisk;
  readonly #options: HaHostOptions;
  readonly #running = new Map<ProgramName, Supervised<EmbeddedServer>>();
  #skewSeconds = 0;

  constructor(options: HaHostOptions) {
    this.#options = options;
    this.name = options.name;
    this.disk = options.disk;
  }

  get skewSeconds(): number {
    return this.#skewSeconds;
  }

  /** Leaves running programs alone. */
  async begin(names: readonly ProgramName[]): Promise<void> {
    for (const name of programNames) if (names.includes(name) && !this.#running.has(name)) await this.#start(name);
  }

  /** Stops programs in reverse order. The agent leaves MariaDB and keepalived running. `powerOff` ends them. */
  async stop(names: readonly ProgramName[] = programNames): Promise<void> {
    for (const name of programNames.toReversed()) {
      const running = this.#running.get(name);
      if (running === undefined || !names.includes(name)) continue;
      this.#running.delete(name);
      await running.stop();
    }
  }

  /** SIGKILL for all at once. Only its disk remains. */
  async powerOff(): Promise<void> {
    for (const pid of await this.#pids()) killQuietly(pid, 'SIGKILL');
    // All at once: none is restarted.
    const stopped = Promise.all(programNames.map((name) => this.stop([name])));
    // A process that waits for a frozen disk does not die before it is thawed.
    await this.disk.thaw();
    await endProcessesIn([this.#options.namespace]);
    await stopped;
  }

  async freeze(): Promise<void> {
    for (let tried = 0, known = -1; tried < freezeTries; tried += 1) {
      const pids = await this.#pids();
      for (const pid of pids) killQuietly(pid, 'SIGSTOP');
      if (pids.length === known) return;
      known = pids.length;
    }
  }

  async resume(): Promise<void> {
    for (const pid of await this.#pids()) killQuietly(pid, 'SIGCONT');
  }

  /** The agent and MariaDB, which use the host's clock, restart with it. */
  async setSkew(seconds: number): Promise<void> {
    if (seconds === this.#skewSeconds) return;
    this.#skewSeconds = seconds;
    const runs = this.#running.has('agent');
    await this.stop(['agent']);
    await this.#endOthers();
    if (runs) await this.begin(['agent']);
  }

  async #start(name: ProgramName): Promise<void> {
    const { log } = this.#options;
    const label = `${name} of ${this.name}`;
    this.#running.set(
      name,
      await supervise<EmbeddedServer>(label, () => this.#startProgram(name, label), { log, firstPauseMs }),
    );
  }

  async #startProgram(name: ProgramName, label: string): Promise<EmbeddedServer> {
    const { wrapper, programs, log } = this.#options;
    const { words, env } = await programs(name, this.#skewSeconds);
    const [command = '', ...args] = words;
    return new ServerProcess({ name: label, wrapper, command, args, env, cwd: '/', runAs: undefined, log });
  }

  /** MariaDB, its watchdog and keepalived outlive the agent. */
  async #endOthers(): Promise<void> {
    const kept = new Set([...this.#running.values()].map(({ current }) => current.pid));
    for (let tried = 0; tried < freezeTries; tried += 1) {
      const left = (await this.#pids()).filter((pid) => !kept.has(pid));
      if (left.length === 0) return;
      for (const pid of left) killQuietly(pid, 'SIGKILL');
      await sleep(20);
    }
  }

  #pids(): Promise<readonly number[]> {
    return processesIn(this.#options.namespace);
  }
}
