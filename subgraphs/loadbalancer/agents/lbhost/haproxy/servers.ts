// Brings HAProxy's servers to a model at runtime. Each pass reads their states and sends the missing commands, so a pass can be repeated,
// and the next one finishes an interrupted one.
//
// HAProxy sends traffic to a new server before its first check. So a server is added drained, checked, and made ready after its first
// successful check. An unwanted server gets no new sessions at once; it is removed when its sessions have ended or its time is up. Only if
// all servers of a backend are replaced, the old ones serve until a new one is ready, or until their time is up.
import { addCommand, type BackendModel, type HaproxyModel, type ServerModel } from '../../../rules/haproxy/model.ts';
import { RuntimeError, type RuntimeSocket } from './runtime-socket.ts';
import { readServerStates, type ServerState, type ServerStates } from './server-states.ts';

interface ServersOptions {
  readonly runtime: RuntimeSocket;
  /** Called before a server is added: loads the files that its keywords refer to. */
  readonly prepare: (server: ServerModel) => Promise<void>;
  /** Ends sessions of `BACKEND/NAME`, also in earlier workers after a reload. */
  readonly endSessions: (target: string) => Promise<void>;
  /** Whether there are earlier workers. */
  readonly hasEarlier: () => Promise<boolean>;
}

/** Monotonic milliseconds. */
type Clock = () => number;

/** Until its deadline a drained server gets requests of existing clients: it may need this long to answer the last of them. */
const lastMs = 2_000;
/** Longest time that an unwanted server stands in for its replacements, if the pool's `drainMs` is not longer. */
const mostStandInMs = 60_000;

export class Servers {
  readonly #options: ServersOptions;
  readonly #now: Clock;
  /** Since when servers have had no new sessions, by `BACKEND/NAME`. */
  readonly #leaving = new Map<string, number>();
  /** Servers whose sessions were ended. */
  readonly #ended = new Set<string>();
  /** Since when unwanted servers have been standing in for others. */
  readonly #standIns = new Map<string, number>();
  /** Servers that only earlier workers have, and when their sessions end there. */
  readonly #finishing = new Map<string, number>();
  /** The last wanted state of running servers. */
  readonly #wanted = new Map<string, ServerModel>();

  constructor(options: ServersOptions, now: Clock = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  /**
   * Returns true if first checks or removals continue, so that another pass is needed soon. A server that HAProxy refuses does not hold up
   * others.
   */
  async pass(model: HaproxyModel): Promise<boolean> {
    const states = await readServerStates(this.#options.runtime);
    let goesOn = false;
    const refused: RuntimeError[] = [];
    const each = async (work: Promise<boolean>) => {
      goesOn = (await work.catch((error: unknown) => noteRefused(refused, error))) || goesOn;
    };
    const open = new Set<string>();
    for (const backend of model.backends.values()) {
      const present = states.get(backend.name) ?? new Map<string, ServerState>();
      for (const server of backend.servers.values()) {
        const target = `${backend.name}/${server.name}`;
        if (server.state === 'MAINT' || server.state === 'ENDED') open.add(target);
        this.#wanted.set(target, server);
        await each(this.#bring(backend, server, present.get(server.name), states));
      }
      const standIns = new Set(this.standIns(backend, states).map(({ name }) => name));
      for (const state of present.values())
        if (!backend.servers.has(state.name)) {
          open.add(`${backend.name}/${state.name}`);
          if (standIns.has(state.name)) goesOn = true;
          else await each(this.#remove(backend, state));
        }
    }
    this.#forget(model, open);
    const isFinishing = await this.#finish(model);
    if (refused[0] !== undefined) throw refused[0];
    return isFinishing || goesOn;
  }

  /** Only stops new sessions of servers that are unwanted or disabled. */
  async withdraw(model: HaproxyModel): Promise<void> {
    const states = await readServerStates(this.#options.runtime);
    for (const backend of model.backends.values()) {
      const standIns = new Set(this.standIns(backend, states).map(({ name }) => name));
      for (const { name, admin } of states.get(backend.name)?.values() ?? []) {
        const wanted = backend.servers.get(name)?.state;
        const serves = wanted === undefined ? standIns.has(name) : wanted === 'READY' || wanted === 'DRAIN';
        if (!serves && admin !== 'MAINT')
          await this.#options.runtime.tell(`set server ${backend.name}/${name} state maint`);
      }
    }
  }

  /** A server has left the current worker: its sessions in earlier ones may last this long. */
  leave(target: string, drainMs: number): void {
    this.#finishing.set(target, (this.#leaving.get(target) ?? this.#now()) + drainMs);
  }

  /** True if sessions in earlier workers have time left. */
  async #finish(model: HaproxyModel): Promise<boolean> {
    for (const [target, endMs] of this.#finishing) {
      const [backend = '', name = ''] = target.split('/');
      const isBack = model.backends.get(backend)?.servers.has(name) === true;
      if (!isBack && this.#now() < endMs) continue;
      this.#finishing.delete(target);
      if (!isBack) await this.#options.endSessions(target);
    }
    return this.#finishing.size > 0;
  }

  /** Unwanted servers that serve until a wanted one does. */
  standIns(backend: BackendModel, states: ServerStates): ServerModel[] {
    const present = states.get(backend.name) ?? new Map<string, ServerState>();
    const toServe = [...backend.servers.values()].filter(({ state, weight }) => state === 'READY' && weight > 0);
    if (toServe.some(({ name }) => serves(present.get(name)))) return [];
    const oneIsNew = toServe.some(({ name }) => present.get(name)?.admin !== 'READY');
    const now = this.#now();
    return [...present.values()].flatMap((state) => {
      const target = `${backend.name}/${state.name}`;
      const server = this.#wanted.get(target);
      if (backend.servers.has(state.name) || server === undefined || !serves(state)) return [];
      const since = this.#standIns.get(target) ?? (oneIsNew ? now : undefined);
      if (since === undefined || now - since >= Math.min(backend.drainMs, mostStandInMs)) return [];
      this.#standIns.set(target, since);
      return [server];
    });
  }

  /** `open`: servers that are unwanted or disabled. */
  #forget(model: HaproxyModel, open: ReadonlySet<string>): void {
    for (const kept of [this.#leaving, this.#ended, this.#standIns])
      for (const target of kept.keys()) if (!open.has(target)) kept.delete(target);
    for (const target of this.#wanted.keys()) {
      const [backend = '', name = ''] = target.split('/');
      if (!open.has(target) && model.backends.get(backend)?.servers.has(name) !== true) this.#wanted.delete(target);
    }
  }

  async #bring(
    backend: BackendModel,
    server: ServerModel,
    state: ServerState | undefined,
    states: ServerStates,
  ): Promise<boolean> {
    const { runtime } = this.#options;
    const target = `${backend.name}/${server.name}`;
    if (state === undefined) return this.#add(backend, server);
    if (state.weight !== server.weight) await runtime.tell(`set server ${target} weight ${server.weight}`);
    // Reloads preserve this for a server that was added in maintenance. Checks that are enabled only after it has left maintenance stay
    // paused.
    if (server.checked && !state.isChecked) await runtime.tell(enableChecks(target));
    if (server.checked && state.isPaused && state.admin !== 'MAINT') {
      await runtime.tell(`set server ${target} state maint`);
      return true;
    }
    switch (server.state) {
      case 'READY':
        return this.#makeReady(backend, server, state, states);
      case 'DRAIN':
        if (state.admin !== 'DRAIN') await runtime.tell(drain(target));
        return false;
      default:
        if (state.admin !== 'MAINT') await runtime.tell(`set server ${target} state maint`);
        return this.#endSessions(target, server.state === 'ENDED' ? lastMs : backend.drainMs);
    }
  }

  async #add(backend: BackendModel, server: ServerModel): Promise<boolean> {
    const { runtime, prepare } = this.#options;
    const target = `${backend.name}/${server.name}`;
    await prepare(server);
    const add = addCommand(backend.name, server);
    const added = /^New server registered\.\s*$/;
    // It starts in maintenance.
    if (server.state === 'MAINT' || server.state === 'ENDED') {
      await runtime.tell(add, added);
      return false;
    }
    if (server.state === 'READY' && !server.checked && backend.follows === undefined) {
      await runtime.tell(add, added);
      await this.#ready(backend, target);
      return false;
    }
    // In one line: if its checks are enabled before HAProxy reaches the first one, they begin at once, otherwise an interval later.
    const checks = server.checked ? [enableChecks(target)] : [];
    await runtime.tell([add, drain(target), ...checks].join(';'), added);
    // This member may already have clients: from before it was drained, or through another node that has checked it.
    await this.#enableCookie(backend);
    return server.state === 'READY';
  }

  async #makeReady(
    backend: BackendModel,
    server: ServerModel,
    state: ServerState,
    states: ServerStates,
  ): Promise<boolean> {
    if (state.admin === 'READY') return false;
    const target = `${backend.name}/${server.name}`;
    const leads = backend.follows === undefined ? state : states.get(backend.follows)?.get(server.name);
    const mayServe =
      backend.follows === undefined
        ? !server.checked || isDecided(state)
        : leads !== undefined && leads.admin === 'READY';
    if (mayServe) {
      await this.#ready(backend, target);
      return false;
    }
    // From maintenance it goes to drained, where it is checked without getting traffic.
    if (state.admin === 'MAINT') await this.#options.runtime.tell(drain(target));
    return true;
  }

  async #ready(backend: BackendModel, target: string): Promise<void> {
    await this.#enableCookie(backend);
    await this.#options.runtime.tell(`set server ${target} state ready`);
  }

  /** Without this command an added server has an empty cookie. */
  async #enableCookie({ name, dynamicCookie }: BackendModel): Promise<void> {
    if (dynamicCookie) await this.#options.runtime.tell(`enable dynamic-cookie backend ${name}`);
  }

  /** True if it still exists. */
  async #remove({ name: backend, drainMs }: BackendModel, state: ServerState): Promise<boolean> {
    const { runtime } = this.#options;
    const target = `${backend}/${state.name}`;
    if (state.admin !== 'MAINT') await runtime.tell(`set server ${target} state maint`);
    // HAProxy refuses this while the server has sessions.
    if (/deleted|No such server/.test(await runtime.ask(`del server ${target}`))) {
      if (!this.#ended.has(target) && (await this.#options.hasEarlier())) this.leave(target, drainMs);
      return false;
    }
    await this.#endSessions(target, drainMs);
    return true;
  }

  /** Ends a server's sessions when their time is up. Returns true if it is not yet. */
  async #endSessions(target: string, drainMs: number): Promise<boolean> {
    const now = this.#now();
    const since = this.#leaving.get(target) ?? now;
    this.#leaving.set(target, since);
    if (this.#ended.has(target)) return false;
    if (now - since < drainMs) return true;
    this.#ended.add(target);
    await this.#options.endSessions(target);
    return false;
  }
}

function noteRefused(refused: RuntimeError[], error: unknown): false {
  if (!(error instanceof RuntimeError)) throw error;
  refused.push(error);
  return false;
}

function drain(target: string): string {
  return `set server ${target} state drain`;
}

function enableChecks(target: string): string {
  return `enable health ${target}`;
}

/** Its first check succeeded, or failed so that it is down and gets nothing when it is made ready. */
function isDecided({ check, isUp }: ServerState): boolean {
  return check === 'PASSED' || (check === 'FAILED' && !isUp);
}

function serves(state: ServerState | undefined): boolean {
  return state !== undefined && state.admin === 'READY' && state.isUp && state.weight > 0;
}
