// A gateway in this process. System, relay and a device are behind it in a separate process that can be killed and restarted.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningProcess, startProcess } from '../../../compose/process.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { readConfig } from '../../../platform/process/config.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { startProgram } from '../../bin/support/up-process.ts';
import { NftDevice } from '../../subgraphs/relay/support/nft-device.ts';
import { separateBackends } from '../../subgraphs/relay/support/separate-backends.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../../support/product/running-system.ts';

export class RelayHost {
  readonly place: SystemPlace;
  readonly device: NftDevice;
  readonly token: string;
  #gateway: RunningProcess;
  readonly #startGateway: () => Promise<RunningProcess>;
  readonly #configFile: string;
  #program: ReturnType<typeof startProgram> | undefined;

  private constructor(
    place: SystemPlace,
    device: NftDevice,
    token: string,
    gateway: RunningProcess,
    startGateway: () => Promise<RunningProcess>,
    configFile: string,
  ) {
    this.place = place;
    this.device = device;
    this.token = token;
    this.#gateway = gateway;
    this.#startGateway = startGateway;
    this.#configFile = configFile;
  }

  static async start(): Promise<RelayHost> {
    const place = await systemPlace();
    const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
    const accounts = await startProcess(
      readConfig({ flags: { ...place.settings, roles: 'system' } }, subgraphRows),
      log,
    );
    const token = await accountsOf(place, accounts);
    await accounts.stop();
    const [systemPort, relayPort] = [await freePort(), await freePort()];
    const configFile = join(place.folder.path, 'control.json');
    const control = { 'internal.systemPort': systemPort, 'internal.relayPort': relayPort, 'log.level': 'warn' };
    await writeFile(configFile, JSON.stringify({ ...place.settings, ...control, roles: ['system', 'relay'] }));
    const flags = {
      ...{
        roles: 'gateway',
        'listen.port': String(await freePort()),
        'keys.folder': place.settings['keys.folder'] ?? '',
      },
      'subgraphs.systemUrl': `http://127.0.0.1:${systemPort}/graphql`,
      'subgraphs.relayUrl': `http://127.0.0.1:${relayPort}/graphql`,
    };
    const startGateway = () => startProcess(readConfig({ flags }, subgraphRows), log);
    const gateway = await startGateway();
    const host = new RelayHost(place, await NftDevice.start(), token, gateway, startGateway, configFile);
    await host.startRelay();
    return host;
  }

  /** The URL of the gateway, without /graphql. */
  get origin(): string {
    return this.#gateway.url ?? '';
  }

  async startRelay(): Promise<void> {
    this.#program = startProgram(['serve', '--as-root', '--config', this.#configFile]);
    await waitFor('the relay', () => this.#answers('{ relayDrivers { name } backends { nodes { id } } }'));
  }

  /** SIGKILL: without closing its connections. */
  async killRelay(): Promise<void> {
    this.#program?.child.kill('SIGKILL');
    await this.#program?.ended;
  }

  /** SIGTERM: calls on the wire get their verdict. */
  async stopRelay(): Promise<void> {
    this.#program?.child.kill('SIGTERM');
    await this.#program?.ended;
  }

  /** Starts again at the same address. */
  async restartGateway(): Promise<void> {
    await this.#gateway.stop();
    this.#gateway = await this.#startGateway();
    await waitFor('the gateway', () => this.#answers('{ backends { nodes { id } } }'));
  }

  /** The first administrator's. */
  get login(): Promise<{ readonly name: string; readonly password: string }> {
    const file = join(this.place.folder.path, 'accounts', 'admin.password');
    return readFile(file, 'utf8').then((text) => ({ name: 'admin', password: text.trim() }));
  }

  async ask<Data>(query: string, variables: object = {}): Promise<Data> {
    const response = await fetch(`${this.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data | null; errors?: unknown };
    if (data == null || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** A backend that is this host's device. */
  async register(name: string, more: Record<string, unknown> = {}): Promise<string> {
    const { host, port, hostKeySha256 } = this.device.ssh;
    // All backends of a test share one device, and each test's calls use their own objects.
    await separateBackends(this.place.database);
    const input = {
      ...{ name, driver: 'linux-nftables', host, port, hostKeySha256 },
      ...{ credentials: { username: 'netops', password: 'secret' }, ...more },
    };
    const { made } = await this.ask<{ made: { backend: { id: string } | null; userErrors: unknown } }>(
      `mutation ($input: BackendCreateInput!) {
        made: backendCreate(input: $input) { backend { id } userErrors { code message } }
      }`,
      { input },
    );
    if (made.backend === null) throw new Error(JSON.stringify(made.userErrors));
    return made.backend.id;
  }

  async stop(): Promise<void> {
    await this.stopRelay();
    await this.#gateway.stop();
    await this.device.ssh.stop();
    await this.place.remove();
  }

  async #answers(query: string): Promise<boolean> {
    return this.ask(query).then(
      () => true,
      () => false,
    );
  }
}
