// Engine A of the trial: etcd on three hosts, an agent and MariaDB on two. Each process is restarted when it ends, as an init does.
// needs: system, etcd-server, keepalived, mariadb-server-core, mariadb-client-core, mariadb-backup, redis-tools, util-linux, curl
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../embedded/run-program.ts';
import {
  type Change,
  changeValue,
  haKeys,
  leaderValue,
  savedValue,
  setUpReign,
  syncValue,
} from '../../ha/agent/keys.ts';
import { Session } from '../../ha/agent/session.ts';
import type { LoopDisk } from '../../lab/loop-disk.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { type MigrationOwner, migrate } from '../../platform/database/migrate.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { mountDisk } from './disk.ts';
import { canSkew, FalseClock } from './false-clock.ts';
import { type DataHost, type HaNetwork, type PlaceName, places } from './network.ts';
import { dataHosts, type Pair, type PairState, type Part, until } from './pair.ts';
import { account, addressFolder, database, etcdPorts, etcdUrls, members, type TrialSettings } from './settings.ts';
import { Supervisor } from './supervisor.ts';
import { tables, timeline } from './tables.ts';

/** As in bin/tidegate and bin/tidegate.ts. It halves an agent's memory and saves a third of its start. */
const agentEnvironment = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../generated/compile-cache', import.meta.url)),
  ...{ NODE_OPTIONS: '--max-semi-space-size=1', MALLOC_ARENA_MAX: '2' },
};
const platformTables: MigrationOwner = {
  owner: 'platform',
  folder: fileURLToPath(new URL('../../prisma/migrations/platform', import.meta.url)),
};

export interface HaSystemOptions {
  readonly folder: string;
  readonly leaseMs: number;
  readonly skewed: boolean;
  /** With the product's own tables. */
  readonly isMigrated?: boolean;
  readonly signal: AbortSignal;
}

export class HaSystem implements Pair {
  readonly network: HaNetwork;
  readonly settings: TrialSettings;
  readonly settingsFile: string;
  readonly parts: ReadonlySet<Part> = new Set<Part>(['mariadbd', 'agent', 'etcd', 'keepalived']);
  readonly #supervisors: Supervisor[] = [];
  readonly #clocks = new Map<DataHost, FalseClock>();
  readonly #disks = new Map<DataHost, LoopDisk>();

  private constructor(network: HaNetwork, settings: TrialSettings) {
    this.network = network;
    this.settings = settings;
    this.settingsFile = join(settings.folder, 'settings.json');
  }

  /** `skewed`: the hosts' clocks can be set. */
  static async start(network: HaNetwork, options: HaSystemOptions): Promise<HaSystem> {
    const { folder, leaseMs, skewed, isMigrated = false, signal } = options;
    const issuer = await makeCertificate({ commonName: 'trial authority', use: 'authority' });
    const { cert, key } = await makeCertificate({ commonName: 'trial', names: Object.values(places), issuer });
    const password = () => randomBytes(18).toString('base64url');
    const system = new HaSystem(network, {
      ...{ folder, leaseMs, cluster: 'trial', ca: issuer.cert, cert, key },
      ...{ applicationPassword: password(), replicationPassword: password() },
    });
    try {
      await system.#start(skewed && (await canSkew()), isMigrated, signal);
      return system;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  async #start(skewed: boolean, isMigrated: boolean, signal: AbortSignal): Promise<void> {
    const { folder, ca, cert, key } = this.settings;
    await writeFile(this.settingsFile, JSON.stringify(this.settings), { mode: 0o600 });
    for (const [name, text] of Object.entries({ ca, cert, key }))
      await writeFile(join(folder, name), text, { mode: 0o600 });
    for (const host of dataHosts) {
      this.#disks.set(host, await mountDisk(folder, host));
      if (skewed) this.#clocks.set(host, await FalseClock.make(folder, host));
    }
    await mkdir(join(folder, 'w'), { mode: 0o711 });
    for (const host of ['a', 'b', 'w'] as const) this.#keep(host, 'etcd');
    await this.#setUp(signal);
    this.#keep('w', 'clock');
    for (const host of dataHosts) this.#keep(host, 'agent');
    await until('both hosts in sync', 120_000, async () => (await this.state())?.isWhole === true, signal);
    const primary = (await this.state())?.primary ?? 'a';
    if (isMigrated) await migrate(this.#application(primary), [platformTables]);
    const session = this.sql(primary);
    for (const statement of [...(isMigrated ? [] : timeline), ...tables]) await session.query(statement, [], 10_000);
    session.forget();
  }

  async state(): Promise<PairState | undefined> {
    const keys = haKeys(this.settings.cluster);
    const found = await this.#range(keys.prefix, `${keys.prefix}~`);
    const value = (name: string) => found?.find(({ key }) => key === name)?.value;
    const [leader, sync] = [value(keys.leader), value(keys.sync)];
    if (sync === undefined) return undefined;
    const parsed = syncValue.parse(JSON.parse(sync));
    const lead = leader === undefined ? undefined : leaderValue.parse(JSON.parse(leader));
    return {
      primary: parsed.primary as DataHost,
      epoch: parsed.epoch,
      isWhole: lead?.host === parsed.primary && parsed.members.length === 1,
      said: dataHosts.map((host) => value(keys.report(host)) ?? ''),
    };
  }

  /** A new session as root, over the host's own socket. */
  sql(host: DataHost): Session {
    const folder = join(this.settings.folder, host, 'agent');
    const password = readFileSync(join(folder, 'secrets', 'mariadb-root'), 'utf8').trim();
    return new Session({ socketPath: join(folder, 'run', 'mariadb.sock'), user: 'root', password });
  }

  #application(host: DataHost): DatabaseLocation {
    const { folder, applicationPassword: password } = this.settings;
    return { socketPath: join(folder, host, 'agent', 'run', 'mariadb.sock'), user: account, password, database };
  }

  async pid(host: DataHost, what: Part): Promise<number | undefined> {
    if (what === 'agent') return this.#supervisors.find((each) => each.host === host && each.what === 'agent')?.pid;
    const paths = {
      etcd: ['etcd', 'etcd', 'etcd.pid'],
      mariadbd: ['agent', 'mariadb', 'server.pid'],
      keepalived: ['agent', addressFolder, 'keepalived.pid'],
    };
    const text = await readFile(join(this.settings.folder, host, ...paths[what]), 'utf8').catch(() => '');
    return text.trim() === '' ? undefined : Number(text.trim());
  }

  async switchover(to: DataHost): Promise<void> {
    const key = haKeys(this.settings.cluster).switchover;
    const body = JSON.stringify({ key: base64(key), value: base64(JSON.stringify({ to })) });
    for (const url of etcdUrls) if ((await this.#ask(`${url}/v3/kv/put`, body)) !== undefined) return;
    throw new Error('etcd does not answer');
  }

  async hasCaughtUp(copy: DataHost, primary: DataHost, withinMs: number): Promise<boolean> {
    const [from, to] = [this.sql(primary), this.sql(copy)];
    try {
      const [at] = await from.query<{ position: string }[]>('SELECT @@GLOBAL.gtid_binlog_pos AS position', [], 10_000);
      const waited = 'SELECT MASTER_GTID_WAIT(?, ?) AS missed';
      const values = [at?.position ?? '', withinMs / 1000];
      const [row] = await to.query<{ missed: number }[]>(waited, values, withinMs + 10_000);
      return row?.missed === 0;
    } finally {
      from.forget();
      to.forget();
    }
  }

  async savedOf(host: DataHost): Promise<readonly string[]> {
    const { saves } = haKeys(this.settings.cluster);
    const found = await this.#range(saves, `${saves}~`);
    const saved = (found ?? []).map(({ value }) => savedValue.parse(JSON.parse(value)));
    return saved.filter((each) => each.host === host).flatMap(({ gtids }) => gtids);
  }

  /** Changes of the primary; newest last. */
  async changes(): Promise<readonly Change[]> {
    const { changes } = haKeys(this.settings.cluster);
    const found = await this.#range(changes, `${changes}~`);
    return (found ?? []).map(({ value }) => changeValue.parse(JSON.parse(value)));
  }

  /** The agent moves the leadership away again within some seconds. */
  async leadEtcdFrom(host: DataHost): Promise<void> {
    const ids = new Map<(typeof members)[number]['name'], string>();
    let leader = '';
    for (const { name } of members) {
      const answer = await this.#ask(`${urlOf(name)}/v3/maintenance/status`, '{}');
      if (answer === undefined) continue;
      const status = JSON.parse(answer) as { header: { member_id: string }; leader: string };
      ids.set(name, status.header.member_id);
      leader = status.leader;
    }
    const [at] = [...ids].find(([, id]) => id === leader) ?? [];
    if (at === host) return;
    const body = JSON.stringify({ targetID: ids.get(host) });
    if (at === undefined || (await this.#ask(`${urlOf(at)}/v3/maintenance/transfer-leadership`, body)) === undefined)
      throw new Error(`etcd is not led from ${host}`);
  }

  disk(host: DataHost): LoopDisk {
    const disk = this.#disks.get(host);
    if (disk === undefined) throw new Error(`${host} has no disk`);
    return disk;
  }

  async powerOff(host: PlaceName): Promise<void> {
    for (const each of this.#of(host)) each.hold();
    await this.network.powerOff(host);
  }

  async powerOn(host: PlaceName): Promise<void> {
    await this.network.plug(host);
    for (const each of this.#of(host)) each.release();
  }

  get skew(): ((host: DataHost, seconds: number) => Promise<void>) | undefined {
    return this.#clocks.size === 0 ? undefined : async (host, seconds) => this.#clocks.get(host)?.set(seconds);
  }

  async stop(): Promise<void> {
    for (const each of this.#supervisors) each.stop();
    await this.network.remove();
    for (const each of this.#disks.values()) await each.unmount();
  }

  #of(host: PlaceName): readonly Supervisor[] {
    return this.#supervisors.filter((each) => each.host === host);
  }

  #keep(host: PlaceName, what: 'etcd' | 'agent' | 'clock'): void {
    const { network, settings } = this;
    const clock = host === 'a' || host === 'b' ? this.#clocks.get(host) : undefined;
    const words = [process.execPath, program(what), this.settingsFile, host];
    this.#supervisors.push(
      new Supervisor({
        ...{ network, host, what, logs: settings.folder },
        words: clock === undefined || what !== 'agent' ? words : clock.within(words),
        env: { ...agentEnvironment, ...(clock === undefined || what !== 'agent' ? {} : clock.env) },
      }),
    );
  }

  /** Does the work of `init`: creates the first primary. */
  async #setUp(signal: AbortSignal): Promise<void> {
    const keys = haKeys(this.settings.cluster);
    const sync = { primary: 'a', epoch: 0, reign: setUpReign, members: [] };
    const body = JSON.stringify({ key: base64(keys.sync), value: base64(JSON.stringify(sync)) });
    const isPut = async () => (await this.#ask(`${etcdUrls[2]}/v3/kv/put`, body))?.includes('revision') === true;
    await until('etcd answers', 60_000, isPut, signal);
  }

  /** Undefined if nobody answers. */
  async #range(
    from: string,
    end: string,
  ): Promise<readonly { readonly key: string; readonly value: string }[] | undefined> {
    const body = JSON.stringify({ key: base64(from), range_end: base64(end) });
    for (const url of etcdUrls) {
      const answer = await this.#ask(`${url}/v3/kv/range`, body);
      if (answer === undefined) continue;
      const { kvs = [] } = JSON.parse(answer) as { kvs?: { key: string; value: string }[] };
      return kvs.map(({ key, value }) => ({ key: plain(key), value: plain(value) }));
    }
    return undefined;
  }

  /** This process is in none of the hosts' networks, so curl sends the request from the client's network. */
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

function urlOf(host: (typeof members)[number]['name']): string {
  return `https://${places[host]}:${etcdPorts[0]}`;
}

function program(what: 'etcd' | 'agent' | 'clock'): string {
  return fileURLToPath(new URL(`./${what}-process.ts`, import.meta.url));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function plain(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
