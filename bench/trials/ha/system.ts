// Engine A of the trial: etcd on three hosts, an agent and MariaDB on two; each process is started again when it ends, as an init would.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../../embedded/run-program.ts';
import { haKeys, leaderValue, setUpReign, syncValue } from '../../../ha/agent/keys.ts';
import { Session } from '../../../ha/agent/session.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { fill, free, mountDisk, unmountDisk } from './disk.ts';
import { Keeper } from './keeper.ts';
import { type DataHost, type HaNetwork, type PlaceName, places } from './network.ts';
import { dataHosts, type Pair, type PairState, type Part, until } from './pair.ts';
import { etcdUrls, type TrialSettings } from './settings.ts';
import { tables } from './tables.ts';

export class HaSystem implements Pair {
  readonly network: HaNetwork;
  readonly settings: TrialSettings;
  readonly settingsFile: string;
  readonly #keepers: Keeper[] = [];

  private constructor(network: HaNetwork, settings: TrialSettings) {
    this.network = network;
    this.settings = settings;
    this.settingsFile = join(settings.folder, 'settings.json');
  }

  static async start(network: HaNetwork, folder: string, leaseMs: number, signal: AbortSignal): Promise<HaSystem> {
    const issuer = await makeCertificate({ commonName: 'trial authority', use: 'authority' });
    const { cert, key } = await makeCertificate({ commonName: 'trial', names: Object.values(places), issuer });
    const password = () => randomBytes(18).toString('base64url');
    const system = new HaSystem(network, {
      ...{ folder, leaseMs, cluster: 'trial', ca: issuer.cert, cert, key },
      ...{ applicationPassword: password(), replicationPassword: password() },
    });
    await writeFile(system.settingsFile, JSON.stringify(system.settings), { mode: 0o600 });
    for (const [name, text] of Object.entries({ ca: issuer.cert, cert, key }))
      await writeFile(join(folder, name), text, { mode: 0o600 });
    for (const host of dataHosts) await mountDisk(join(folder, host));
    await mkdir(join(folder, 'w'), { mode: 0o711 });
    for (const host of ['a', 'b', 'w'] as const) system.#keep(host, 'etcd');
    await system.#setUp(signal);
    for (const host of dataHosts) system.#keep(host, 'agent');
    await until('both hosts in sync', 120_000, async () => (await system.state())?.isWhole === true, signal);
    const primary = (await system.state())?.primary ?? 'a';
    const session = system.sql(primary);
    for (const statement of tables) await session.query(statement, [], 10_000);
    session.forget();
    return system;
  }

  async state(): Promise<PairState | undefined> {
    const keys = haKeys(this.settings.cluster);
    const body = JSON.stringify({ key: base64(keys.leader), range_end: base64(`${keys.sync}0`) });
    for (const url of etcdUrls) {
      const answer = await this.#ask(`${url}/v3/kv/range`, body);
      if (answer === undefined) continue;
      const { kvs = [] } = JSON.parse(answer) as { kvs?: { key: string; value: string }[] };
      const found = (name: string) => kvs.find((each) => Buffer.from(each.key, 'base64').toString() === name)?.value;
      const [leader, sync] = [found(keys.leader), found(keys.sync)];
      if (sync === undefined) return undefined;
      const parsed = syncValue.parse(JSON.parse(Buffer.from(sync, 'base64').toString()));
      const lead =
        leader === undefined ? undefined : leaderValue.parse(JSON.parse(Buffer.from(leader, 'base64').toString()));
      return {
        primary: parsed.primary as DataHost,
        epoch: parsed.epoch,
        isWhole: lead?.host === parsed.primary && parsed.members.length === 1,
      };
    }
    return undefined;
  }

  /** A new session as root, over the host's own socket. */
  sql(host: DataHost): Session {
    const folder = join(this.settings.folder, host, 'agent');
    const password = readFileSync(join(folder, 'secrets', 'mariadb-root'), 'utf8').trim();
    return new Session({ socketPath: join(folder, 'run', 'mariadb.sock'), user: 'root', password });
  }

  async pid(host: DataHost, what: Part): Promise<number | undefined> {
    if (what === 'agent') return this.#keepers.find((each) => each.host === host && each.what === 'agent')?.pid;
    const path = what === 'etcd' ? ['etcd', 'etcd', 'etcd.pid'] : ['agent', 'mariadb', 'server.pid'];
    const text = await readFile(join(this.settings.folder, host, ...path), 'utf8').catch(() => '');
    return text.trim() === '' ? undefined : Number(text.trim());
  }

  async switchover(to: DataHost): Promise<void> {
    const key = haKeys(this.settings.cluster).switchover;
    const body = JSON.stringify({ key: base64(key), value: base64(JSON.stringify({ to })) });
    for (const url of etcdUrls) if ((await this.#ask(`${url}/v3/kv/put`, body)) !== undefined) return;
    throw new Error('etcd does not answer');
  }

  fillDisk(host: DataHost): Promise<void> {
    return fill(join(this.settings.folder, host));
  }

  freeDisk(host: DataHost): Promise<void> {
    return free(join(this.settings.folder, host));
  }

  async stop(): Promise<void> {
    for (const each of this.#keepers) each.stop();
    await this.network.remove();
    for (const host of dataHosts) await unmountDisk(join(this.settings.folder, host));
  }

  #keep(host: PlaceName, what: 'etcd' | 'agent'): void {
    const words = [process.execPath, program(what), this.settingsFile, host];
    this.#keepers.push(new Keeper(this.network, host, what, words, this.settings.folder));
  }

  /** What `init` will do: the first primary. */
  async #setUp(signal: AbortSignal): Promise<void> {
    const keys = haKeys(this.settings.cluster);
    const sync = { primary: 'a', epoch: 0, reign: setUpReign, members: [] };
    const body = JSON.stringify({ key: base64(keys.sync), value: base64(JSON.stringify(sync)) });
    const isPut = async () => (await this.#ask(`${etcdUrls[2]}/v3/kv/put`, body))?.includes('revision') === true;
    await until('etcd answers', 60_000, isPut, signal);
  }

  /** This process is in none of the hosts' networks: curl asks in the client's. */
  async #ask(url: string, body: string): Promise<string | undefined> {
    const { folder } = this.settings;
    const { exitCode, stdout } = await runProgram('ip', [
      ...['netns', 'exec', this.network.namespace('c'), 'curl', '--silent', '--fail', '--max-time', '1'],
      ...['--cacert', join(folder, 'ca'), '--cert', join(folder, 'cert'), '--key', join(folder, 'key')],
      ...['--data', body, url],
    ]);
    return exitCode === 0 ? stdout : undefined;
  }
}

function program(what: 'etcd' | 'agent'): string {
  return fileURLToPath(new URL(`./${what}-process.ts`, import.meta.url));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
