// The MariaDB of one host of a pair. It is started as MASTER or SLAVE under a watchdog, always read-only at first, and is always killed, never shut
// down. An agent that starts while it runs adopts it.
// needs: mariadb-server-core, mariadb-client-core

import { randomInt, randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataFolder } from '../../embedded/data-folder.ts';
import { findProgram, pathExists } from '../../embedded/find-program.ts';
import { binaryLog, hasDatabase, type SocketCredentials } from '../../embedded/mariadb.ts';
import { copyPosition, forgetCopyPosition } from '../../embedded/physical-copy.ts';
import { isAlive, killMarked } from '../../embedded/process-mark.ts';
import { runProgram } from '../../embedded/run-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { continuationOf, type LoggedTransactions, numberOf, transactionsAfter } from './binary-log.ts';
import { monotonicMs } from './clock.ts';
import type { CopySource } from './copy-server.ts';
import type { FetchOptions } from './fetch-copy.ts';
import { Heartbeat } from './heartbeat.ts';
import { LeaseRow } from './lease-row.ts';
import { reachDisk, waitsForLock } from './lock-wait.ts';
import { makeReachable, whileUnreachable } from './routes.ts';
import { type KeptServer, ServerFile } from './server-file.ts';
import {
  type Accounts,
  accountStatements,
  admissionPrefix,
  admissionStatements,
  applyFrom,
  changeMaster,
  followerStatements,
  isOfHost,
  numberOfLife,
  ownDatabase,
  receivingAccount,
  relayLog,
  replicationUser,
  type ServerTls,
  serverArguments,
} from './server-program.ts';
import { StatusReader } from './server-status.ts';
import { Session } from './session.ts';
import { beginTimeline, newestEpoch, newestTimeAheadMs, type Run, type Timeline } from './timeline.ts';
import type { Duty, ServerView } from './view.ts';
import { startUnderWatchdog, writeFence } from './watchdog.ts';

export interface DataHostPlace {
  readonly address: string;
  readonly port: number;
  /** From 1. Unique among the hosts. */
  readonly serverId: number;
  /** Common name of its certificate. If omitted, any certificate of the authority is accepted. */
  readonly commonName?: string | undefined;
  /** This host has left the cluster and follows no primary. */
  readonly hasLeft?: boolean;
}

export interface ServerOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  readonly me: string;
  readonly hosts: Readonly<Record<string, DataHostPlace>>;
  /** The same on all hosts. `%` is allowed as a host, because certificates, the network and passwords control access. */
  readonly accounts: Accounts;
  /** PEM files that the server's user can read. Without it, replication is not encrypted. */
  readonly tls?: ServerTls;
  readonly heartbeatMs: number;
  /** Called with the duration of each heartbeat commit. */
  readonly onCommit?: (ms: number) => void;
  /** What this agent has written for the watchdog. */
  readonly agentFile?: string;
  /** The longest time that a backup lock or read lock may stop a primary's commits before it counts as dead. Default: a minute. */
  readonly longestLockMs?: number;
  /** Called when the server's session ends: the server may have ended too. */
  readonly onSessionEnd?: () => void;
  /** The machine's watchdog device, which resets the machine if a leading server can't be ended in time. Default: none. */
  readonly watchdogDevice?: string | undefined;
  /** Whether routes of this host may be changed briefly. False if several hosts share one network. */
  readonly mayRoute: boolean;
  readonly extraArguments?: readonly string[];
}

interface Opening extends Timeline {
  /** Whether commits wait for an acknowledgement from the first one on. */
  readonly waits: boolean;
  /** Checked again just before writes are opened. */
  readonly mayOpen: () => boolean;
}

const statusTimeoutMs = 1_000;
const usualLongestLockMs = 60_000;
const unlogged = ['SET SESSION sql_log_bin = 0'];
/** Client sessions end once a promotion has waited this long for a statement. */
const blockedMs = 500;
/** Deadline of calls that may wait for the network or the disk. */
const changeTimeoutMs = 8_000;
const syncTimeoutMs = 600_000;
/** Lock timeout of statements that lock tables. No other write starts in this time. */
const closeWaitSeconds = 1;
/** The maximum time between the first and the last timestamp that a transaction records. */
const oneTransactionMs = 20;
/** A host whose clock is off by more than a second is not promoted. */
const mostClockWaitMs = 1_000 + oneTransactionMs;
/** Time for the connections of admissions to end after they were closed. */
const barMs = 2_000;
const barEveryMs = 5;
/** Number of rows. The row of a waiting commit is locked. */
const mostProofs = 1_000;

type Up = Extract<ServerView, { state: 'up' }>;

export class HaServer {
  readonly #options: ServerOptions;
  readonly #home: string;
  readonly root: SocketCredentials;
  readonly #changes: Session;
  readonly #proofs: Session;
  /** State that only this host's server has. */
  readonly #own: Session;
  #ownChanging: Promise<unknown> = Promise.resolve();
  /** Server ids of hosts that have left since. */
  readonly #refused = new Set<number>();
  #followersAreDue = false;
  #isAdmitting = false;
  #hasToldFailure = false;
  readonly #sessions: readonly Session[];
  readonly #statusSession: Session;
  readonly #status: StatusReader;
  readonly #heartbeat: Heartbeat;
  readonly #leaseRow: LeaseRow;
  readonly #file: ServerFile;
  #kept: KeptServer | undefined;
  #startingSinceMs: number | undefined;
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  #leaseEndsAtMs = Number.NEGATIVE_INFINITY;
  /** Duty of the server that runs or is being started. */
  #fencedDuty: Duty;
  #fencing: Promise<void> = Promise.resolve();
  /** Last transaction that a standby had received before its start, from its relay log. Undefined if not read. */
  #leftOver: number | undefined;
  /** Last status of the server. */
  #last: Up | undefined;
  #isReplacing = false;

  private constructor(options: ServerOptions, home: string, root: SocketCredentials, kept: KeptServer | undefined) {
    this.#options = options;
    this.#home = home;
    this.root = root;
    this.#statusSession = new Session(root, [], options.onSessionEnd);
    this.#changes = new Session(root);
    this.#proofs = new Session(root);
    this.#own = new Session(root, unlogged);
    const [heart, lease, looking] = [new Session(root, unlogged), new Session(root, unlogged), new Session(root)];
    this.#leaseRow = new LeaseRow(lease, statusTimeoutMs, options.log);
    this.#sessions = [this.#statusSession, this.#changes, this.#proofs, this.#own, heart, lease, looking];
    this.#status = new StatusReader(this.#statusSession, statusTimeoutMs);
    this.#file = new ServerFile(home);
    this.#kept = kept;
    this.#fencedDuty = kept?.duty ?? 'standby';
    if (kept !== undefined) this.#startingSinceMs = monotonicMs();
    const beat = `UPDATE ${ownDatabase}.heartbeat SET beat = beat + 1 WHERE id = 1`;
    this.#heartbeat = new Heartbeat({
      commit: () => heart.query(beat, [], options.heartbeatMs),
      isDue: () => this.#kept !== undefined && this.#startingSinceMs === undefined,
      dataPath: this.#data,
      // A standby that can't commit must not be promoted, whatever the reason.
      waitsForLock: async () => this.duty === 'primary' && waitsForLock(looking, heart.threadId, options.heartbeatMs),
      reachesDisk: () => reachDisk(home),
      longestLockMs: options.longestLockMs ?? usualLongestLockMs,
      log: options.log,
      onCommit: options.onCommit,
    });
  }

  /** Adopts a running server. It never creates a database: a host without one starts with a copy. */
  static async open(options: ServerOptions): Promise<HaServer> {
    const { folder, log } = options;
    const home = await folder.subfolder('mariadb', { forService: true });
    await finishReplacing(home);
    const root = {
      socketPath: folder.socketPath('mariadb.sock'),
      user: 'root',
      password: await folder.secret('mariadb-root'),
    };
    const kept = await new ServerFile(home).running();
    if (kept !== undefined) log.info(`MariaDB runs as process ${kept.mark.pid}: it is taken over.`);
    return new HaServer(options, home, root, kept);
  }

  /** The server continues. */
  close(): void {
    this.#heartbeat.stop();
    for (const each of this.#sessions) each.forget();
  }

  get duty(): Duty | undefined {
    return this.#kept?.duty;
  }

  /** Time of the last successful heartbeat commit, counting only the time in which this agent ran. */
  get aliveAtMs(): number {
    return this.#heartbeat.lastMs;
  }

  get pid(): number | undefined {
    return this.#kept?.mark.pid;
  }

  async view(): Promise<ServerView> {
    if (this.#isReplacing) return { state: 'copying' };
    const server = this.#kept;
    if (server === undefined || !isAlive(server.mark)) {
      this.#ended();
      return (await hasDatabase(this.#data)) ? { state: 'down' } : { state: 'empty' };
    }
    const nowMs = monotonicMs();
    if (this.#startingSinceMs !== undefined) {
      if (!(await this.#answers())) return { state: 'starting', duty: server.duty, sinceMs: this.#startingSinceMs };
      this.#startingSinceMs = undefined;
      this.#heartbeat.beginAnew();
      this.#followersAreDue = true;
    }
    const status = await this.#status.read(server.replica, nowMs).catch(() => undefined);
    if (status === undefined) return this.#silent(server);
    if (server.duty === 'primary' && status.writable) this.#leaseRow.refresh(this.#leaseEndsAtMs);
    void this.#admitFollowers();
    const { duty, incarnation, replica } = server;
    const leftOver = duty === 'standby' && replica === undefined ? await this.#received() : 0;
    const received = Math.max(status.received, leftOver);
    const seen: Up = { state: 'up', duty, incarnation, aliveAtMs: this.aliveAtMs, ...status, received };
    // The server or the source may have changed in the meantime.
    if (this.#kept === server) this.#last = seen;
    return seen;
  }

  #answers(): Promise<boolean> {
    return this.#statusSession.query('SELECT 1', [], statusTimeoutMs).then(
      () => true,
      () => false,
    );
  }

  /** The server runs but does not answer. Only this agent changes its state, but it may be dead. */
  #silent({ duty, incarnation }: KeptServer): ServerView {
    const unknown: Up = {
      ...{ state: 'up', duty, incarnation, writable: duty === 'primary', semiSync: true },
      ...{ aliveAtMs: this.aliveAtMs, waitingSinceMs: undefined, position: 0, received: 0, replica: undefined },
      admissions: [],
    };
    const last = this.#last ?? unknown;
    const replica = last.replica === undefined ? undefined : { ...last.replica, connected: false };
    return { ...last, duty, incarnation, replica, aliveAtMs: this.aliveAtMs };
  }

  async start(role: 'MASTER' | 'SLAVE'): Promise<void> {
    const { folder, log, extraArguments = [] } = this.#options;
    const { address, port, serverId } = this.#place(this.#options.me);
    const program = await findProgram('mariadbd', ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd']);
    await this.#file.killLeftOver();
    await rm(this.root.socketPath, { force: true });
    const duty: Duty = role === 'MASTER' ? 'primary' : 'standby';
    this.#fencedDuty = duty;
    await this.#writeFence();
    const paths = {
      ...{ dataPath: this.#data, pidFile: join(this.#home, 'mariadbd.pid'), socketPath: this.root.socketPath },
      temporaryPath: await folder.subfolder(join('mariadb', 'tmp'), { forService: true }),
      accountsFile: await this.#writeAccounts(),
    };
    log.info(`MariaDB starts as ${role}.`);
    const mark = await startUnderWatchdog(join(this.#home, 'watchdog.json'), {
      command: program,
      args: [
        ...serverArguments({ paths, role, address, port, serverId: numberOfLife(serverId), tls: this.#options.tls }),
        ...(process.getuid?.() === 0 && folder.serviceUser === undefined ? ['--user=root'] : []),
        ...extraArguments,
      ],
      cwd: this.#home,
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', MALLOC_ARENA_MAX: '2' },
      runAs: folder.serviceUser,
      logFile: join(this.#home, 'mariadbd.log'),
      pidFile: this.#file.pidFile,
      fenceFile: this.#fenceFile,
      ...(this.#options.agentFile !== undefined && { agentFile: this.#options.agentFile }),
      device: this.#options.watchdogDevice,
    });
    this.#ended();
    this.#heartbeat.beginAnew();
    this.#startingSinceMs = monotonicMs();
    await this.#keep({ mark, duty, incarnation: randomUUID() });
  }

  /** Does not wait for its end: a process on a frozen disk has none. */
  kill(): void {
    const { mark } = this.#kept ?? {};
    this.#ended();
    if (mark !== undefined) killMarked(mark);
  }

  /** The times must be later than those of the previous call. `endsAtMs`: no other host is promoted before this time. */
  async fence(fenceAtMs: number, endsAtMs: number): Promise<void> {
    this.#fenceAtMs = fenceAtMs;
    this.#leaseEndsAtMs = endsAtMs;
    await this.#writeFence();
    if (this.duty === 'primary') this.#leaseRow.tell(endsAtMs);
  }

  /** Renewals and an opening may write concurrently. The later time counts. */
  #writeFence(): Promise<void> {
    const write = () => writeFence(this.#fenceFile, this.#fencedDuty === 'primary' ? this.#fenceAtMs : undefined);
    this.#fencing = this.#fencing.catch(() => undefined).then(write);
    return this.#fencing;
  }

  /** `admission`: the source's admission of this host, so that it acknowledges received commits. Undefined if it does not acknowledge. */
  async follow(source: string, reign: string, admission?: string): Promise<void> {
    const { accounts, tls } = this.#options;
    const { address, port } = this.#place(source);
    const server = this.#kept;
    if (server === undefined) return;
    // This comes first, because from here on, received but unapplied transactions are lost.
    await this.#keep({ mark: server.mark, duty: server.duty, incarnation: randomUUID() });
    await this.#change('STOP SLAVE');
    const copiedAt = await copyPosition(this.#data);
    if (copiedAt !== undefined) {
      await this.#change('SET GLOBAL gtid_slave_pos = ?', [copiedAt]);
      await forgetCopyPosition(this.#data);
    }
    const [at] = await this.#change<{ binlogPos: string; slavePos: string }[]>(
      'SELECT @@GLOBAL.gtid_binlog_pos AS binlogPos, @@GLOBAL.gtid_slave_pos AS slavePos',
    );
    // A former primary has written transactions that it received from no other host.
    if (at !== undefined && numberOf(at.binlogPos) > numberOf(at.slavePos))
      await this.#change('SET GLOBAL gtid_slave_pos = ?', [at.binlogPos]);
    const { user, password } = receivingAccount(accounts, this.#place(this.#options.me).serverId, admission);
    await this.#change(`SET GLOBAL rpl_semi_sync_slave_enabled = ${admission === undefined ? 'OFF' : 'ON'}`);
    await this.#change(changeMaster(port, tls), [address, user, password]);
    await this.#change('START SLAVE');
    const current = this.#kept;
    if (current !== undefined) await this.#keep({ ...current, replica: { source, reign, admission } });
  }

  /** Stops receiving from a live source and applies what was received. */
  async rest(): Promise<void> {
    await this.#change('STOP SLAVE IO_THREAD');
  }

  /** Creates the account of one admission. A host that replicates with this account acknowledges transactions. */
  async allow(admission: string, host: string): Promise<void> {
    const { accounts, tls } = this.#options;
    for (const statement of admissionStatements(admission, this.#place(host), accounts, tls !== undefined))
      await this.#ownChange(statement);
  }

  /** When it resolves, no host acknowledges any more, not even one that returns. It removes the accounts first, then ends their connections. */
  async bar(): Promise<void> {
    const isOne = `LEFT(user, ${admissionPrefix.length}) = '${admissionPrefix}'`;
    const users = await this.#ownChange<{ user: string }[]>(`SELECT user FROM mysql.global_priv WHERE ${isOne}`);
    for (const { user } of users) await this.#ownChange(`DROP USER IF EXISTS '${user}'@'%'`);
    for (const endsAtMs = monotonicMs() + barMs; ; await sleep(barEveryMs)) {
      const connections = await this.#ownChange<{ id: number }[]>(
        `SELECT id FROM information_schema.processlist WHERE ${isOne}`,
      );
      if (connections.length === 0) return;
      if (monotonicMs() >= endsAtMs) throw new Error('connections of hosts that may acknowledge no more do not end');
      for (const { id } of connections) await this.#ownChange(`KILL CONNECTION ${id}`).catch(unlessGone);
    }
  }

  async #received(): Promise<number> {
    const { gtids } = this.#leftOver === undefined ? await this.#unapplied() : { gtids: [] };
    this.#leftOver ??= numberOf(gtids.at(-1) ?? '');
    return this.#leftOver;
  }

  async #unapplied(): Promise<LoggedTransactions> {
    const sql = 'SELECT @@GLOBAL.gtid_binlog_pos AS written, @@GLOBAL.gtid_slave_pos AS applied';
    const [at] = await this.#statusSession.query<{ written: string; applied: string }[]>(sql, [], statusTimeoutMs);
    const { written = '', applied = '' } = at ?? {};
    const own = numberOf(written) >= numberOf(applied) ? written : applied;
    return continuationOf(join(this.#data, `${relayLog}.index`), this.#data, own);
  }

  /** Applies the transactions received from that source before the start. They are dropped when the server follows again. */
  async applyReceived(source: string, reign: string): Promise<void> {
    const { files, firstAt } = await this.#unapplied();
    const [file] = files;
    if (file === undefined) return;
    await this.#change('STOP SLAVE');
    await this.#change(applyFrom, [basename(file), firstAt]);
    await this.#change('START SLAVE SQL_THREAD');
    const current = this.#kept;
    if (current !== undefined) await this.#keep({ ...current, replica: { source, reign } });
  }

  async stopReceiving(): Promise<void> {
    const { replica } = this.#kept ?? {};
    const address = replica === undefined ? undefined : this.#options.hosts[replica.source]?.address;
    const stop = async () => {
      await this.#change('STOP SLAVE IO_THREAD');
    };
    await (address === undefined || !this.#options.mayRoute ? stop() : whileUnreachable(address, stop));
  }

  /** Removes routes that a killed agent has left. */
  async removeRoutes(): Promise<void> {
    if (!this.#options.mayRoute) return;
    for (const [host, { address }] of Object.entries(this.#options.hosts))
      if (host !== this.#options.me) await makeReachable(address);
  }

  /** The newest epoch of the application's timelines. 0 if there is none yet. */
  newestEpoch(): Promise<number> {
    return newestEpoch(this.#change);
  }

  async open({ epoch, lossy, fenced, waits, mayOpen }: Opening): Promise<void> {
    const server = this.#kept;
    if (server === undefined) return;
    if (server.replica !== undefined) {
      await this.#change('STOP SLAVE');
      await this.#change('RESET SLAVE ALL');
    }
    await this.#change('SET GLOBAL rpl_semi_sync_slave_enabled = OFF');
    await this.#keep({ mark: server.mark, duty: 'primary', incarnation: server.incarnation });
    this.#fencedDuty = 'primary';
    await this.#writeFence();
    await this.#letTimePass();
    await this.#unblocked(async () => {
      await beginTimeline(this.#change, { epoch, lossy, fenced });
      await this.#leaseRow.write(this.#leaseEndsAtMs);
    });
    if (waits) await this.waitForAcknowledgements(true);
    if (!mayOpen()) throw new Error('the lease was not renewed in time: writes are not opened');
    await this.#change('SET GLOBAL read_only = OFF');
  }

  /**
   * Ends every session that is not the agent's or a replica's, because its locks may block what a promotion needs. Only while no write is open
   * and no commit waits: a commit that waits for its acknowledgement would complete without it.
   */
  async endSessions(): Promise<void> {
    const sessions = await this.#statusSession.query<{ id: number }[]>(clientSessions, [], statusTimeoutMs);
    const own = new Set(this.#sessions.map(({ threadId }) => threadId));
    for (const { id } of sessions.filter((each) => !own.has(each.id)))
      await this.#statusSession.query(`KILL CONNECTION ${id}`, [], statusTimeoutMs).catch(unlessGone);
    if (sessions.some(({ id }) => !own.has(id)))
      this.#options.log.warn('ha: sessions of clients were ended, because a promotion may wait for their locks');
  }

  async #unblocked<Result>(work: () => Promise<Result>): Promise<Result> {
    let ending: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      ending = ending.then(() => this.endSessions()).catch(() => undefined);
    }, blockedMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await ending;
    }
  }

  /** Waits until this clock has passed the times that the last primary recorded. */
  async #letTimePass(): Promise<void> {
    const aheadMs = (await newestTimeAheadMs(this.#change)) + oneTransactionMs;
    // A time further ahead comes from a wrong clock, because a host whose clock is off by more is not promoted.
    if (aheadMs > 0 && aheadMs <= mostClockWaitMs) await sleep(aheadMs);
  }

  /** Resolves when no commit is under way. */
  async closeWrites(): Promise<void> {
    await this.#change(`SET SESSION lock_wait_timeout = ${closeWaitSeconds}`);
    await this.#change('SET GLOBAL read_only = ON');
  }

  async waitForAcknowledgements(on: boolean): Promise<void> {
    await this.#change(`SET GLOBAL rpl_semi_sync_master_enabled = ${on ? 'ON' : 'OFF'}`);
  }

  /**
   * Resolves only when the commit was acknowledged or released, or when its server has ended. An earlier commit that still waits does not
   * delay it. If a host already has the earlier commit, it acknowledges only later ones, and thereby the earlier one too.
   */
  async prove(): Promise<void> {
    this.#proofs.forget();
    await this.#proofs.query(
      `INSERT INTO ${ownDatabase}.proof (id, beat) VALUES (?, 1) ON DUPLICATE KEY UPDATE beat = beat + 1`,
      [randomInt(1, mostProofs)],
      undefined,
    );
  }

  /** Undefined if it is not the primary. */
  async copySource(): Promise<CopySource | undefined> {
    if (this.#kept?.duty !== 'primary' || this.#last?.writable !== true) return undefined;
    const temporaryPath = await this.#options.folder.subfolder('ha');
    const { socketPath, password } = this.root;
    return { dataPath: this.#data, socketPath, rootPassword: password, temporaryPath };
  }

  /** Kills the server. The old data is deleted only when the copy is complete. */
  async replaceData(
    copy: (place: Pick<FetchOptions, 'into' | 'runAs' | 'freeBytes'>) => Promise<unknown>,
  ): Promise<void> {
    const { folder } = this.#options;
    this.#isReplacing = true;
    try {
      this.kill();
      await finishReplacing(this.#home);
      const { into, old } = replacing(this.#home);
      await folder.subfolder(join('mariadb', basename(into)), { forService: true });
      const freeBytes = async () => {
        const { bavail, bsize } = await statfs(this.#home);
        return bavail * bsize;
      };
      await copy({ into, runAs: folder.serviceUser, freeBytes });
      // After the first rename the copy counts as complete, even after a power failure.
      const synced = await runProgram('sync', ['--file-system', into], { timeoutMs: syncTimeoutMs });
      if (synced.exitCode !== 0) throw new Error(`the copy is not on the disk: ${synced.stderr.trim()}`);
      if (await pathExists(this.#data)) await rename(this.#data, old);
      await rename(into, this.#data);
    } finally {
      await finishReplacing(this.#home).finally(() => {
        this.#isReplacing = false;
      });
    }
  }

  /** Copies the binary logs with the transactions that this server itself wrote after `position`. */
  async save(position: number, epoch: number): Promise<{ readonly gtids: readonly string[]; readonly folder: string }> {
    const { folder, me } = this.#options;
    const { serverId } = this.#place(me);
    const found = await transactionsAfter(join(this.#data, `${binaryLog}.index`), this.#data, position);
    const gtids = found.gtids.filter((gtid) => isOfHost(Number(gtid.split('-')[1]), serverId));
    const into = join(await folder.subfolder(join('ha', 'saved')), String(epoch));
    if (gtids.length === 0) return { gtids, folder: into };
    await mkdir(into, { recursive: true, mode: 0o700 });
    for (const file of found.files) await copyFile(file, join(into, basename(file)));
    return { gtids, folder: into };
  }

  /** Serialises statements, because admissions and the accounts of hosts change concurrently. */
  readonly #ownChange: Run = <Rows>(sql: string, values: readonly unknown[] = []) => {
    const change = () => this.#own.query<Rows>(sql, values, changeTimeoutMs);
    const changed = this.#ownChanging.then(change, change);
    this.#ownChanging = changed;
    return changed;
  };

  readonly #change: Run = (sql, values = []) => this.#changes.query(sql, values, changeTimeoutMs);

  #ended(): void {
    this.#kept = undefined;
    this.#last = undefined;
    this.#startingSinceMs = undefined;
    this.#leftOver = undefined;
    this.#status.forget();
    for (const each of this.#sessions) each.forget();
  }

  async #keep(server: KeptServer): Promise<void> {
    this.#kept = server;
    this.#last = undefined;
    await this.#file.keep(server);
  }

  get #data(): string {
    return join(this.#home, 'data');
  }

  get #fenceFile(): string {
    return join(this.#home, 'fence');
  }

  /** Refuses hosts that have left, and ends their replication. */
  refuseReplicas(serverIds: readonly number[]): void {
    for (const each of serverIds) this.#refused.add(each);
    this.#followersAreDue = true;
    void this.#admitFollowers();
  }

  /** A running server reads its certificate files again. LOCAL: the binary log of a standby must not get a transaction of its own. */
  async reloadCertificates(): Promise<void> {
    if (this.pid !== undefined && this.#options.tls !== undefined) await this.#ownChange('FLUSH LOCAL SSL');
  }

  /** A server started by an earlier agent may allow other hosts. A failed attempt is repeated, and only the first failure is logged. */
  async #admitFollowers(): Promise<void> {
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      while (this.#followersAreDue) {
        this.#followersAreDue = false;
        await this.#changeFollowers();
      }
      this.#hasToldFailure = false;
    } catch (error) {
      this.#followersAreDue = true;
      if (!this.#hasToldFailure)
        this.#options.log.warn(`ha: the accounts of other hosts are not up to date: ${String(error)}`);
      this.#hasToldFailure = true;
    } finally {
      this.#isAdmitting = false;
    }
  }

  async #changeFollowers(): Promise<void> {
    for (const sql of this.#followerStatements()) await this.#ownChange(sql);
    const users = [...this.#refused].map((each) => `'${replicationUser(each)}'`);
    if (users.length === 0) return;
    const rows = await this.#ownChange<{ id: number | bigint }[]>(
      `SELECT id FROM information_schema.processlist WHERE user IN (${users.join(', ')})`,
    );
    for (const { id } of rows) await this.#ownChange(`KILL ${Number(id)}`).catch(unlessGone);
  }

  #followerStatements(): readonly string[] {
    const { hosts, me, accounts, tls } = this.#options;
    const others = Object.entries(hosts).filter(
      ([name, { hasLeft, serverId }]) => name !== me && hasLeft !== true && !this.#refused.has(serverId),
    );
    return followerStatements(
      others.map(([, { serverId, commonName }]) => ({ serverId, commonName })),
      Math.max(...Object.values(hosts).map(({ serverId }) => serverId)),
      accounts,
      tls !== undefined,
    );
  }

  #place(host: string): DataHostPlace {
    const place = this.#options.hosts[host];
    if (place === undefined)
      throw new Error(`ha: the host ${host} is not among ${Object.keys(this.#options.hosts).join(', ')}`);
    return place;
  }

  async #writeAccounts(): Promise<string> {
    const { folder, accounts } = this.#options;
    const path = join(await folder.subfolder(join('mariadb', 'init'), { forService: true }), 'accounts.sql');
    await rm(path, { force: true });
    await writeFile(path, accountStatements(this.root.password, accounts, this.#followerStatements()), { mode: 0o600 });
    const user = folder.serviceUser;
    if (user !== undefined) await runProgram('chown', [`${user.uid}:${user.gid}`, path]);
    return path;
  }
}

/** `system user` and `event_scheduler` belong to the server itself. A replica's session has the command `Binlog Dump`. */
const clientSessions = `SELECT id FROM information_schema.processlist
  WHERE @@GLOBAL.read_only = 1 AND @@GLOBAL.rpl_semi_sync_master_enabled = 0 AND id <> CONNECTION_ID()
  AND command <> 'Binlog Dump' AND user NOT IN ('system user', 'event_scheduler', 'unauthenticated user')`;
const noSuchThread = 1094;

function unlessGone(error: unknown): void {
  if ((error as { errno?: number }).errno !== noSuchThread) throw error;
}

function replacing(home: string): { readonly data: string; readonly into: string; readonly old: string } {
  return { data: join(home, 'data'), into: join(home, 'data.copy'), old: join(home, 'data.old') };
}

/**
 * Completes a replacement that a crash interrupted. Between the two renames there is no data folder, but the copy is complete. Without
 * `old`, the copy may be incomplete.
 */
async function finishReplacing(home: string): Promise<void> {
  const { data, into, old } = replacing(home);
  if (!(await pathExists(data)) && (await pathExists(old))) await rename((await pathExists(into)) ? into : old, data);
  for (const each of [into, old]) await rm(each, { recursive: true, force: true });
}
