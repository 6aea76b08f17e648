// Engine B of the trial: Galera with two data nodes and garbd. The client writes through one node and changes to the other only when
// that one refuses. A node that comes back gets what it lacks from the other's write-set cache; a whole copy is never asked for.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../../embedded/run-program.ts';
import { Session } from '../../../ha/agent/session.ts';
import { fill, free, mountDisk, unmountDisk } from './disk.ts';
import { Keeper } from './keeper.ts';
import { type DataHost, type HaNetwork, places } from './network.ts';
import { dataHosts, type Pair, type PairState, type Part, until } from './pair.ts';
import { account, database } from './settings.ts';
import { tables } from './tables.ts';

/** As issue 13 asks: a member is suspected after 1.5 s. */
export const groupOptions = [
  ...['evs.suspect_timeout=PT1.5S', 'evs.inactive_timeout=PT3S', 'evs.keepalive_period=PT0.3S'],
  'evs.inactive_check_period=PT0.3S',
];
const statusTimeoutMs = 1_000;

export class GaleraSystem implements Pair {
  readonly network: HaNetwork;
  readonly settingsFile: string;
  readonly #folder: string;
  readonly #keepers: Keeper[] = [];

  private constructor(network: HaNetwork, folder: string) {
    this.network = network;
    this.#folder = folder;
    this.settingsFile = join(folder, 'settings.json');
  }

  static async start(network: HaNetwork, folder: string, signal: AbortSignal): Promise<GaleraSystem> {
    const system = new GaleraSystem(network, folder);
    const applicationPassword = randomBytes(18).toString('base64url');
    await writeFile(system.settingsFile, JSON.stringify({ folder, applicationPassword }), { mode: 0o600 });
    for (const host of dataHosts) await mountDisk(join(folder, host));
    await mkdir(join(folder, 'w'));
    // Both begin with the same data.
    const first = join(folder, 'a', 'data');
    const made = await runProgram(
      'mariadb-install-db',
      ['--no-defaults', `--datadir=${first}`, '--skip-test-db', '--skip-name-resolve', '--user=root'],
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
    await cp(first, join(folder, 'b', 'data'), { recursive: true });
    const program = fileURLToPath(new URL('./galera-process.ts', import.meta.url));
    for (const host of dataHosts) {
      const words = [process.execPath, program, system.settingsFile, host];
      system.#keepers.push(new Keeper(network, host, 'mariadbd', words, folder));
      await until(`${host} has joined`, 120_000, async () => (await system.#isSynced(host)).synced, signal);
    }
    const nodes = dataHosts.map((host) => `${places[host]}:4567`).join(',');
    const options = [...groupOptions, `gmcast.listen_addr=tcp://${places.w}:4567`].join(';');
    const words = ['garbd', '--group', 'trial', '--address', `gcomm://${nodes}`, '--options', options];
    system.#keepers.push(new Keeper(network, 'w', 'garbd', words, folder));
    await until('all have joined', 60_000, async () => (await system.state())?.isWhole === true, signal);
    for (const statement of tables) await system.sql('a').query(statement, [], 10_000);
    return system;
  }

  /** Galera has no primary: faults are for the node that the client began with, while it is in the cluster. */
  async state(): Promise<PairState | undefined> {
    const [a, b] = await Promise.all(dataHosts.map((host) => this.#isSynced(host)));
    const isWhole = a?.synced === true && b?.synced === true && a.size === 3;
    return { primary: a?.synced === true ? 'a' : 'b', epoch: 1, isWhole };
  }

  sql(host: DataHost): Session {
    return new Session({ socketPath: join(this.#folder, host, 'mysqld.sock'), user: 'root', password: '' });
  }

  async pid(host: DataHost, what: Part): Promise<number | undefined> {
    if (what !== 'mariadbd') return undefined;
    const text = await readFile(join(this.#folder, host, 'mariadbd.pid'), 'utf8').catch(() => '');
    return text.trim() === '' ? undefined : Number(text.trim());
  }

  fillDisk(host: DataHost): Promise<void> {
    return fill(join(this.#folder, host));
  }

  freeDisk(host: DataHost): Promise<void> {
    return free(join(this.#folder, host));
  }

  async stop(): Promise<void> {
    for (const each of this.#keepers) each.stop();
    await this.network.remove();
    for (const host of dataHosts) await unmountDisk(join(this.#folder, host));
  }

  async #isSynced(host: DataHost): Promise<{ synced: boolean; size: number }> {
    const session = this.sql(host);
    try {
      const rows = await session.query<{ Variable_name: string; Value: string }[]>(
        "SHOW STATUS WHERE Variable_name IN ('wsrep_local_state', 'wsrep_cluster_size', 'wsrep_cluster_status')",
        [],
        statusTimeoutMs,
      );
      const value = (name: string) => rows.find(({ Variable_name }) => Variable_name === name)?.Value;
      const synced = value('wsrep_local_state') === '4' && value('wsrep_cluster_status') === 'Primary';
      return { synced, size: Number(value('wsrep_cluster_size')) };
    } catch {
      return { synced: false, size: 0 };
    } finally {
      session.forget();
    }
  }
}
