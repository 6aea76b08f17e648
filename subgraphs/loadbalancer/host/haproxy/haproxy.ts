// One HAProxy, in master-worker mode and independent of this process: it is adopted when it runs already, started when it does not,
// and brought to a model by its runtime socket, or by a reload where that is not enough. The file on disk always says what runs.
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { changeBetween, type RuntimeStep } from './changes.ts';
import { configurationText, type HaproxyModel, type ServerModel } from './model.ts';
import { RuntimeError, RuntimeSocket } from './runtime-socket.ts';

const run = promisify(execFile);
const checkMs = 20_000;
const startMs = 5_000;
const pollMs = 20;

export interface HaproxyOptions {
  readonly program: string;
  /** Its own folder. */
  readonly folder: string;
  /** What the program is started with, for example `ip netns exec NAME`. */
  readonly wrapper: () => readonly string[];
  /** How long a server that is removed may finish its sessions. */
  readonly drainMs: (backend: string) => number;
  /** How long a new server may take to its first successful check before it is left drained. */
  readonly firstCheckMs: number;
}

export interface Applied {
  readonly reloaded: boolean;
  /** Why it was reloaded. */
  readonly reasons: readonly string[];
}

export class Haproxy {
  readonly #options: HaproxyOptions;
  readonly #runtime: RuntimeSocket;
  #model: HaproxyModel | undefined;
  /** Removals and first checks that go on after `apply`. */
  readonly #going = new Set<Promise<void>>();
  readonly #ending = new AbortController();

  constructor(options: HaproxyOptions) {
    this.#options = options;
    this.#runtime = new RuntimeSocket(join(options.folder, 'run.sock'));
  }

  /** The process id of the master; undefined: it does not run. */
  async pid(): Promise<number | undefined> {
    const text = await readFile(join(this.#options.folder, 'haproxy.pid'), 'utf8').catch(() => '');
    const pid = Number(text.trim());
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    // The number may belong to another process by now.
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return line.split('\0').includes(this.#configPath) ? pid : undefined;
  }

  /** Takes over a running one that has this model; false: none runs. */
  async adopt(model: HaproxyModel): Promise<boolean> {
    if ((await this.pid()) === undefined) return false;
    const answer = await this.#runtime.ask('show info').catch(() => '');
    if (!answer.startsWith('Name: HAProxy')) return false;
    this.#model = model;
    return true;
  }

  async start(model: HaproxyModel): Promise<void> {
    const { program, folder } = this.#options;
    await this.#writeFiles(model);
    // No states: those of an earlier start say nothing of now.
    await writeWhole(this.#statePath, '1\n');
    await this.#check();
    const [command = program, ...before] = [...this.#options.wrapper(), program];
    await run(
      command,
      [
        ...before,
        '-W',
        '-D',
        '-f',
        this.#configPath,
        '-p',
        join(folder, 'haproxy.pid'),
        '-S',
        `${join(folder, 'master.sock')},mode,600`,
      ],
      { timeout: startMs },
    );
    this.#model = model;
  }

  /** Brings it to the model. Rejects without a change when HAProxy does not accept the configuration. */
  async apply(model: HaproxyModel): Promise<Applied> {
    const before = this.#model;
    if (before === undefined) throw new Error('HAProxy was neither started nor adopted');
    const change = changeBetween(before, model);
    if (change.kind === 'NONE') return { reloaded: false, reasons: [] };
    if (change.kind === 'RUNTIME') {
      await this.#writeFiles(model);
      await this.#steps(change.steps);
      this.#model = model;
      return { reloaded: false, reasons: [] };
    }
    // New servers come after the reload: a reloaded HAProxy sends traffic to them before any check.
    const known = withKnownServers(before, model);
    await this.#writeFiles(known);
    await this.#check();
    await this.#reload();
    this.#model = known;
    const rest = changeBetween(known, model);
    await this.#writeFiles(model);
    if (rest.kind === 'RUNTIME') await this.#steps(rest.steps);
    this.#model = model;
    return { reloaded: true, reasons: change.reasons };
  }

  /** Ends it, with its sessions. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#going);
    const pid = await this.pid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGTERM');
    const until = performance.now() + startMs;
    while ((await this.pid()) !== undefined) {
      if (performance.now() > until) process.kill(pid, 'SIGKILL');
      await sleep(pollMs);
    }
  }

  /** Lets go of it: it runs on. */
  async leave(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#going);
  }

  /** When first checks and removals are over. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#going);
  }

  get #configPath(): string {
    return join(this.#options.folder, 'haproxy.cfg');
  }

  get #statePath(): string {
    return join(this.#options.folder, 'servers.state');
  }

  async #writeFiles(model: HaproxyModel): Promise<void> {
    for (const { path, pem } of model.certificates.values()) await writeWhole(path, pem);
    for (const { path, content } of model.files.values()) await writeWhole(path, content);
    await writeWhole(this.#configPath, configurationText(model));
  }

  async #check(): Promise<void> {
    const { program } = this.#options;
    const [command = program, ...before] = [...this.#options.wrapper(), program];
    try {
      await run(command, [...before, '-c', '-f', this.#configPath], { timeout: checkMs });
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      throw new Error(`HAProxy does not accept the configuration: ${stderr.slice(0, 1000)}`);
    }
  }

  /** The new worker takes over the states of servers; the old one finishes its sessions. */
  async #reload(): Promise<void> {
    const { folder } = this.#options;
    await writeWhole(this.#statePath, `${await this.#runtime.ask('show servers state')}\n`);
    const worker = await this.#worker();
    await new RuntimeSocket(join(folder, 'master.sock')).ask('reload').catch(() => '');
    const until = performance.now() + startMs;
    while ((await this.#worker()) === worker) {
      if (performance.now() > until) throw new Error('HAProxy did not reload in time');
      await sleep(pollMs);
    }
  }

  /** Process id of the worker that answers; undefined: none does. */
  async #worker(): Promise<string | undefined> {
    const answer = await this.#runtime.ask('show info').catch(() => '');
    return /^Pid: (\d+)$/m.exec(answer)?.[1];
  }

  async #steps(steps: readonly RuntimeStep[]): Promise<void> {
    for (const step of steps) {
      switch (step.do) {
        case 'set':
          for (const command of step.commands) await this.#runtime.tell(command);
          break;
        case 'certificate':
          await this.#runtime.tell(`set ssl cert ${step.path}`, /Transaction (created|updated)/, step.pem);
          await this.#runtime.tell(`commit ssl cert ${step.path}`, /Success!/);
          break;
        case 'remove':
          // It gets no new sessions from here on.
          await this.#runtime.tell(`set server ${step.backend}/${step.server} state drain`);
          this.#goOn(this.#remove(step.backend, step.server));
          break;
        case 'add':
          await this.#add(step.backend, step.server, step.commands);
          break;
      }
    }
  }

  async #add(backend: string, server: ServerModel, commands: readonly string[]): Promise<void> {
    const [add = '', ...rest] = commands;
    await this.#runtime.tell(add, /New server registered/);
    for (const command of rest) await this.#runtime.tell(command);
    if (server.checked && server.state === 'READY') this.#goOn(this.#readyAfterCheck(backend, server.name));
    else await this.#runtime.tell(`set server ${backend}/${server.name} state ${server.state.toLowerCase()}`);
  }

  /** The first good check lets it have sessions. */
  async #readyAfterCheck(backend: string, name: string): Promise<void> {
    const until = performance.now() + this.#options.firstCheckMs;
    while (!this.#ending.signal.aborted) {
      const stat = await this.#stat(backend, name);
      if (stat === undefined) return;
      if (/^L[467]OK/.test(stat.check)) break;
      if (performance.now() > until) break;
      await sleep(pollMs);
    }
    if (!this.#ending.signal.aborted) await this.#runtime.tell(`set server ${backend}/${name} state ready`);
  }

  async #remove(backend: string, name: string): Promise<void> {
    const target = `${backend}/${name}`;
    const until = performance.now() + this.#options.drainMs(backend);
    while (!this.#ending.signal.aborted && performance.now() < until) {
      const stat = await this.#stat(backend, name);
      if (stat === undefined) return;
      if (stat.sessions === 0) break;
      await sleep(pollMs * 5);
    }
    await this.#runtime.tell(`set server ${target} state maint`);
    await this.#runtime.tell(`shutdown sessions server ${target}`);
    for (let tries = 0; tries < 100; tries += 1) {
      const answer = await this.#runtime.ask(`del server ${target}`);
      if (/deleted|No such server/.test(answer)) return;
      await sleep(pollMs);
    }
    throw new RuntimeError(`del server ${target}`, 'it still has connections');
  }

  async #stat(
    backend: string,
    server: string,
  ): Promise<{ readonly sessions: number; readonly check: string } | undefined> {
    const [head = '', ...lines] = (await this.#runtime.ask(`show stat ${backend} 4 -1`)).split('\n');
    const columns = head.replace(/^# /, '').split(',');
    const cells = lines.map((line) => line.split(',')).find((each) => each[columns.indexOf('svname')] === server);
    if (cells === undefined) return undefined;
    const cell = (name: string) => cells[columns.indexOf(name)] ?? '';
    return { sessions: Number(cell('scur')) + Number(cell('qcur')), check: cell('check_status').replace(/^\* /, '') };
  }

  #goOn(work: Promise<void>): void {
    const going = work.catch(() => undefined).finally(() => this.#going.delete(going));
    this.#going.add(going);
  }
}

/** The new configuration with those servers only that run already. */
function withKnownServers(before: HaproxyModel, after: HaproxyModel): HaproxyModel {
  const backends = [...after.backends].map(([name, backend]) => {
    const known = before.backends.get(name)?.servers;
    const servers = [...backend.servers].filter(([server, { address, port }]) => {
      const old = known?.get(server);
      return old !== undefined && old.address === address && old.port === port;
    });
    return [name, { ...backend, servers: new Map(servers) }] as const;
  });
  return { ...after, backends: new Map(backends) };
}

async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
