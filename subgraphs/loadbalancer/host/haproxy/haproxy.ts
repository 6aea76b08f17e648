// One HAProxy, in master-worker mode and independent of this process: it is adopted when it runs already, started when it does not,
// and brought to a model by its runtime socket, or by a reload where that is not enough. The files on disk always say what runs.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning, processOf, signalTo } from '../own-processes.ts';
import { disagreementsOf } from './agreement.ts';
import { changedCertificates, changedFiles, reloadReasons, withoutReload } from './changes.ts';
import { DiskFiles } from './disk-files.ts';
import { configurationText, type HaproxyModel, structureOf } from './model.ts';
import { RuntimeFiles } from './runtime-files.ts';
import { type Processes, RuntimeSocket } from './runtime-socket.ts';
import { readServerStates, type ServerStates } from './server-states.ts';
import { Servers } from './servers.ts';

const run = promisify(execFile);
const checkMs = 20_000;
const startMs = 10_000;
const reloadMs = 15_000;
const anewMs = 2_000;
const firstChecksMs = 5_000;
const pollMs = 20;
const longestPollMs = 250;
/** Commands in a line of the master's socket. */
const endedAtOnce = 100;

export interface HaproxyOptions {
  readonly program: string;
  /** Its own folder. */
  readonly folder: string;
  /** What the program is started with, for example `ip netns exec NAME`. */
  readonly wrapper: () => readonly string[];
  /** Between two reloads: changes that come meanwhile are one reload. Default 1000. */
  readonly reloadPauseMs?: number;
}

export interface Applied {
  readonly reloaded: boolean;
  /** Why it was, or will be, reloaded. */
  readonly reasons: readonly string[];
  /** A reload waits for so long: apply again then. What needs none is in effect. 0: everything is. */
  readonly waitMs: number;
}

export class Haproxy {
  readonly #options: HaproxyOptions;
  readonly #runtime: RuntimeSocket;
  readonly #master: RuntimeSocket;
  readonly #disk: DiskFiles;
  readonly #files: RuntimeFiles;
  readonly #servers: Servers;
  readonly #ending = new AbortController();
  /** What it has, or is being brought to. */
  #model: HaproxyModel | undefined;
  /** False: another configuration may run than the model's, so that only a reload is certain. */
  #structureIsKnown = true;
  /** False: certificates and files in its memory may be others than the model's. */
  #filesAreKnown = true;
  #serversAreKnown = true;
  #reloadedAt = Number.NEGATIVE_INFINITY;
  /** First checks and removals, which go on after `apply`. */
  #settling: Promise<void> | undefined;
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: HaproxyOptions) {
    this.#options = options;
    this.#runtime = new RuntimeSocket(join(options.folder, 'run.sock'));
    this.#master = new RuntimeSocket(join(options.folder, 'master.sock'));
    this.#disk = new DiskFiles(options.folder);
    this.#files = new RuntimeFiles(this.#runtime);
    this.#servers = new Servers({
      runtime: this.#runtime,
      prepare: async (server) => {
        if (this.#model !== undefined) await this.#files.prepare(server, this.#model);
      },
      endSessions: (target) => this.#endSessions(target),
      hasEarlier: async () => (await this.#master.earlierWorkers()).length > 0,
    });
  }

  get runtime(): RuntimeSocket {
    return this.#runtime;
  }

  /** The process id of the master; undefined: it does not run. */
  async pid(): Promise<number | undefined> {
    const { configuration } = this.#disk;
    const until = performance.now() + anewMs;
    for (;;) {
      const pid = await processOf(join(this.#options.folder, 'haproxy.pid'), configuration);
      if (pid !== undefined) return pid;
      // What was never configured does not run: a new node's process is not sought among all of the machine's.
      if (!(await this.#disk.isConfigured())) return undefined;
      // A master that starts itself anew for a reload has no file for a moment.
      if (performance.now() > until || !(await isRunning(configuration))) return undefined;
      await sleep(pollMs);
    }
  }

  /** Takes over a running one that had this model last; false: none runs that answers. */
  async adopt(model: HaproxyModel): Promise<boolean> {
    if ((await this.pid()) === undefined) return false;
    // What a worker is told that a reload is about to replace would be lost.
    const isSettled = await this.#reloadIsOver(() => true);
    const answer = await this.#runtime.ask('show info').catch(() => '');
    if (!answer.startsWith('Name: HAProxy')) return false;
    this.#model = model;
    // The process that changed it last may have been killed before it wrote down what it did.
    const states = await readServerStates(this.#runtime);
    this.#structureIsKnown =
      isSettled &&
      /^description: (\S+)$/m.exec(answer)?.[1] === structureOf(model) &&
      [...states].every(([backend, servers]) =>
        [...servers.keys()].every((name) => model.backends.get(backend)?.servers.has(name) === true),
      );
    this.#filesAreKnown = false;
    this.#serversAreKnown = false;
    return true;
  }

  /** Resolves when its servers have been checked once, or after some seconds. */
  async start(model: HaproxyModel): Promise<void> {
    const { program, folder } = this.#options;
    await this.#inTurn(async () => {
      // It sends traffic to the servers of its configuration before it has checked them: so they are added when it runs.
      const bare = withServers(model, () => false);
      await this.#disk.write(bare);
      // No states: those of an earlier start say nothing of now.
      await this.#disk.put(this.#disk.states, '1\n');
      const [command = program, ...before] = [...this.#options.wrapper(), program];
      const files = ['-f', this.#disk.configuration, '-p', join(folder, 'haproxy.pid')];
      const master = ['-S', `${join(folder, 'master.sock')},mode,600`];
      // It reads its configuration before it goes to the background: no check of its own is needed.
      await run(command, [...before, '-W', '-D', ...files, ...master], { timeout: startMs }).catch((error: unknown) => {
        throw notAccepted(error);
      });
      this.#model = bare;
      [this.#structureIsKnown, this.#filesAreKnown] = [true, true];
      await this.#change(model);
    });
  }

  /** After a start: the first checks are over, or late. Until then it answers 503. */
  async firstChecks(): Promise<void> {
    const soon = new AbortController();
    await Promise.race([
      this.settled(),
      sleep(firstChecksMs, undefined, { signal: soon.signal }).catch(() => undefined),
    ]);
    soon.abort();
  }

  /** After a start: each pool has a member that is ready, or the first checks are over, or late. */
  async firstMembers(): Promise<void> {
    const until = performance.now() + firstChecksMs;
    while (this.#settling !== undefined && performance.now() < until) {
      const states = await readServerStates(this.#runtime);
      const isReady = (name: string) =>
        [...(states.get(name)?.values() ?? [])].some(({ admin, isUp }) => admin === 'READY' && isUp);
      if ([...(this.#model?.backends.values() ?? [])].every(({ name, servers }) => servers.size === 0 || isReady(name)))
        return;
      await sleep(pollMs);
    }
  }

  /** Brings it to the model. Rejects when HAProxy does not accept it; what runs then is as before. */
  apply(model: HaproxyModel): Promise<Applied> {
    return this.#inTurn(async () => {
      const before = this.#model;
      if (before === undefined) throw new Error('HAProxy was neither started nor adopted');
      const reasons = this.#structureIsKnown ? reloadReasons(before, model) : ['it is not known what runs'];
      const { reloadPauseMs = 1_000 } = this.#options;
      const waitMs = this.#reloadedAt + reloadPauseMs - performance.now();
      if (reasons.length === 0) await this.#change(model);
      else if (waitMs > 0) {
        await this.#change(withoutReload(before, model));
        return { reloaded: false, reasons, waitMs };
      } else {
        await this.#reload(before, model);
        await this.#change(model);
      }
      return { reloaded: reasons.length > 0, reasons, waitMs: 0 };
    });
  }

  /** Where the model, the running HAProxy and the disk do not say the same; for a model that was applied and settled. */
  disagreements(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      if (this.#model === undefined) return ['HAProxy was neither started nor adopted'];
      return [...(await this.#disk.differences(this.#model)), ...(await disagreementsOf(this.#model, this.#runtime))];
    });
  }

  /** Ends it, with its sessions. */
  async stop(): Promise<void> {
    await this.leave();
    const pid = await this.pid();
    if (pid === undefined) return;
    signalTo(pid, 'SIGTERM');
    const until = performance.now() + startMs;
    while ((await this.pid()) !== undefined) {
      if (performance.now() > until) signalTo(pid, 'SIGKILL');
      await sleep(pollMs);
    }
  }

  /** Lets go of it: it runs on. */
  async leave(): Promise<void> {
    this.#ending.abort();
    await this.settled();
    await this.#turn;
  }

  /** When first checks and removals are over. */
  async settled(): Promise<void> {
    while (this.#settling !== undefined) await this.#settling;
  }

  /** Sessions that wait for a server that does not answer end at once, so that their clients may try again. */
  async endSessions(backend: string, server: string): Promise<void> {
    await this.#endSessions(`${backend}/${server}`);
  }

  /** Also those of earlier workers, which a reload has left: these know no servers by name any more. */
  async #endSessions(target: string): Promise<void> {
    await this.#runtime.ask(`shutdown sessions server ${target}`);
    const [backend, server] = target.split('/');
    for (const worker of await this.#master.earlierWorkers()) {
      const shown = await this.#master.askMaster(`@!${worker} show sess;quit`);
      const own = shown.split('\n').filter((line) => line.includes(` be=${backend} srv=${server} `));
      const ends = own.map((line) => `@!${worker} shutdown session ${line.split(':')[0]}`);
      while (ends.length > 0) await this.#master.askMaster([...ends.splice(0, endedAtOnce), 'quit'].join(';'));
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** What the runtime socket can do, in a structure that runs already. */
  async #change(model: HaproxyModel): Promise<void> {
    const before = this.#model;
    if (before === undefined) return;
    const certificates = this.#filesAreKnown ? changedCertificates(before, model) : [...model.certificates.values()];
    const files = this.#filesAreKnown ? changedFiles(before, model) : [...model.files.values()];
    const gone = [...before.certificates.keys()].filter((path) => !model.certificates.has(path));
    const changed = certificates.length > 0 || files.length > 0 || gone.length > 0 || !this.#filesAreKnown;
    if (!changed && this.#serversAreKnown && sameServers(before, model)) return;
    await this.#disk.write(model, this.#filesAreKnown ? before : undefined);
    const wasKnown = this.#filesAreKnown;
    this.#filesAreKnown = !changed;
    this.#serversAreKnown = false;
    this.#model = model;
    // What is new is loaded when something names it.
    const present = {
      certificates: certificates.filter(({ path }) => !wasKnown || before.certificates.has(path)),
      files: files.filter(({ path }) => !wasKnown || before.files.has(path)),
    };
    await this.#files.bring(present, model);
    this.#filesAreKnown = true;
    const goesOn = await this.#servers.pass(model);
    this.#serversAreKnown = true;
    for (const path of gone) await this.#files.forgetCertificate(path);
    if (changed) await this.#disk.prune(model);
    if (goesOn) this.#settling ??= this.#settle().finally(() => (this.#settling = undefined));
  }

  async #settle(): Promise<void> {
    for (let pauseMs = pollMs; !this.#ending.signal.aborted; pauseMs = Math.min(pauseMs * 1.2, longestPollMs)) {
      await sleep(pauseMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      const goesOn = await this.#inTurn(async () => {
        if (this.#model === undefined || this.#ending.signal.aborted) return false;
        return this.#servers.pass(this.#model);
      }).catch(() => {
        // The next `apply` passes again, and tells its caller what is wrong.
        this.#serversAreKnown = false;
        return false;
      });
      if (!goesOn) return;
    }
  }

  /** The structure of `model`, with those of its servers that run already. New ones come at runtime, after it. */
  async #reload(before: HaproxyModel, model: HaproxyModel): Promise<void> {
    const states = await readServerStates(this.#runtime);
    const running = withServers(model, (backend, { name, address, port }) => {
      const state = states.get(backend)?.get(name);
      return state !== undefined && state.address === address && state.port === port;
    });
    const known = this.#withStandIns(running, before, model, states);
    let mayRun = false;
    try {
      await this.#disk.writeNamed(known);
      await this.#disk.put(this.#disk.candidate, configurationText(known));
      await this.#check(this.#disk.candidate);
      await this.#disk.put(this.#disk.states, `${await this.#runtime.ask('show servers state')}\n`);
      await this.#disk.put(this.#disk.configuration, configurationText(known));
      const processes = await this.#master.processes();
      mayRun = true;
      await this.#restartWorker(processes);
    } catch (error) {
      // A new worker that was late may run soon.
      if (mayRun) this.#structureIsKnown = false;
      await this.#disk.write(before);
      throw error;
    }
    await this.#disk.prune(model);
    this.#model = known;
    for (const [name, servers] of states)
      for (const server of servers.keys())
        if (known.backends.get(name)?.servers.has(server) !== true)
          this.#servers.leave(`${name}/${server}`, before.backends.get(name)?.drainMs ?? 0);
    this.#reloadedAt = performance.now();
    [this.#structureIsKnown, this.#filesAreKnown, this.#serversAreKnown] = [true, true, false];
  }

  /** Old servers with what they were made with: only in a backend that stays as it is. */
  #withStandIns(running: HaproxyModel, before: HaproxyModel, model: HaproxyModel, states: ServerStates): HaproxyModel {
    const backends = [...running.backends.values()].map((backend) => {
      const [was, wanted] = [before.backends.get(backend.name), model.backends.get(backend.name)];
      const stays = was !== undefined && was.lines.join('\n') === backend.lines.join('\n');
      const standIns = stays && wanted !== undefined ? this.#servers.standIns(wanted, states) : [];
      const servers = new Map([...backend.servers, ...standIns.map((server) => [server.name, server] as const)]);
      return [backend.name, { ...backend, servers }] as const;
    });
    return { ...running, backends: new Map(backends) };
  }

  async #check(path: string): Promise<void> {
    const { program } = this.#options;
    const [command = program, ...before] = [...this.#options.wrapper(), program];
    try {
      await run(command, [...before, '-c', '-f', path], { timeout: checkMs });
    } catch (error) {
      throw notAccepted(error);
    }
  }

  /** The new worker takes over listening sockets and the states of servers; the old one finishes its sessions. */
  async #restartWorker(before: Processes): Promise<void> {
    await this.#master.askMaster('reload').catch(() => '');
    const isNew = ({ reloads, worker }: Processes) =>
      reloads > before.reloads && worker !== undefined && worker !== before.worker;
    if (!(await this.#reloadIsOver(isNew))) throw new Error('HAProxy did not reload in time');
  }

  /**
   * The newest worker answers, and no other does: they have the same runtime socket until the earlier ones stop listening, and what those are
   * told is lost. False: not in time.
   */
  async #reloadIsOver(isAwaited: (processes: Processes) => boolean): Promise<boolean> {
    const master = this.#master;
    // One that is late with its answer may listen.
    const listens = async (worker: string) =>
      /^Stopping: 0$/m.test(await master.askMaster(`@!${worker} show info;quit`).catch(() => 'Stopping: 0'));
    const isOver = async () => {
      const processes = await master.processes();
      const { worker, earlier } = processes;
      if (!isAwaited(processes)) return false;
      if (worker === undefined) return true;
      for (const each of earlier) if (await listens(each)) return false;
      return (await this.#worker()) === worker;
    };
    for (const until = performance.now() + reloadMs; performance.now() < until; await sleep(pollMs))
      if (await isOver().catch(() => false)) return true;
    return false;
  }

  /** Process id of the worker that answers; undefined: none does. */
  async #worker(): Promise<string | undefined> {
    const answer = await this.#runtime.ask('show info').catch(() => '');
    return /^Pid: (\d+)$/m.exec(answer)?.[1];
  }
}

function notAccepted(error: unknown): Error {
  const { stderr, message } = error as Error & { readonly stderr?: string };
  return new Error(`HAProxy does not accept the configuration: ${alertsIn(stderr || message)}`);
}

/** Its first lines say what is wrong; the others repeat it. */
function alertsIn(stderr: string): string {
  const alerts = stderr.split('\n').filter((line) => line.includes('[ALERT]'));
  return (alerts.length > 0 ? alerts.slice(0, 3).join(' ') : stderr).slice(0, 1000);
}

function withServers(
  model: HaproxyModel,
  keep: (
    backend: string,
    server: { readonly name: string; readonly address: string; readonly port: number },
  ) => boolean,
): HaproxyModel {
  const backends = [...model.backends].map(([name, backend]) => {
    const servers = [...backend.servers].filter(([, server]) => keep(name, server));
    return [name, { ...backend, servers: new Map(servers) }] as const;
  });
  return { ...model, backends: new Map(backends) };
}

/** In models with the same backends. */
function sameServers(one: HaproxyModel, other: HaproxyModel): boolean {
  return [...other.backends].every(([name, { servers, drainMs }]) => {
    const before = one.backends.get(name);
    return (
      before?.servers.size === servers.size &&
      before.drainMs === drainMs &&
      [...servers].every(([server, { weight, state }]) => {
        const old = before.servers.get(server);
        return old !== undefined && old.weight === weight && old.state === state;
      })
    );
  });
}
