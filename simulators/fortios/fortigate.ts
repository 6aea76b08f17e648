// A FortiGate to test against: HTTPS (REST API) and SSH (command line) in front of one configuration. Each file names its
// sources; the knobs make it misbehave.

import { makeCertificate } from '../../platform/net/certificates.ts';
import { AppliedLog } from '../support/applied-log.ts';
import { type DeviceMemory, note } from '../support/device-memory.ts';
import { type FaultKnobs, Faults } from '../support/faults.ts';
import { type ShellSession, type SshShellOptions, SshShellServer } from '../support/ssh-shell.ts';
import type { TlsServerOptions } from '../support/tls-server.ts';
import { type DeviceAnswer, type DeviceRequest, TlsServer } from '../support/tls-server.ts';
import { Accounts, type ApiUser } from './accounts.ts';
import { fortiTerminal, runCommand, serveShell } from './cli.ts';
import { Cmdb } from './cmdb.ts';
import type { Device } from './device.ts';
import { TABLE_FULL } from './errors.ts';
import { answerRest } from './rest.ts';
import { Settings } from './settings.ts';
import { tablesFor } from './tables.ts';
import { featuresOf, parseVersion } from './version.ts';

export interface FortiGateOptions {
  /** From 5.6.0 on; default 7.4.5. */
  readonly version?: string;
  readonly hostname?: string;
  readonly serial?: string;
  /** Default admin / secret. */
  readonly username?: string;
  readonly password?: string;
  readonly apiUsers?: readonly ApiUser[];
  /** Default false: root is the only VDOM. */
  readonly multiVdom?: boolean;
  /** In addition to root. */
  readonly vdoms?: readonly string[];
  readonly interfaces?: Readonly<Record<string, string>>;
  readonly maxEntries?: number;
  readonly maxVdoms?: number;
  /** A banner that must be confirmed after login. */
  readonly postLoginBanner?: boolean;
  /** Administrators at once. */
  readonly maxSessions?: number;
  readonly sessionIdleMs?: number;
  readonly lockoutThreshold?: number;
  readonly lockoutMs?: number;
  readonly tls?: TlsServerOptions;
  readonly ssh?: Pick<SshShellOptions, 'port' | 'hostKey'>;
  /** Default: nothing is stored. */
  readonly memory?: DeviceMemory;
  /** Its SSH algorithms, for old clients. */
  readonly sshAlgorithms?: SshShellOptions['algorithms'];
  readonly faults?: Partial<FaultKnobs>;
  /** Seed of random faults. */
  readonly seed?: number;
  /** The error number of the fault FAIL; default -4 (table full). */
  readonly failCode?: number;
}

export class FortiGate {
  readonly host = '127.0.0.1';
  /** Its actions: the oracle of tests. */
  readonly log: AppliedLog;
  /** Every request of the REST API that arrived. */
  readonly requests: { readonly method: string; readonly path: string }[] = [];
  readonly device: Device;
  /** Replaces the API's answer if it returns one: for replies that no FortiGate should give. */
  answerInstead: ((request: DeviceRequest) => DeviceAnswer | undefined) | undefined;
  #https: TlsServer | undefined;
  #ssh: SshShellServer | undefined;
  readonly #memory: DeviceMemory | undefined;
  readonly #cliSessions = new Map<ShellSession, string>();

  private constructor(options: FortiGateOptions) {
    const version = parseVersion(options.version ?? '7.4.5');
    const { memory } = options;
    this.#memory = memory;
    this.log = new AppliedLog(memory);
    const keep = () => memory?.write({ cmdb: this.device.cmdb.state, settings: this.device.settings.state });
    const settings = new Settings(() => isStarted && keep());
    let isStarted = false;
    settings.set('system global', 'hostname', options.hostname ?? 'fgt');
    const features = featuresOf(version);
    const tables = tablesFor(features);
    this.device = {
      version,
      settings,
      features,
      tables,
      serial: options.serial ?? 'FGVM01TM00000001',
      multiVdom: options.multiVdom ?? false,
      cmdb: new Cmdb(
        {
          tables,
          vdoms: options.vdoms ?? [],
          interfaces: options.interfaces ?? { port1: 'root', port2: 'root', port3: 'root' },
          maxEntries: options.maxEntries ?? 10_000,
          maxVdoms: options.maxVdoms ?? 10,
        },
        this.log,
        keep,
      ),
      accounts: new Accounts({
        username: options.username ?? 'admin',
        password: options.password ?? 'secret',
        apiUsers: options.apiUsers ?? [],
        memory,
        maxSessions: options.maxSessions ?? 100,
        sessionIdleMs: options.sessionIdleMs ?? 300_000,
        lockoutThreshold: options.lockoutThreshold ?? 3,
        lockoutMs: options.lockoutMs ?? 60_000,
      }),
      faults: new Faults(options.faults, options.seed),
      failCode: options.failCode ?? TABLE_FULL,
      postLoginBanner: options.postLoginBanner ?? false,
      unconfirmed: new Set(),
      saves: [],
    };
    const kept = memory?.read() as { readonly cmdb: unknown; readonly settings: unknown } | undefined;
    if (kept !== undefined) {
      this.device.cmdb.restore(kept.cmdb);
      settings.restore(kept.settings);
    }
    isStarted = true;
  }

  /** Listens on two ports of the loopback. */
  static async start(options: FortiGateOptions = {}): Promise<FortiGate> {
    const gate = new FortiGate(options);
    const certificate = await makeCertificate({ commonName: gate.device.serial, names: ['127.0.0.1'] });
    gate.#https = await TlsServer.start((request) => gate.#answer(request), { certificate, ...options.tls });
    try {
      gate.#ssh = await gate.#startSsh(options);
    } catch (error) {
      await gate.#https.stop();
      throw error;
    }
    return gate;
  }

  get https(): TlsServer {
    if (!this.#https) throw new Error('not started');
    return this.#https;
  }

  get ssh(): SshShellServer {
    if (!this.#ssh) throw new Error('not started');
    return this.#ssh;
  }

  async stop(): Promise<void> {
    this.device.faults.stop();
    await this.https.stop();
    await this.ssh.stop();
  }

  async #answer(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    note(this.requests, { method: request.method, path: request.path }, this.#memory);
    return this.answerInstead?.(request) ?? (await answerRest(this.device, request));
  }

  async #startSsh({ ssh = {}, sshAlgorithms: algorithms }: FortiGateOptions): Promise<SshShellServer> {
    const { accounts } = this.device;
    return await SshShellServer.start({
      ...ssh,
      ...(algorithms ? { algorithms } : {}),
      terminal: fortiTerminal,
      authenticate: async (username, password, source, session) => {
        const outcome = accounts.login('CLI', { username, password, source });
        if (!('session' in outcome)) return false;
        this.#cliSessions.set(session, outcome.session.id);
        return true;
      },
      onDisconnect: (session) => {
        accounts.close(this.#cliSessions.get(session) ?? '');
        this.#cliSessions.delete(session);
      },
      onShell: (terminal, session) => {
        const isLoggedIn = () => accounts.session(this.#cliSessions.get(session) ?? '') !== undefined;
        return serveShell(this.device, terminal, { session, isLoggedIn });
      },
      onCommand: async (command, session) => ({
        stdout: await runCommand(this.device, command, session),
        exitCode: 0,
      }),
    });
  }
}
