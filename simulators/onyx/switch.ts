// A simulated Mellanox switch with MLNX-OS or Onyx 3.6 to 3.10: one state behind a command line over SSH and the JSON API over
// HTTPS, with faults for tests of clients. Sources: configure.ts and shows.ts.

import { AppliedLog } from '../support/applied-log.ts';
import { type DeviceMemory, note } from '../support/device-memory.ts';
import { type FaultKnobs, Faults } from '../support/faults.ts';
import { type SshShellOptions, SshShellServer } from '../support/ssh-shell.ts';
import { TlsServer, type TlsServerOptions } from '../support/tls-server.ts';
import type { OnyxDevice, OnyxKnobs } from './device.ts';
import { JsonApi } from './json-api.ts';
import { serveShell } from './shell.ts';
import type { SwitchIdentity } from './shows.ts';
import { factoryConfig, type SwitchConfig } from './state.ts';

interface OnyxOptions {
  /** Default 3.7.1102. Before 3.6.6000 the JSON of `show` has other formats. */
  readonly version?: string;
  readonly serial?: string;
  readonly hostname?: string;
  /** Ethernet ports, 1/1 to 1/n. Default 16. */
  readonly ports?: number;
  /** Accounts with their passwords. Default admin / secret. */
  readonly accounts?: Readonly<Record<string, string>>;
  readonly faults?: Partial<FaultKnobs>;
  readonly seed?: number;
  readonly tls?: TlsServerOptions;
  readonly ssh?: Pick<SshShellOptions, 'port' | 'hostKey'>;
  /** Default: nothing is stored. */
  readonly memory?: DeviceMemory;
  readonly sshAlgorithms?: SshShellOptions['algorithms'];
}

export class OnyxSwitch implements OnyxDevice {
  readonly log: AppliedLog;
  readonly faults: Faults;
  /** May be changed at any time. */
  readonly knobs: OnyxKnobs = {
    maxShells: Number.POSITIVE_INFINITY,
    maxWebSessions: Number.POSITIVE_INFINITY,
    webSessionLifetimeMs: 900_000,
    jsonApi: true,
    jsonTrailer: '',
    loginRedirects: false,
    stopsAtError: false,
  };
  readonly identity: SwitchIdentity;
  config: SwitchConfig;
  readonly shells = { now: 0, most: 0, total: 0 };
  readonly ssh: SshShellServer;
  readonly https: TlsServer;
  readonly api: JsonApi;
  /** Passwords of all login attempts. */
  readonly attempts: string[] = [];
  readonly #accounts: ReadonlyMap<string, string>;
  readonly #memory: DeviceMemory | undefined;
  #saved: SwitchConfig;

  private constructor(options: OnyxOptions, servers: { ssh: SshShellServer; https: TlsServer }) {
    const { version = '3.7.1102', serial = 'MT1708X07233', hostname = 'switch-1', ports = 16 } = options;
    this.identity = { version, serial };
    this.#memory = options.memory;
    this.log = new AppliedLog(options.memory);
    const kept = options.memory?.read() as { readonly config: SwitchConfig; readonly saved: SwitchConfig } | undefined;
    this.config = kept?.config ?? factoryConfig(hostname, ports);
    this.#saved = kept?.saved ?? structuredClone(this.config);
    this.faults = new Faults(options.faults, options.seed);
    this.#accounts = new Map(Object.entries(options.accounts ?? { admin: 'secret' }));
    this.api = new JsonApi(this);
    this.ssh = servers.ssh;
    this.https = servers.https;
  }

  /** Listens on two ports of the loopback. */
  static async start(options: OnyxOptions = {}): Promise<OnyxSwitch> {
    const late: { device?: OnyxSwitch } = {};
    const device = () => {
      if (late.device === undefined) throw new Error('the switch is still starting');
      return late.device;
    };
    const ssh = await SshShellServer.start({
      authenticate: async (username, password) => device().isAccount(username, password),
      terminal: { pagerPrompt: 'lines 1-23 ', pagerErase: '\r           \r', helpKeys: '?' },
      onShell: (terminal, session) => serveShell(device(), terminal, session),
      ...options.ssh,
      ...(options.sshAlgorithms === undefined ? {} : { algorithms: options.sshAlgorithms }),
    });
    const https = await TlsServer.start((request) => device().api.serve(request), options.tls).catch(async (error) => {
      await ssh.stop();
      throw error;
    });
    late.device = new OnyxSwitch(options, { ssh, https });
    return late.device;
  }

  isAccount(username: string, password: string): boolean {
    note(this.attempts, password, this.#memory);
    return this.#accounts.get(username) === password;
  }

  applied(via: string, line: string): void {
    this.log.add({ via, action: line.trim(), text: line });
    this.#memory?.write({ config: this.config, saved: this.#saved });
  }

  save(): void {
    this.#saved = structuredClone(this.config);
  }

  /** Unsaved changes and all sessions are lost. */
  reload(): void {
    this.config = structuredClone(this.#saved);
    this.api.forgetSessions();
    this.ssh.cutAll();
    this.https.cutAll();
  }

  async stop(): Promise<void> {
    this.faults.stop();
    await Promise.all([this.ssh.stop(), this.https.stop()]);
  }
}
