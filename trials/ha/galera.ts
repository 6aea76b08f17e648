// Engine B of the trial: Galera with two data nodes and garbd. The client writes through one node and switches only when that one refuses.
// A returning node gets missing writes from the other node's write-set cache, or gets a copy (galera-copy.sh).
import { randomBytes } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../embedded/run-program.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { Session } from '../../ha/agent/session.ts';
import type { LoopDisk } from '../../lab/loop-disk.ts';
import { mountDisk } from './disk.ts';
import { canSkew, FalseClock } from './false-clock.ts';
import { type DataHost, type HaNetwork, type PlaceName, places } from './network.ts';
import { dataHosts, type Pair, type PairState, type Part, until } from './pair.ts';
import { account, database } from './settings.ts';
import { Supervisor } from './supervisor.ts';
import type { HaSystemOptions } from './system.ts';
import { tables, timeline } from './tables.ts';

/** As in issue 13: a member is suspected after 1.5 s. */
export const groupOptions = [
  ...['evs.suspect_timeout=PT1.5S', 'evs.inactive_timeout=PT3S', 'evs.keepalive_period=PT0.3S'],
  'evs.inactive_check_period=PT0.3S',
];
const statusTimeoutMs = 1_000;
const restartMs = 5_000;

export class GaleraSystem implements Pair {
  readonly network: HaNetwork;
  readonly settingsFile: string;
  readonly #folder: string;
  readonly parts: ReadonlySet<Part> = new Set<Part>(['mariadbd']);
  readonly #supervisors: Supervisor[] = [];
  readonly #clocks = new Map<DataHost, FalseClock>();
  readonly #disks = new Map<DataHost, LoopDisk>();

  private constructor(network: HaNetwork, folder: string) {
    this.network = network;
    this.#folder = folder;
    this.settingsFile = join(folder, 'settings.json');
  }

  static async start(
    network: HaNetwork,
    { folder, skewed, signal }: Pick<HaSystemOptions, 'folder' | 'skewed' | 'signal'>,
  ): Promise<GaleraSystem> {
    const system = new GaleraSystem(network, folder);
    try {
      await system.#start(skewed && (await canSkew()), signal);
      return system;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  async #start(skewed: boolean, signal: AbortSignal): Promise<void> {
    const folder = this.#folder;
    const applicationPassword = randomBytes(18).toString('base64url');
    await writeFile(this.settingsFile, JSON.stringify({ folder, applicationPassword }), { mode: 0o600 });
    await copyFile(new URL('./galera-copy.sh', import.meta.url), join(folder, 'wsrep_sst_trial'));
    for (const host of dataHosts) {
      this.#disks.set(host, await mountDisk(folder, host));
      if (skewed) this.#clocks.set(host, await FalseClock.make(folder, host));
    }
    await mkdir(join(folder, 'w'));
    await this.#makeData(applicationPassword);
    const joined = (host: DataHost) =>
      until(`${host} has joined`, 120_000, async () => (await this.#isSynced(host)).synced, signal);
    // The first node bootstraps the group alone and ends cleanly. The second one then starts with that state.
    const first = this.#keep('a', 'mariadbd', this.#serverWords('a'));
    await joined('a');
    for (const statement of [...timeline, ...tables]) await this.sql('a').query(statement, [], 10_000);
    first.hold();
    killQuietly((await this.pid('a', 'mariadbd')) ?? 0, 'SIGTERM');
    await first.ended();
    const data = (host: DataHost) => join(folder, host, 'data');
    await cp(data('a'), data('b'), { recursive: true });
    const state = join(data('b'), 'grastate.dat');
    await writeFile(state, (await readFile(state, 'utf8')).replace('safe_to_bootstrap: 1', 'safe_to_bootstrap: 0'));
    await rm(join(data('b'), 'galera.cache'), { force: true });
    first.release();
    await joined('a');
    this.#keep('b', 'mariadbd', this.#serverWords('b'));
    await joined('b');
    const nodes = dataHosts.map((host) => `${places[host]}:4567`).join(',');
    const options = [...groupOptions, `gmcast.listen_addr=tcp://${places.w}:4567`].join(';');
    this.#keep('w', 'garbd', ['garbd', '--group', 'trial', '--address', `gcomm://${nodes}`, '--options', options]);
    await until('all have joined', 60_000, async () => (await this.state())?.isWhole === true, signal);
  }

  async #makeData(applicationPassword: string): Promise<void> {
    const folder = this.#folder;
    const made = await runProgram(
      'mariadb-install-db',
      [
        ...['--no-defaults', `--datadir=${join(folder, 'a', 'data')}`],
        ...['--skip-test-db', '--skip-name-resolve', '--user=root'],
      ],
      { timeoutMs: 120_000 },
    );
    if (made.exitCode !== 0) throw new Error(`mariadb-install-db: ${made.stderr}`);
    await writeFile(
      join(folder, 'accounts.sql'),
      `${[
        'SET SESSION wsrep_on = OFF',
        `CREATE DATABASE IF NOT EXISTS ${database}`,
        `CREATE USER IF NOT EXISTS '${account}'@'%' IDENTIFIED BY '${applicationPassword}'`,
        `GRANT ALL PRIVILEGES ON ${database}.* TO '${account}'@'%'`,
      ].join(';\n')};\n`,
    );
  }

  #serverWords(host: DataHost): string[] {
    const program = fileURLToPath(new URL('./galera-process.ts', import.meta.url));
    return [process.execPath, program, this.settingsFile, host];
  }

  #keep(host: PlaceName, what: string, words: readonly string[]): Supervisor {
    const clock = host === 'a' || host === 'b' ? this.#clocks.get(host) : undefined;
    const supervisor = new Supervisor({
      ...{ network: this.network, host, what, logs: this.#folder },
      words: clock === undefined ? words : clock.within(words),
      env: clock === undefined ? {} : clock.env,
      // garbd keeps its state in its working folder. Debian's unit of mariadbd waits this long. With an immediate restart, the group
      // counted the old and the new process as two members and lost its majority.
      ...{ cwd: join(this.#folder, host), restartMs },
    });
    this.#supervisors.push(supervisor);
    return supervisor;
  }

  /** Galera has no primary, so faults hit the first node while it is in the cluster. Its epoch is the number of the view. */
  async state(): Promise<PairState | undefined> {
    const [a, b] = await Promise.all(dataHosts.map((host) => this.#isSynced(host)));
    const isWhole = a?.synced === true && b?.synced === true && a.size === 3;
    return { primary: a?.synced === true ? 'a' : 'b', epoch: Math.max(a?.view ?? 0, b?.view ?? 0), isWhole };
  }

  async hasCaughtUp(copy: DataHost, _primary: DataHost, withinMs: number): Promise<boolean> {
    const session = this.sql(copy);
    try {
      // Answered once everything from the group is applied.
      await session.query('SET SESSION wsrep_sync_wait = 1', [], withinMs);
      await session.query(`SELECT COUNT(*) FROM ${database}.db_timeline`, [], withinMs);
      return true;
    } catch {
      return false;
    } finally {
      session.forget();
    }
  }

  /** Of two nodes without a majority, the one with the later state bootstraps the group again. */
  async recoverByHand(): Promise<void> {
    const supervisors = this.#supervisors.filter(({ what }) => what === 'mariadbd');
    // Includes garbd, which would otherwise stay with the abandoned group.
    for (const each of this.#supervisors) each.hold();
    for (const each of this.#supervisors) {
      const ended = each.ended();
      each.stop();
      await ended;
    }
    const states = await Promise.all(
      dataHosts.map(async (host) => {
        const text = await readFile(join(this.#folder, host, 'position'), 'utf8').catch(() => '');
        return { host, number: Number(text.trim().split(':').at(-1) ?? -1) };
      }),
    );
    const [first] = states.sort((one, other) => other.number - one.number);
    const file = join(this.#folder, first?.host ?? 'a', 'data', 'grastate.dat');
    await writeFile(file, (await readFile(file, 'utf8')).replace('safe_to_bootstrap: 0', 'safe_to_bootstrap: 1'));
    for (const each of supervisors.sort((one) => (one.host === first?.host ? -1 : 1))) {
      each.release();
      await sleep(restartMs);
    }
    for (const each of this.#supervisors) each.release();
  }

  sql(host: DataHost): Session {
    return new Session({ socketPath: join(this.#folder, host, 'mysqld.sock'), user: 'root', password: '' });
  }

  async pid(host: DataHost, what: Part): Promise<number | undefined> {
    if (what !== 'mariadbd') return undefined;
    const text = await readFile(join(this.#folder, host, 'mariadbd.pid'), 'utf8').catch(() => '');
    return text.trim() === '' ? undefined : Number(text.trim());
  }

  disk(host: DataHost): LoopDisk {
    const disk = this.#disks.get(host);
    if (disk === undefined) throw new Error(`${host} has no disk`);
    return disk;
  }

  async powerOff(host: PlaceName): Promise<void> {
    for (const each of this.#supervisors) if (each.host === host) each.hold();
    await this.network.powerOff(host);
  }

  async powerOn(host: PlaceName): Promise<void> {
    await this.network.plug(host);
    for (const each of this.#supervisors) if (each.host === host) each.release();
  }

  get skew(): ((host: DataHost, seconds: number) => Promise<void>) | undefined {
    return this.#clocks.size === 0 ? undefined : async (host, seconds) => this.#clocks.get(host)?.set(seconds);
  }

  async stop(): Promise<void> {
    for (const each of this.#supervisors) each.stop();
    await this.network.remove();
    for (const each of this.#disks.values()) await each.unmount();
  }

  async #isSynced(host: DataHost): Promise<{ synced: boolean; size: number; view: number }> {
    const session = this.sql(host);
    try {
      const rows = await session.query<{ Variable_name: string; Value: string }[]>(
        "SHOW STATUS WHERE Variable_name IN ('wsrep_local_state', 'wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_cluster_conf_id')",
        [],
        statusTimeoutMs,
      );
      const value = (name: string) => rows.find(({ Variable_name }) => Variable_name === name)?.Value;
      const synced = value('wsrep_local_state') === '4' && value('wsrep_cluster_status') === 'Primary';
      return {
        ...{ synced, size: Number(value('wsrep_cluster_size')) },
        view: synced ? Number(value('wsrep_cluster_conf_id')) : 0,
      };
    } catch {
      return { synced: false, size: 0, view: 0 };
    } finally {
      session.forget();
    }
  }
}
