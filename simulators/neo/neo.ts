// A Mellanox NEO 2.7 with its switches, as its REST interface shows them. It follows the NVIDIA NEO REST API Guide 2.7.20 call by
// call; where the guide is silent it assumes 202 for a call that became a job, 401 for a wrong password, and
// the arguments of templates.

import { AppliedLog } from '../support/applied-log.ts';
import { type DeviceMemory, note } from '../support/device-memory.ts';
import { type FaultKnobs, Faults } from '../support/faults.ts';
import { type DeviceAnswer, type DeviceRequest, TlsServer, type TlsServerOptions } from '../support/tls-server.ts';
import { provisionPorts, runCli, runTemplate } from './actions.ts';
import { newSwitch, type Switch } from './fabric.ts';
import { Jobs } from './jobs.ts';
import { answer, readObject } from './json.ts';
import { readResource } from './resources.ts';
import { Sessions } from './sessions.ts';
import { type ArgumentNames, makeTemplates, type Template } from './templates.ts';

interface NeoOptions {
  /** Passwords by user name. Default admin / secret. */
  readonly users?: Readonly<Record<string, string>>;
  /** Default 2.7.20. */
  readonly version?: string;
  /** In replies. Default 1.0.2. */
  readonly restVersion?: string;
  /** Names by address. Default two switches, 10.224.15.29 and 10.224.15.30. */
  readonly switches?: Readonly<Record<string, string>>;
  /** Ports of each switch. Default 4. */
  readonly ports?: number;
  /** The names of the templates' arguments. Default vlan_id, mtu, speed. */
  readonly argumentNames?: ArgumentNames;
  readonly faults?: Partial<FaultKnobs>;
  readonly seed?: number;
  readonly tls?: TlsServerOptions;
  /** Default: nothing is stored. */
  readonly memory?: DeviceMemory;
  /** For sessions and jobs, in milliseconds. Default: the real time. */
  readonly now?: () => number;
}

export class Neo {
  readonly jobs: Jobs;
  readonly sessions: Sessions;
  readonly switches: ReadonlyMap<string, Switch>;
  readonly faults: Faults;
  readonly applied: AppliedLog;
  /** Every request, in order, as `METHOD path`. */
  readonly requests: string[] = [];
  /** Replaces the answers of the next calls after login; writes are still accepted. */
  readonly answersInstead: DeviceAnswer[] = [];
  /** The same for writes alone. */
  readonly writesInstead: DeviceAnswer[] = [];
  readonly #templates: readonly Template[];
  readonly #version: string;
  readonly #restVersion: string;
  readonly #memory: DeviceMemory | undefined;
  #server: TlsServer | undefined;

  private constructor(options: NeoOptions) {
    const { users = { admin: 'secret' }, now = Date.now, ports = 4 } = options;
    const names = options.switches ?? { '10.224.15.29': 'switch29', '10.224.15.30': 'switch30' };
    const kept = options.memory?.read() as
      | { readonly switches: Map<string, Switch>; readonly jobs: unknown }
      | undefined;
    this.#memory = options.memory;
    this.applied = new AppliedLog(options.memory);
    this.switches =
      kept?.switches ?? new Map(Object.entries(names).map(([ip, name]) => [ip, newSwitch(ip, name, ports)]));
    this.jobs = new Jobs(now);
    if (kept !== undefined) this.jobs.restore(kept.jobs);
    this.sessions = new Sessions(new Map(Object.entries(users)), now);
    this.faults = new Faults(options.faults, options.seed);
    this.#templates = makeTemplates(options.argumentNames ?? { vlan: 'vlan_id', mtu: 'mtu', speed: 'speed' });
    this.#version = options.version ?? '2.7.20';
    this.#restVersion = options.restVersion ?? '1.0.2';
  }

  static async start(options: NeoOptions = {}): Promise<Neo> {
    const neo = new Neo(options);
    neo.#server = await TlsServer.start(async (request) => {
      const given = await neo.#serve(request);
      return given && { ...given, headers: { 'rest-version': neo.#restVersion, ...given.headers } };
    }, options.tls);
    return neo;
  }

  get server(): TlsServer {
    if (!this.#server) throw new Error('not started');
    return this.#server;
  }

  get #parts() {
    return { switches: this.switches, templates: this.#templates, jobs: this.jobs, version: this.#version };
  }

  async stop(): Promise<void> {
    this.faults.stop();
    await this.server.stop();
  }

  async #serve(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    note(this.requests, `${request.method} ${request.path}`, this.#memory);
    if (this.jobs.advance()) this.#keep();
    if (request.method === 'POST' && request.path === '/neo/login') {
      await this.faults.delay();
      return this.sessions.login(request, this.#version);
    }
    const user = this.sessions.userOf(request);
    if (user === undefined) return this.sessions.refuse();
    const given = await this.#answer(request, user);
    const written = request.method === 'GET' ? undefined : this.writesInstead.shift();
    return given && (written ?? this.answersInstead.shift() ?? given);
  }

  async #answer(request: DeviceRequest, user: string): Promise<DeviceAnswer | undefined> {
    const segments = readSegments(request.path);
    if (request.method === 'GET') {
      await this.faults.delay();
      return readResource(segments, request.query, this.#parts) ?? notFound;
    }
    return this.faults.around<DeviceAnswer>({
      apply: () => {
        const given = this.#write(request, segments, user);
        if (given.status < 300) {
          this.applied.add({ via: 'REST', action: `${request.method} ${request.path}`, text: request.body });
          this.#keep();
        }
        return given;
      },
      fail: () => answer(400, { error: 'simulated failure' }),
      drop: () => request.cut(),
    });
  }

  #keep(): void {
    this.#memory?.write({ switches: this.switches, jobs: this.jobs.state });
  }

  #write(request: DeviceRequest, segments: readonly string[], user: string): DeviceAnswer {
    const [neo, actions, kind, template] = segments;
    const body = readObject(request.body);
    if (request.method !== 'POST' || neo !== 'neo' || actions !== 'actions') return notFound;
    if (!body) return answer(400, { error: 'Invalid JSON' });
    const parts = this.#parts;
    if (kind === undefined) return runCli(body, user, parts);
    if (kind === 'ports' && template === undefined) return provisionPorts(body, user, parts);
    if (kind === 'provisioning' && template !== undefined) return runTemplate(body, template, user, parts);
    return notFound;
  }
}

const notFound: DeviceAnswer = answer(404, { error: 'Not found' });

/** Percent-decoded. Empty if that fails. */
function readSegments(path: string): readonly string[] {
  try {
    return path.replace(/\/$/, '').split('/').slice(1).map(decodeURIComponent);
  } catch {
    return [];
  }
}
