// A private member of an etcd cluster whose members are listed by the settings. Its clients speak to it through its JSON gateway.
// needs: etcd-server, util-linux

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { DataFolder } from './data-folder.ts';
import { findProgram } from './find-program.ts';
import { shareOut } from './priority.ts';
import { type EmbeddedServer, endLeftOver, ServerProcess } from './server-process.ts';
import type { SetupLog } from './setup-log.ts';

/** PEM files that the server's user can read. Both sides of each connection show a certificate of the one authority. */
export interface EtcdTls {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Certificates that are refused, although the authority has signed them (X.509 CRL); read anew at each connection. */
  readonly refusedFile?: string;
}

export interface EtcdMember {
  readonly name: string;
  readonly address: string;
  readonly clientPort: number;
  readonly peerPort: number;
}

export interface EmbeddedEtcd extends EmbeddedServer {
  readonly clientUrl: string;
}

interface EtcdOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  /** The name of this member. */
  readonly name: string;
  /** All members, the same list at each of them. */
  readonly members: readonly EtcdMember[];
  /** Members of different clusters refuse each other. */
  readonly cluster: string;
  readonly tls?: EtcdTls;
  /** The others run already, and know of this member. */
  readonly joinsLate?: boolean;
  /** How long its heartbeats are missing before a member calls an election; default 500 ms. */
  readonly electionMs?: number;
  readonly signal?: AbortSignal;
}

const readyTimeoutMs = 30_000;
const heartbeatsAnElection = 10;
/** The agents keep some kilobytes in it. */
const quotaBytes = 64 * 1024 * 1024;
const pidFileName = 'etcd.pid';
const minuteMs = 60_000;
const mostWarnings = 10;

/**
 * Starts it. It is ready when it listens: a member that is alone has no leader yet, and answers nothing that needs one. Throws
 * SetupError.
 */
export async function startEtcd(options: EtcdOptions): Promise<EmbeddedEtcd> {
  const { folder, log, name, members, cluster, tls, joinsLate = false, electionMs = 500, signal } = options;
  signal?.throwIfAborted();
  const me = members.find((each) => each.name === name);
  if (me === undefined) throw new Error(`etcd: there is no member ${name} among ${members.map((each) => each.name)}`);
  const program = await findProgram('etcd', ['/usr/bin/etcd', '/usr/local/bin/etcd']);
  const home = await folder.subfolder('etcd', { forService: true });
  await endLeftOver({ pidFile: join(home, pidFileName), workingFolder: home, programs: ['etcd'], log });
  const scheme = tls === undefined ? 'http' : 'https';
  const client = (each: EtcdMember) => `${scheme}://${inUrl(each.address)}:${each.clientPort}`;
  const peer = (each: EtcdMember) => `${scheme}://${inUrl(each.address)}:${each.peerPort}`;
  const server = new ServerProcess({
    name: 'etcd',
    // It writes no pid file: the shell does, and becomes etcd.
    command: '/bin/sh',
    args: [
      ...['-c', 'echo $$ > "$0" && exec "$@"', join(home, pidFileName), program],
      ...[`--name=${name}`, `--data-dir=${join(home, 'data')}`],
      ...[`--listen-client-urls=${client(me)}`, `--advertise-client-urls=${client(me)}`],
      ...[`--listen-peer-urls=${peer(me)}`, `--initial-advertise-peer-urls=${peer(me)}`],
      `--initial-cluster=${members.map((each) => `${each.name}=${peer(each)}`).join(',')}`,
      ...[`--initial-cluster-state=${joinsLate ? 'existing' : 'new'}`, `--initial-cluster-token=${cluster}`],
      ...[`--heartbeat-interval=${Math.ceil(electionMs / heartbeatsAnElection)}`, `--election-timeout=${electionMs}`],
      ...['--auto-compaction-mode=revision', '--auto-compaction-retention=1000', `--quota-backend-bytes=${quotaBytes}`],
      ...['--logger=zap', '--log-level=warn', '--enable-v2=false', '--pre-vote=true'],
      ...(tls === undefined ? [] : tlsFlags(tls)),
    ],
    cwd: home,
    env: { GOMAXPROCS: '2' },
    runAs: folder.serviceUser,
    log,
    warns: warnings(),
  });
  shareOut(server.pid);
  await server.waitUntilReady(() => connects(me.address, me.clientPort), readyTimeoutMs, signal);
  return Object.assign(server, { clientUrl: client(me) });
}

/** A member that is slow warns at each call. Only the first warnings of each minute count as such. */
export function warnings(): (line: string) => boolean {
  let [sinceMs, count] = [Number.NEGATIVE_INFINITY, 0];
  return (line) => {
    if (!/"level":"(warn|error|panic|fatal)"/.test(line)) return false;
    const nowMs = performance.now();
    if (nowMs - sinceMs >= minuteMs) [sinceMs, count] = [nowMs, 0];
    count += 1;
    return count <= mostWarnings;
  };
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function tlsFlags({ caFile, certificateFile, keyFile, refusedFile }: EtcdTls): string[] {
  return [
    ...['--client-cert-auth', `--trusted-ca-file=${caFile}`, `--cert-file=${certificateFile}`, `--key-file=${keyFile}`],
    ...['--peer-client-cert-auth', `--peer-trusted-ca-file=${caFile}`],
    ...[`--peer-cert-file=${certificateFile}`, `--peer-key-file=${keyFile}`],
    ...(refusedFile === undefined ? [] : [`--client-crl-file=${refusedFile}`, `--peer-crl-file=${refusedFile}`]),
  ];
}

async function connects(address: string, port: number): Promise<void> {
  const socket = createConnection({ host: address, port, timeout: 2_000 });
  socket.once('timeout', () => socket.destroy(new Error('no connection within 2 s')));
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
