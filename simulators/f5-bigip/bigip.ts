// A BIG-IP 13.1 as its REST interface shows it. It follows F5's iControl REST User Guide and Reference 13.1 and, where these are
// silent, reports of users: 100 tokens per user (f5-ansible#269), 503 while a task runs (k8s-bigip-ctlr#2192)
// and more in troubles.ts.

import { AppliedLog } from '../support/applied-log.ts';
import { type DeviceMemory, note } from '../support/device-memory.ts';
import { type FaultKnobs, Faults } from '../support/faults.ts';
import { type DeviceAnswer, type DeviceRequest, TlsServer, type TlsServerOptions } from '../support/tls-server.ts';
import { Asm } from './asm.ts';
import { Config } from './config.ts';
import { serveLtm } from './ltm.ts';
import { mcpRefusal, Refusal, restRefusal } from './rest.ts';
import { serveSystem } from './system.ts';
import { Tokens } from './tokens.ts';
import { type Trouble, troubleAfter, troubleBefore } from './troubles.ts';

interface BigIpOptions {
  /** Passwords by user name. Default admin / secret and netops / secret. */
  readonly users?: Readonly<Record<string, string>>;
  /** Default 13.1.1. */
  readonly version?: string;
  readonly hostname?: string;
  readonly serial?: string;
  readonly faults?: Partial<FaultKnobs>;
  readonly seed?: number;
  readonly tls?: TlsServerOptions;
  /** Default: nothing is stored. */
  readonly memory?: DeviceMemory;
  /** For tokens and tasks, in milliseconds. Default: the real time. */
  readonly now?: () => number;
}

export class BigIp {
  readonly config = new Config();
  readonly asm: Asm;
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly applied: AppliedLog;
  /** Every request, in order, as `METHOD path`. */
  readonly requests: string[] = [];
  /** Replaces the answers of the next writes, which are still executed, and of the next reads. */
  readonly answersInstead: DeviceAnswer[] = [];
  readonly #troubles: Trouble[] = [];
  readonly #memory: DeviceMemory | undefined;
  readonly #identity: { readonly hostname: string; readonly serial: string; readonly version: string };
  #server: TlsServer | undefined;

  private constructor(options: BigIpOptions) {
    const { users = { admin: 'secret', netops: 'secret' }, version = '13.1.1', now = Date.now } = options;
    this.tokens = new Tokens(new Map(Object.entries(users)), now);
    this.asm = new Asm(this.config, now);
    this.applied = new AppliedLog(options.memory);
    this.#memory = options.memory;
    this.faults = new Faults(options.faults, options.seed);
    this.#identity = {
      hostname: options.hostname ?? 'bigip-1.example.com',
      serial: options.serial ?? 'f5-sim-0001',
      version,
    };
    const kept = this.#memory?.read() as { readonly config: unknown; readonly asm: unknown } | undefined;
    if (kept === undefined) return;
    this.config.restore(kept.config);
    this.asm.restore(kept.asm);
  }

  static async start(options: BigIpOptions = {}): Promise<BigIp> {
    const device = new BigIp(options);
    device.#server = await TlsServer.start((request) => device.#serve(request), options.tls);
    return device;
  }

  get server(): TlsServer {
    if (!this.#server) throw new Error('not started');
    return this.#server;
  }

  plan(...troubles: readonly Trouble[]): void {
    this.#troubles.push(...troubles);
  }

  async stop(): Promise<void> {
    this.faults.stop();
    await this.server.stop();
  }

  async #serve(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    note(this.requests, `${request.method} ${request.path}`, this.#memory);
    if (this.asm.tasks.advance()) this.#keep();
    const segments = readSegments(request.path);
    const login = segments?.join('/') === 'mgmt/shared/authn/login' && request.method === 'POST';
    if (login || segments?.[1] === 'shared') {
      await this.faults.delay();
      return refusable(() => (login ? this.tokens.login(request) : this.#serveTokens(request, segments ?? [])));
    }
    const answer = async () => {
      if (request.method === 'GET') {
        await this.faults.delay();
        return this.#answer(request, segments);
      }
      return this.faults.around<DeviceAnswer>({
        apply: () => this.#answer(request, segments),
        fail: () => mcpRefusal(400, '01070734:3: Configuration error: simulated failure.').answer,
        drop: () => request.cut(),
      });
    };
    const given = await answer();
    return given && (this.answersInstead.shift() ?? given);
  }

  #serveTokens(request: DeviceRequest, segments: readonly string[]): DeviceAnswer {
    this.tokens.authenticate(request);
    const [, , authz, tokens, name] = segments;
    if (authz !== 'authz' || tokens !== 'tokens' || name === undefined) throw notRegistered(request);
    return this.tokens.manage(request, name);
  }

  /** Executes one call; refusals become answers. */
  #answer(request: DeviceRequest, segments: readonly string[] | undefined): DeviceAnswer {
    return refusable(() => {
      this.tokens.authenticate(request);
      const trouble = this.#troubles.shift();
      const instead = trouble && troubleBefore(trouble, request);
      if (instead) return instead;
      const answer = this.#route(request, segments);
      if (request.method !== 'GET') {
        const action = `${request.method} ${request.path.replace('/mgmt/tm/', '')}`;
        this.applied.add({ via: 'REST', action, text: `${decodeURIComponent(request.path)} ${request.body}` });
        this.#keep();
      }
      return (trouble && troubleAfter(trouble, request)) ?? answer;
    });
  }

  #keep(): void {
    this.#memory?.write({ config: this.config.state, asm: this.asm.state });
  }

  #route(request: DeviceRequest, segments: readonly string[] | undefined): DeviceAnswer {
    const [mgmt, tm, ...rest] = segments ?? [];
    if (mgmt !== 'mgmt' || tm !== 'tm') throw notRegistered(request);
    const answer =
      rest[0] === 'asm'
        ? this.asm.serve(request, rest.slice(1))
        : (serveLtm(request, rest, this.config) ?? serveSystem(request, rest, this.config, this.#identity));
    if (!answer) throw notRegistered(request);
    return answer;
  }
}

/** Percent-decoded. Undefined if that fails. A trailing slash has no meaning. */
function readSegments(path: string): readonly string[] | undefined {
  try {
    return path.replace(/\/$/, '').split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function refusable(answer: () => DeviceAnswer): DeviceAnswer {
  try {
    return answer();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

const notRegistered = (request: DeviceRequest): Refusal =>
  restRefusal(404, `Public URI path not registered: ${request.path.replace(/^\/mgmt/, '')}`);
