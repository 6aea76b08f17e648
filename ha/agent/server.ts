// The MariaDB of one host of a pair: started as MASTER or SLAVE under a watchdog, always read-only at first, killed and never asked
// to end; adopted by an agent that starts while it runs.

import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readFile, readlink, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { DataFolder } from '../../embedded/data-folder.ts';
import { findProgram, pathExists } from '../../embedded/find-program.ts';
import {
  binaryLog,
  binaryLogFlags,
  installDatabase,
  type SocketCredentials,
  serverFlags,
} from '../../embedded/mariadb.ts';
import { runProgram } from '../../embedded/run-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { numberOf, transactionsAfter } from './binary-log.ts';
import { monotonicMs } from './clock.ts';
import { type CopySource, copyPosition, type FetchOptions, forgetCopyPosition } from './copies.ts';
import { isAlive, killMarked, processMark } from './process-mark.ts';
import { Session } from './session.ts';
import type { Duty, ServerView } from './view.ts';
import { startUnderWatchdog, writeFence } from './watchdog.ts';

export interface HostPlace {
  readonly address: string;
  readonly port: number;
  /** From 1; another one at each host. */
  readonly serverId: number;
}

export interface ServerOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  readonly me: string;
  readonly hosts: Readonly<Record<string, HostPlace>>;
  /** The same at all hosts. `%` is allowed as a host: who may connect is for the network and TLS to say. */
  readonly accounts: { readonly applicationPassword: string; readonly replicationPassword: string };
  /** PEM files that the server's user can read. Without it, replication is not encrypted. */
  readonly tls?: { readonly caFile: string; readonly certificateFile: string; readonly keyFile: string };
  readonly heartbeatMs: number;
  /** Whether this host's routes may be changed for moments; not where several hosts share one network. */
  readonly mayRoute: boolean;
  readonly extraArguments?: readonly string[];
}

const statusTimeoutMs = 1_000;
/** For what may wait for the network or the disk. */
const changeTimeoutMs = 8_000;
const heartbeatEveryMs = 200;
/** For statements that hold tables; meanwhile no other write begins. */
const closeWaitSeconds = 1;
/** The binary log would soon wait for space without an error; the heartbeat, which is not in it, would not. */
const leastFreeBytes = 16 * 1024 * 1024;
/** Of Rpl_semi_sync_master_timeout, in milliseconds: thirty years. */
const endlessMs = 1_000_000_000_000;
const application = 'tidegate';
const replication = 'tidegate_replica';
const own = 'tidegate_ha';

const kept = z.object({
  mark: z.object({ pid: z.number(), startTicks: z.string(), bootId: z.string() }),
  duty: z.enum(['primary', 'standby']),
  incarnation: z.string(),
  replica: z.object({ source: z.string(), reign: z.string() }).optional(),
});
type Kept = z.infer<typeof kept>;

interface StatusRow {
  readonly readOnly: number;
  readonly semiSync: number;
  /** OFF: it has given up waiting by itself. */
  readonly semiSyncStatus: string;
  readonly binlogPos: string;
  readonly slavePos: string;
  readonly waitSessions: string;
  readonly acknowledged: string;
}

export class HaServer {
  readonly #options: ServerOptions;
  readonly #home: string;
  readonly root: SocketCredentials;
  readonly #status: Session;
  readonly #changes: Session;
  readonly #heart: Session;
  readonly #proofs: Session;
  #kept: Kept | undefined;
  #startingSinceMs: number | undefined;
  /** Heartbeats since the last one that succeeded: while this agent itself stands still, its server is not found dead. */
  #missed = 0;
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  #fencing: Promise<void> = Promise.resolve();
  #waiting: { readonly sinceMs: number; readonly acknowledged: string } | undefined;
  #beating: NodeJS.Timeout | undefined;
  #isBeating = false;
  #isReplacing = false;

  private constructor(options: ServerOptions, home: string, root: SocketCredentials) {
    this.#options = options;
    this.#home = home;
    this.root = root;
    this.#status = new Session(root);
    this.#changes = new Session(root);
    this.#heart = new Session(root, ['SET SESSION sql_log_bin = 0']);
    this.#proofs = new Session(root);
  }

  /** Makes the database folder if there is none, and adopts a server that runs. */
  static async open(options: ServerOptions, signal?: AbortSignal): Promise<HaServer> {
    const { folder } = options;
    const home = await folder.subfolder('mariadb', { forService: true });
    const data = join(home, 'data');
    if (!(await pathExists(data))) await installDatabase(home, data, folder, signal);
    const root = {
      socketPath: folder.socketPath('mariadb.sock'),
      user: 'root',
      password: await folder.secret('mariadb-root'),
    };
    const server = new HaServer(options, home, root);
    await server.#adopt();
    server.#beating = setInterval(() => void server.#beat(), heartbeatEveryMs);
    return server;
  }

  /** The server goes on. */
  close(): void {
    clearInterval(this.#beating);
    for (const each of [this.#status, this.#changes, this.#heart, this.#proofs]) each.forget();
  }

  get duty(): Duty | undefined {
    return this.#kept?.duty;
  }

  /** The last heartbeat commit that succeeded, by the time in which this agent ran. */
  get aliveAtMs(): number {
    return monotonicMs() - this.#missed * heartbeatEveryMs;
  }

  get pid(): number | undefined {
    return this.#kept?.mark.pid;
  }

  async view(): Promise<ServerView> {
    if (this.#isReplacing) return { state: 'copying' };
    const server = this.#kept;
    if (server === undefined || !isAlive(server.mark)) {
      this.#ended();
      return { state: 'down' };
    }
    const nowMs = monotonicMs();
    if (this.#startingSinceMs !== undefined) {
      const isReady = await this.#status.query('SELECT 1', [], statusTimeoutMs).then(
        () => true,
        () => false,
      );
      if (!isReady) return { state: 'starting', duty: server.duty, sinceMs: this.#startingSinceMs };
      this.#startingSinceMs = undefined;
      this.#missed = 0;
    }
    const row = await this.#readStatus().catch(() => undefined);
    const replica =
      server.replica === undefined ? undefined : await this.#readReplica(server.replica).catch(() => undefined);
    if (row === undefined || (server.replica !== undefined && replica === undefined)) return this.#silent(server);
    this.#noteWaiting(row, nowMs);
    const seen = {
      ...{ state: 'up' as const, duty: server.duty, incarnation: server.incarnation },
      ...{
        writable: row.readOnly === 0,
        semiSync: row.semiSync === 1 && row.semiSyncStatus === 'ON',
        aliveAtMs: this.aliveAtMs,
      },
      ...{
        waitingSinceMs: this.#waiting?.sinceMs,
        position: Math.max(numberOf(row.binlogPos), numberOf(row.slavePos)),
      },
      received: Math.max(numberOf(row.slavePos), numberOf(row.binlogPos), replica?.(row).received ?? 0),
      replica: replica?.(row),
    };
    this.#last = seen;
    return seen;
  }

  #last: Extract<ServerView, { state: 'up' }> | undefined;

  /** It runs and does not answer: nothing of it has changed that this agent did not do, but it may be dead. */
  #silent({ duty, incarnation }: Kept): ServerView {
    const unknown = {
      ...{ state: 'up' as const, duty, incarnation, writable: duty === 'primary', semiSync: true },
      ...{ waitingSinceMs: undefined, position: 0, received: 0, replica: undefined },
    };
    const last = this.#last ?? unknown;
    const replica = last.replica === undefined ? undefined : { ...last.replica, connected: false };
    return { ...last, duty, incarnation, replica, aliveAtMs: this.aliveAtMs };
  }

  async start(role: 'MASTER' | 'SLAVE'): Promise<void> {
    const { folder, hosts, me, tls, log } = this.#options;
    const place = hosts[me];
    if (place === undefined) throw new Error(`ha: the host ${me} is not among the hosts`);
    const program = await findProgram('mariadbd', ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd']);
    const dataPath = join(this.#home, 'data');
    await this.#killLeftOver();
    await rm(this.root.socketPath, { force: true });
    const temporaryPath = await folder.subfolder(join('mariadb', 'tmp'), { forService: true });
    const duty: Duty = role === 'MASTER' ? 'primary' : 'standby';
    await this.#writeFence(duty);
    const pidFile = join(this.#home, 'mariadbd.pid');
    const isMaster = role === 'MASTER' ? 'ON' : 'OFF';
    const isSlave = role === 'SLAVE' ? 'ON' : 'OFF';
    log.info(`MariaDB starts as ${role}.`);
    const mark = await startUnderWatchdog(join(this.#home, 'watchdog.json'), {
      command: program,
      args: [
        ...serverFlags({
          ...{ dataPath, temporaryPath, pidFile, socketPath: this.root.socketPath },
          accountsFile: await this.#writeAccounts(),
        }),
        ...binaryLogFlags,
        ...[`--server-id=${place.serverId}`, `--bind-address=${place.address}`, `--port=${place.port}`],
        ...[`--init-rpl-role=${role}`, '--read-only=ON', '--skip-slave-start', '--relay-log=relay'],
        ...[`--rpl-semi-sync-master-enabled=${isMaster}`, `--rpl-semi-sync-slave-enabled=${isSlave}`],
        ...['--rpl-semi-sync-master-wait-point=AFTER_SYNC', '--rpl-semi-sync-master-wait-no-slave=ON'],
        ...[`--rpl-semi-sync-master-timeout=${endlessMs}`, '--rpl-semi-sync-slave-kill-conn-timeout=1'],
        ...['--slave-net-timeout=2', '--max-connections=200'],
        ...(tls === undefined
          ? []
          : [`--ssl-ca=${tls.caFile}`, `--ssl-cert=${tls.certificateFile}`, `--ssl-key=${tls.keyFile}`]),
        ...(process.getuid?.() === 0 && folder.serviceUser === undefined ? ['--user=root'] : []),
        ...(this.#options.extraArguments ?? []),
      ],
      cwd: this.#home,
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', MALLOC_ARENA_MAX: '2' },
      runAs: folder.serviceUser,
      logFile: join(this.#home, 'mariadbd.log'),
      pidFile: this.#pidFile,
      fenceFile: this.#fenceFile,
    });
    this.#ended();
    this.#missed = 0;
    this.#startingSinceMs = monotonicMs();
    await this.#keep({ mark, duty, incarnation: randomUUID() });
  }

  /** Does not wait for its end: a process on a frozen disk has none. */
  kill(): void {
    const { mark } = this.#kept ?? {};
    this.#ended();
    if (mark !== undefined) killMarked(mark);
  }

  /** Each call has a later time than those before it. */
  async fence(fenceAtMs: number): Promise<void> {
    this.#fenceAtMs = fenceAtMs;
    if (this.#kept?.duty === 'primary') await this.#writeFence('primary');
  }

  /** Renewals and an opening may write at once: the later time counts. */
  #writeFence(duty: Duty): Promise<void> {
    const write = () => writeFence(this.#fenceFile, duty === 'primary' ? this.#fenceAtMs : undefined);
    this.#fencing = this.#fencing.catch(() => undefined).then(write);
    return this.#fencing;
  }

  async follow(source: string, reign: string): Promise<void> {
    const { hosts, accounts, tls } = this.#options;
    const place = hosts[source];
    const server = this.#kept;
    if (place === undefined) throw new Error(`ha: the primary ${source} is not among the hosts`);
    if (server === undefined) return;
    // First: what was received and not applied is dropped from here on.
    await this.#keep({ mark: server.mark, duty: server.duty, incarnation: randomUUID() });
    await this.#change('STOP SLAVE');
    const data = join(this.#home, 'data');
    const copiedAt = await copyPosition(data);
    if (copiedAt !== undefined) {
      await this.#change('SET GLOBAL gtid_slave_pos = ?', [copiedAt]);
      await forgetCopyPosition(data);
    }
    const [at] = await this.#changes.query<{ binlogPos: string; slavePos: string }[]>(
      'SELECT @@GLOBAL.gtid_binlog_pos AS binlogPos, @@GLOBAL.gtid_slave_pos AS slavePos',
      [],
      changeTimeoutMs,
    );
    // A former primary has written without being told by another.
    if (at !== undefined && numberOf(at.binlogPos) > numberOf(at.slavePos))
      await this.#change('SET GLOBAL gtid_slave_pos = ?', [at.binlogPos]);
    const ssl =
      tls === undefined
        ? 'MASTER_SSL = 0'
        : `MASTER_SSL = 1, MASTER_SSL_CA = '${tls.caFile}', MASTER_SSL_CERT = '${tls.certificateFile}', MASTER_SSL_KEY = '${tls.keyFile}', MASTER_SSL_VERIFY_SERVER_CERT = 1`;
    await this.#change(
      `CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ${place.port}, MASTER_USER = ?, MASTER_PASSWORD = ?, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 0.5, ${ssl}`,
      [place.address, replication, accounts.replicationPassword],
    );
    await this.#change('START SLAVE');
    const current = this.#kept;
    if (current !== undefined) await this.#keep({ ...current, replica: { source, reign } });
  }

  /**
   * While the old primary does not answer, the statement waits for its network's time-out (1.1 s); with a route that refuses
   * at once it takes 15 ms.
   */
  async stopReceiving(): Promise<void> {
    const { replica } = this.#kept ?? {};
    const address = replica === undefined ? undefined : this.#options.hosts[replica.source]?.address;
    if (address === undefined || !this.#options.mayRoute) return this.#change('STOP SLAVE IO_THREAD');
    await route('replace', address);
    try {
      await this.#change('STOP SLAVE IO_THREAD');
    } finally {
      await route('delete', address);
    }
  }

  /** Routes that an agent left when it was killed. */
  async removeRoutes(): Promise<void> {
    if (!this.#options.mayRoute) return;
    for (const [host, { address }] of Object.entries(this.#options.hosts))
      if (host !== this.#options.me) await route('delete', address);
  }

  /** Writes are opened only if `mayOpen` still says so then. `fenced`: the host whose processes' leases end. */
  async open(epoch: number, fenced: string | undefined, mayOpen: () => boolean): Promise<void> {
    const server = this.#kept;
    if (server === undefined) return;
    if (server.replica !== undefined) {
      await this.#change('STOP SLAVE');
      await this.#change('RESET SLAVE ALL');
    }
    await this.#change('SET GLOBAL rpl_semi_sync_slave_enabled = OFF');
    await this.#keep({ mark: server.mark, duty: 'primary', incarnation: server.incarnation });
    await this.#writeFence('primary');
    await this.#beginTimeline(epoch, fenced);
    if (!mayOpen()) throw new Error('the lease was not renewed in time: writes are not opened');
    await this.#change('SET GLOBAL read_only = OFF');
  }

  /** A new database has no tables yet. The owner of a lease begins with its host's name. */
  async #beginTimeline(epoch: number, fenced: string | undefined): Promise<void> {
    const rows = await this.#changes.query<{ name: string }[]>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_name IN ('db_timeline', 'lease')",
      [application],
      changeTimeoutMs,
    );
    const has = (name: string) => rows.some((row) => row.name === name);
    await this.#change('START TRANSACTION');
    try {
      await this.#writeTimeline(has, epoch, fenced);
      await this.#change('COMMIT');
    } catch (error) {
      await this.#change('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async #writeTimeline(has: (table: string) => boolean, epoch: number, fenced: string | undefined): Promise<void> {
    if (has('db_timeline'))
      await this.#change(
        `INSERT INTO ${application}.db_timeline (epoch, lossy, gtid) VALUES (?, 0, @@GLOBAL.gtid_current_pos) ON DUPLICATE KEY UPDATE epoch = epoch`,
        [epoch],
      );
    if (has('lease') && fenced !== undefined)
      await this.#change(
        `UPDATE ${application}.lease SET token = UUID(), expires_at = NOW(3) - INTERVAL 1 SECOND WHERE LEFT(owner, CHAR_LENGTH(?) + 1) = CONCAT(?, '/')`,
        [fenced, fenced],
      );
  }

  /** Ends when no commit is under way any more. */
  async closeWrites(): Promise<void> {
    await this.#change(`SET SESSION lock_wait_timeout = ${closeWaitSeconds}`);
    await this.#change('SET GLOBAL read_only = ON');
  }

  /** Undefined: it is not the primary. */
  async copySource(): Promise<CopySource | undefined> {
    if (this.#kept?.duty !== 'primary' || this.#last?.writable !== true) return undefined;
    const temporaryPath = await this.#options.folder.subfolder('ha');
    const { socketPath, password } = this.root;
    return { dataPath: join(this.#home, 'data'), socketPath, rootPassword: password, temporaryPath };
  }

  /** The server is killed. What was there is gone when the copy is complete, not earlier. */
  async replaceData(
    fetch: (place: Pick<FetchOptions, 'into' | 'runAs' | 'freeBytes'>) => Promise<unknown>,
  ): Promise<void> {
    const { folder } = this.#options;
    this.#isReplacing = true;
    try {
      this.kill();
      const [data, old] = [join(this.#home, 'data'), join(this.#home, 'data.old')];
      const into = join(this.#home, 'data.copy');
      for (const each of [into, old]) await rm(each, { recursive: true, force: true });
      await folder.subfolder(join('mariadb', 'data.copy'), { forService: true });
      const freeBytes = async () => {
        const { bavail, bsize } = await statfs(this.#home);
        return bavail * bsize;
      };
      await fetch({ into, runAs: folder.serviceUser, freeBytes });
      await rename(data, old);
      await rename(into, data);
      await rm(old, { recursive: true, force: true });
    } finally {
      this.#isReplacing = false;
    }
  }

  /** Copies the binary logs with what this server itself wrote after `position`. */
  async save(position: number, epoch: number): Promise<{ readonly gtids: readonly string[]; readonly folder: string }> {
    const { folder, hosts, me } = this.#options;
    const data = join(this.#home, 'data');
    const found = await transactionsAfter(join(data, `${binaryLog}.index`), data, position);
    const own = found.gtids.filter((gtid) => gtid.split('-')[1] === String(hosts[me]?.serverId));
    const into = join(await folder.subfolder(join('ha', 'saved')), String(epoch));
    if (own.length === 0) return { gtids: own, folder: into };
    await mkdir(into, { recursive: true, mode: 0o700 });
    for (const file of found.files) await copyFile(file, join(into, basename(file)));
    return { gtids: own, folder: into };
  }

  async waitForAcknowledgements(on: boolean): Promise<void> {
    await this.#change(`SET GLOBAL rpl_semi_sync_master_enabled = ${on ? 'ON' : 'OFF'}`);
  }

  /** Ends when the commit was acknowledged, was let go, or its server has ended: it has no other end. */
  async prove(): Promise<void> {
    await this.#proofs.query(`UPDATE ${own}.proof SET beat = beat + 1 WHERE id = 1`, [], endlessMs / 1_000);
  }

  async #beat(): Promise<void> {
    if (this.#kept === undefined || this.#startingSinceMs !== undefined) return;
    this.#missed += 1;
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      await this.#heart.query(
        `UPDATE ${own}.heartbeat SET beat = beat + 1 WHERE id = 1`,
        [],
        this.#options.heartbeatMs,
      );
      const { bavail, bsize } = await statfs(join(this.#home, 'data'));
      if (bavail * bsize >= leastFreeBytes) this.#missed = 0;
    } catch {
      // It is counted.
    } finally {
      this.#isBeating = false;
    }
  }

  async #readStatus(): Promise<StatusRow> {
    const rows = await this.#status.query<StatusRow[]>(
      `SELECT @@GLOBAL.read_only AS readOnly, @@GLOBAL.rpl_semi_sync_master_enabled AS semiSync,
         @@GLOBAL.gtid_binlog_pos AS binlogPos, @@GLOBAL.gtid_slave_pos AS slavePos,
         (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'RPL_SEMI_SYNC_MASTER_STATUS') AS semiSyncStatus,
         (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS') AS waitSessions,
         (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'RPL_SEMI_SYNC_MASTER_YES_TX') AS acknowledged`,
      [],
      statusTimeoutMs,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('no row');
    return row;
  }

  async #readReplica({ source, reign }: { source: string; reign: string }) {
    const [row] = await this.#status.query<Record<string, string | number | null>[]>(
      'SHOW SLAVE STATUS',
      [],
      statusTimeoutMs,
    );
    const text = (name: string) => String(row?.[name] ?? '');
    const receivedGtid = text('Gtid_IO_Pos');
    const hasRead = text('Slave_SQL_Running_State').startsWith('Slave has read all relay log');
    const isApplying = text('Slave_SQL_Running') === 'Yes';
    return ({ slavePos }: StatusRow) => ({
      ...{ source, reign, receiving: text('Slave_IO_Running') !== 'No' && row !== undefined },
      received: numberOf(receivedGtid),
      connected: text('Slave_IO_Running') === 'Yes',
      drained: hasRead && numberOf(receivedGtid) <= numberOf(slavePos),
      diverged: [row?.Last_IO_Errno, row?.Last_SQL_Errno].some((error) => divergedErrors.has(Number(error ?? 0))),
      failure: isApplying ? undefined : `it does not apply: ${text('Last_SQL_Error') || 'stopped'}`,
    });
  }

  /** A commit waits if sessions wait and none is acknowledged from one look to the next. */
  #noteWaiting({ waitSessions, acknowledged }: StatusRow, nowMs: number): void {
    if (Number(waitSessions) === 0) this.#waiting = undefined;
    else if (this.#waiting?.acknowledged !== acknowledged) this.#waiting = { sinceMs: nowMs, acknowledged };
  }

  async #change(sql: string, values: readonly unknown[] = []): Promise<void> {
    await this.#changes.query(sql, values, changeTimeoutMs);
  }

  #ended(): void {
    this.#kept = undefined;
    this.#last = undefined;
    this.#waiting = undefined;
    this.#startingSinceMs = undefined;
    for (const each of [this.#status, this.#changes, this.#heart, this.#proofs]) each.forget();
  }

  async #keep(server: Kept): Promise<void> {
    this.#kept = server;
    await writeFile(`${this.#keptFile}.new`, JSON.stringify(server), { mode: 0o600 });
    await rename(`${this.#keptFile}.new`, this.#keptFile);
  }

  async #adopt(): Promise<void> {
    const text = await readFile(this.#keptFile, 'utf8').catch(() => '');
    if (text === '') return;
    const found = kept.parse(JSON.parse(text));
    if (!isAlive(found.mark)) return;
    this.#kept = found;
    this.#startingSinceMs = monotonicMs();
    this.#options.log.info(`MariaDB runs as process ${found.mark.pid}: it is taken over.`);
  }

  /** One that an agent started, and was killed before it noted it. */
  async #killLeftOver(): Promise<void> {
    const pid = Number((await readFile(this.#pidFile, 'utf8').catch(() => '')).trim());
    const mark = pid > 0 ? processMark(pid) : undefined;
    if (mark === undefined) return;
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    if (folder === this.#home && basename(program).startsWith('mariadbd')) killMarked(mark);
  }

  get #pidFile(): string {
    return join(this.#home, 'server.pid');
  }

  get #keptFile(): string {
    return join(this.#home, 'server.json');
  }

  get #fenceFile(): string {
    return join(this.#home, 'fence');
  }

  /** One statement a line. None of it is in the binary log: each host has it by itself. */
  async #writeAccounts(): Promise<string> {
    const { folder, accounts } = this.#options;
    const place = await folder.subfolder(join('mariadb', 'init'), { forService: true });
    const path = join(place, 'accounts.sql');
    const account = (name: string, host: string, password: string) => [
      `CREATE USER IF NOT EXISTS '${name}'@'${host}' IDENTIFIED BY '${password}'`,
      `ALTER USER '${name}'@'${host}' IDENTIFIED BY '${password}'`,
    ];
    const statements = [
      'SET SESSION sql_log_bin = 0',
      `ALTER USER 'root'@'localhost' IDENTIFIED BY '${this.root.password}'`,
      "DROP USER IF EXISTS ''@'localhost'",
      ...['localhost', '%'].flatMap((host) => [
        ...account(application, host, accounts.applicationPassword),
        `GRANT ALL PRIVILEGES ON \`${application}\`.* TO '${application}'@'${host}'`,
      ]),
      ...account(replication, '%', accounts.replicationPassword),
      `GRANT REPLICATION SLAVE ON *.* TO '${replication}'@'%'`,
      ...[`CREATE DATABASE IF NOT EXISTS ${application}`, `CREATE DATABASE IF NOT EXISTS ${own}`],
      ...['heartbeat', 'proof'].flatMap((table) => [
        `CREATE TABLE IF NOT EXISTS ${own}.${table} (id INT PRIMARY KEY, beat BIGINT NOT NULL)`,
        `INSERT IGNORE INTO ${own}.${table} (id, beat) VALUES (1, 0)`,
      ]),
    ];
    await rm(path, { force: true });
    await writeFile(path, `${statements.join(';\n')};\n`, { mode: 0o600 });
    const user = folder.serviceUser;
    if (user !== undefined) await runProgram('chown', [`${user.uid}:${user.gid}`, path]);
    return path;
  }
}

/**
 * ER_MASTER_FATAL_ERROR_READING_BINLOG: the source does not have what this host has, or not what it lacks any more. ER_KEY_NOT_FOUND,
 * ER_DUP_ENTRY, ER_GTID_STRICT_OUT_OF_ORDER: the rows differ.
 */
const divergedErrors: ReadonlySet<number> = new Set([1236, 1032, 1062, 1950]);

async function route(verb: 'replace' | 'delete', address: string): Promise<void> {
  await runProgram('ip', ['route', verb, 'unreachable', `${address}/32`], { timeoutMs: 1_000 }).catch(() => undefined);
}
