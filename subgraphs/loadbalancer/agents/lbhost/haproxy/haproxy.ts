// Controls one HAProxy in master-worker mode, which runs independently of this process. It is adopted if it is already running, otherwise
// started. It is brought to a model through its runtime socket, or by a reload if that is not enough. The files on disk always describe
// what is running.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { changedCertificates, changedFiles, reloadReasons, withoutReload } from '../../../rules/haproxy/changes.ts';
import {
  admissionsIn,
  configurationText,
  type FileModel,
  type HaproxyModel,
  structureOf,
} from '../../../rules/haproxy/model.ts';
import { bareEnvironment, type Cell } from '../confinement/cell.ts';
import { readText } from '../node-files.ts';
import { isRunning, processOf, signalTo } from '../own-processes.ts';
import { disagreementsOf } from './agreement.ts';
import { DiskFiles } from './disk-files.ts';
import { refusalWords } from './refusal.ts';
import { admissionCommands, RuntimeFiles } from './runtime-files.ts';
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
/** Commands in one line of the master's socket. */
const endedAtOnce = 100;

interface HaproxyOptions {
  readonly program: string;
  /** Folder of this HAProxy. */
  readonly folder: string;
  /** How the program is started. */
  readonly cell: () => Cell;
  /** Shortest time between two reloads: changes in between are combined. Default 1000. */
  readonly reloadPauseMs?: number;
}

export interface Applied {
  readonly reloaded: boolean;
  /** Reasons for the reload that was done or is pending. */
  readonly reasons: readonly string[];
  /** Time until the pending reload: call `apply` again then. Changes that need no reload are in effect. 0 if everything is. */
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
  /** The model that it has or is being brought to. */
  #model: HaproxyModel | undefined;
  /** False if the running configuration may differ from the model's: only a reload is certain then. */
  #structureIsKnown = true;
  /** False if certificates and files in its memory may differ from the model's. */
  #filesAreKnown = true;
  #serversAreKnown = true;
  /** Listeners and pools with sessions whose clients or members must prove something else now. */
  readonly #outdated = new Map<string, FileModel>();
  #reloadedAt = Number.NEGATIVE_INFINITY;
  /** First checks and removals, which continue after `apply`. */
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

  /** Process id of the master. Undefined if it is not running. */
  async pid(): Promise<number | undefined> {
    const { configuration } = this.#disk;
    const until = performance.now() + anewMs;
    for (;;) {
      const pid = await processOf(this.#pidFile, configuration);
      if (pid !== undefined) return pid;
      // An HAProxy that was never configured is not running: skips a search through all processes of the machine.
      if (!(await this.#disk.isConfigured())) return undefined;
      // A master that re-executes itself for a reload briefly has no file.
      if (performance.now() > until || !(await isRunning(configuration))) return undefined;
      await sleep(pollMs);
    }
  }

  /** Adopts a running HAProxy whose last model was this one. False if none is running and answering. */
  async adopt(model: HaproxyModel): Promise<boolean> {
    if ((await this.pid()) === undefined) return false;
    // Changes sent to a worker that is about to be replaced would be lost.
    const isSettled = await this.#reloadIsOver(() => true);
    const answer = await this.#runtime.ask('show info').catch(() => '');
    if (!answer.startsWith('Name: HAProxy')) return false;
    this.#model = model;
    // The last process may have been killed before it recorded its changes.
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

  /** Resolves after the first check of its servers, or after some seconds. */
  async start(model: HaproxyModel): Promise<void> {
    const { program, folder } = this.#options;
    await this.#inTurn(async () => {
      // HAProxy would send traffic to configured servers before it has checked them, so they are added at runtime.
      const bare = withServers(model, () => false);
      await this.#disk.write(bare);
      // No states: those of an earlier start are out of date.
      await this.#disk.put(this.#disk.states, '1\n');
      const cell = this.#options.cell();
      await cell.prepare();
      const master = ['-S', `${join(folder, 'master.sock')},mode,600`];
      const [command = '', ...words] = cell.launch({
        ...{ role: 'HAPROXY', pidFile: this.#pidFile, output: this.#output },
        command: [program, '-W', '-f', this.#disk.configuration, ...master],
      });
      await run(command, words, { timeout: startMs, env: bareEnvironment() });
      await this.#started(bare);
      this.#model = bare;
      [this.#structureIsKnown, this.#filesAreKnown] = [true, true];
      await this.#change(model);
    });
  }

  /** After a start: resolves when the first checks are over or late. Until then it answers 503. */
  async firstChecks(): Promise<void> {
    const soon = new AbortController();
    await Promise.race([
      this.settled(),
      sleep(firstChecksMs, undefined, { signal: soon.signal }).catch(() => undefined),
    ]);
    soon.abort();
  }

  /** After a start: resolves when each pool has a ready member, or the first checks are over or late. */
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

  /** Brings it to the model. Rejects if HAProxy does not accept it; then only changes that need no reload are in effect. */
  apply(model: HaproxyModel): Promise<Applied> {
    return this.#inTurn(async () => {
      const before = this.#model;
      if (before === undefined) throw new Error('HAProxy was neither started nor adopted');
      const reasons = this.#structureIsKnown ? reloadReasons(before, model) : ['the running configuration is unknown'];
      const { reloadPauseMs = 1_000 } = this.#options;
      const waitMs = this.#reloadedAt + reloadPauseMs - performance.now();
      if (reasons.length === 0) await this.#change(model);
      else if (waitMs > 0) {
        await this.#change(withoutReload(before, model));
        return { reloaded: false, reasons, waitMs };
      } else {
        await this.#reload(before, model).catch(async (error: unknown) => {
          // Changes that need no reload don't wait for an accepted configuration.
          if (error instanceof RefusedError) await this.#change(withoutReload(before, model)).catch(() => undefined);
          throw error;
        });
        await this.#change(model);
      }
      return { reloaded: reasons.length > 0, reasons, waitMs: 0 };
    });
  }

  /** The differences between model, running HAProxy and disk. For a model that was applied and has settled. */
  disagreements(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      if (this.#model === undefined) return ['HAProxy was neither started nor adopted'];
      return [...(await this.#disk.differences(this.#model)), ...(await disagreementsOf(this.#model, this.#runtime))];
    });
  }

  /** Stops it, with its sessions. */
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

  /** Releases it without stopping it. */
  async leave(): Promise<void> {
    this.#ending.abort();
    await this.settled();
    await this.#turn;
  }

  /** Resolves when first checks and removals are over. */
  async settled(): Promise<void> {
    while (this.#settling !== undefined) await this.#settling;
  }

  /** Ends sessions that wait for a server that does not answer, so that their clients may try again. */
  async endSessions(backend: string, server: string): Promise<void> {
    await this.#endSessions(`${backend}/${server}`);
  }

  /** Also ends sessions in earlier workers after a reload. These no longer know servers by name. */
  async #endSessions(target: string): Promise<void> {
    await this.#runtime.ask(`shutdown sessions server ${target}`);
    const [backend, server] = target.split('/');
    for (const worker of await this.#master.earlierWorkers())
      await this.#endSessionsIn(worker, [` be=${backend} srv=${server} `]);
  }

  /** Ends sessions whose line in `show sess` contains one of the texts. `worker`: process id of an earlier worker. Default: the current one. */
  async #endSessionsIn(worker: string | undefined, texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return;
    const [socket, prefix, last] =
      worker === undefined ? [this.#runtime, '', []] : [this.#master, `@!${worker} `, ['quit']];
    const shown = await socket.askMaster([`${prefix}show sess`, ...last].join(';'));
    const own = shown.split('\n').filter((line) => texts.some((text) => line.includes(text)));
    const ends = own.map((line) => `${prefix}shutdown session ${line.split(':')[0]}`);
    while (ends.length > 0) await socket.askMaster([...ends.splice(0, endedAtOnce), ...last].join(';'));
  }

  /** Records sessions that were accepted under conditions that no longer hold. */
  #noteOutdated(before: HaproxyModel, after: HaproxyModel): void {
    for (const [path, file] of after.files)
      if (file.kind === 'ADMISSIONS' && (before.files.get(path)?.content ?? file.content) !== file.content)
        this.#outdated.set(path, file);
  }

  /** Ends them, also in earlier workers, whose connections get no further requests. */
  async #endOutdated(): Promise<void> {
    const files = [...this.#outdated.values()];
    if (files.length === 0) return;
    const names = files.flatMap((file) => [...admissionsIn(file).keys()]);
    const ofClients = names.map((name) => ` fe=${name} `);
    for (const worker of await this.#master.earlierWorkers()) {
      for (const command of files.flatMap(admissionCommands))
        await this.#master.askMaster(`@!${worker} ${command};quit`);
      await this.#endSessionsIn(worker, [...ofClients, ...names.map((name) => ` be=${name} `)]);
    }
    // What members must prove changes only with a reload: the current worker has no older sessions with them.
    await this.#endSessionsIn(undefined, ofClients);
    this.#outdated.clear();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Makes all changes that the runtime socket can make in the running structure. */
  async #change(model: HaproxyModel): Promise<void> {
    const before = this.#model;
    if (before === undefined) return;
    const certificates = this.#filesAreKnown ? changedCertificates(before, model) : [...model.certificates.values()];
    const files = this.#filesAreKnown ? changedFiles(before, model) : [...model.files.values()];
    const gone = [...before.certificates.keys()].filter((path) => !model.certificates.has(path));
    const changed = certificates.length > 0 || files.length > 0 || gone.length > 0 || !this.#filesAreKnown;
    this.#noteOutdated(before, model);
    if (!changed && this.#serversAreKnown && sameServers(before, model)) return this.#endOutdated();
    await this.#disk.write(model, this.#filesAreKnown ? before : undefined);
    const wasKnown = this.#filesAreKnown;
    this.#filesAreKnown = !changed;
    this.#serversAreKnown = false;
    this.#model = model;
    // A new file is loaded when something refers to it.
    const present = {
      certificates: certificates.filter(({ path }) => !wasKnown || before.certificates.has(path)),
      files: files.filter(({ path }) => !wasKnown || before.files.has(path)),
    };
    // Even if the rest is refused, unwanted servers get no new requests.
    if (present.certificates.length + present.files.length > 0) await this.#servers.withdraw(model);
    await this.#files.bring(present, model);
    this.#filesAreKnown = true;
    await this.#endOutdated();
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
        // The next `apply` runs a pass again, and reports the error to its caller.
        this.#serversAreKnown = false;
        return false;
      });
      if (!goesOn) return;
    }
  }

  /** Loads the structure of `model` with those of its servers that are already running. New servers are added at runtime afterwards. */
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
      await this.#check(this.#disk.candidate, known);
      await this.#disk.put(this.#disk.states, `${await this.#runtime.ask('show servers state')}\n`);
      await this.#disk.put(this.#disk.configuration, configurationText(known));
      const processes = await this.#master.processes();
      mayRun = true;
      await this.#restartWorker(processes);
    } catch (error) {
      // A late new worker may start soon.
      if (mayRun) this.#structureIsKnown = false;
      await this.#disk.write(before);
      throw error;
    }
    await this.#disk.prune(model);
    this.#noteOutdated(before, known);
    this.#model = known;
    for (const [name, servers] of states)
      for (const server of servers.keys())
        if (known.backends.get(name)?.servers.has(server) !== true)
          this.#servers.leave(`${name}/${server}`, before.backends.get(name)?.drainMs ?? 0);
    this.#reloadedAt = performance.now();
    [this.#structureIsKnown, this.#filesAreKnown, this.#serversAreKnown] = [true, true, false];
  }

  /** Keeps old servers with their original keywords, but only in a backend that does not change. */
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

  async #check(path: string, model: HaproxyModel): Promise<void> {
    const { program, cell } = this.#options;
    const [command = '', ...words] = cell().beside(await this.pid(), [program, '-c', '-f', path]);
    try {
      await run(command, words, { timeout: checkMs, env: bareEnvironment() });
    } catch (error) {
      const { stderr, message } = error as Error & { readonly stderr?: string };
      throw this.#notAccepted(stderr || message, model);
    }
  }

  /** Resolves when its worker answers: it has then read its configuration and bound its ports. Rejects with its output if it ends. */
  async #started(model: HaproxyModel): Promise<void> {
    for (const until = performance.now() + startMs; performance.now() < until; await sleep(pollMs)) {
      if ((await this.#worker()) !== undefined) return;
      if ((await processOf(this.#pidFile, this.#disk.configuration)) === undefined)
        throw this.#notAccepted((await readText(this.#output)) || 'it ended without output', model);
    }
    throw new Error('HAProxy did not start in time');
  }

  #notAccepted(stderr: string, model: HaproxyModel): Error {
    const { folder } = this.#options;
    return new RefusedError(refusalWords({ stderr, configuration: configurationText(model), folder }));
  }

  get #pidFile(): string {
    return join(this.#options.folder, 'haproxy.pid');
  }

  /** Its last output. */
  get #output(): string {
    return join(this.#options.folder, 'haproxy.out');
  }

  /** The new worker takes over listening sockets and states of servers; the old one finishes its sessions. */
  async #restartWorker(before: Processes): Promise<void> {
    await this.#master.askMaster('reload').catch(() => '');
    const isNew = ({ reloads, worker }: Processes) =>
      reloads > before.reloads && worker !== undefined && worker !== before.worker;
    if (!(await this.#reloadIsOver(isNew))) throw new Error('HAProxy did not reload in time');
  }

  /**
   * Waits until the newest worker answers and no other does. They share one runtime socket until the earlier ones stop listening, and
   * commands to those are lost. False on timeout.
   */
  async #reloadIsOver(isAwaited: (processes: Processes) => boolean): Promise<boolean> {
    const master = this.#master;
    // A worker that is late with its answer may still be listening.
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

  /** Process id of the answering worker. Undefined if none answers. */
  async #worker(): Promise<string | undefined> {
    const answer = await this.#runtime.ask('show info').catch(() => '');
    return /^Pid: (\d+)$/m.exec(answer)?.[1];
  }
}

/** HAProxy does not accept a configuration. */
export class RefusedError extends Error {
  constructor(words: string) {
    super(`HAProxy does not accept the configuration: ${words}`);
  }
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

/** For models with the same backends. */
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
