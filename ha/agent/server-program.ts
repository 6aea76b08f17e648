// Starting the server of a data host: its arguments, and the accounts that exist after each start.

import { createHmac, randomInt } from 'node:crypto';
import { binaryLogFlags, serverFlags } from '../../embedded/mariadb.ts';

export interface ServerTls {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Accounts {
  readonly applicationPassword: string;
  readonly replicationPassword: string;
}

export const applicationDatabase = 'tidegate';
/** Account of a host at the other hosts. */
export function replicationUser(serverId: number): string {
  return `tidegate_replica_${serverId}`;
}
/** Account that all hosts shared in earlier versions. */
const formerReplicationUser = 'tidegate_replica';
/** Highest server id. */
const mostServerId = 999;
/** A database that is local to each host. Only changes of its table `proof` are replicated. */
export const ownDatabase = 'tidegate_ha';

/** Value of Rpl_semi_sync_master_timeout in milliseconds: thirty years. */
const endlessMs = 1_000_000_000_000;

/** Always read-only at first. */
export function serverArguments(options: {
  readonly paths: Parameters<typeof serverFlags>[0];
  readonly role: 'MASTER' | 'SLAVE';
  readonly address: string;
  readonly port: number;
  readonly serverId: number;
  readonly tls: ServerTls | undefined;
}): readonly string[] {
  const { paths, role, address, port, serverId, tls } = options;
  const onIf = (wanted: 'MASTER' | 'SLAVE') => (role === wanted ? 'ON' : 'OFF');
  return [
    ...serverFlags(paths),
    ...binaryLogFlags,
    ...[`--server-id=${serverId}`, `--bind-address=${address}`, `--port=${port}`],
    ...[`--init-rpl-role=${role}`, '--read-only=ON', '--skip-slave-start', `--relay-log=${relayLog}`],
    // This is needed for the recovery of a server that was in sync. It receives nothing until it follows a primary, and only then is it
    // decided whether it acknowledges.
    ...[`--rpl-semi-sync-master-enabled=${onIf('MASTER')}`, `--rpl-semi-sync-slave-enabled=${onIf('SLAVE')}`],
    ...['--rpl-semi-sync-master-wait-point=AFTER_SYNC', '--rpl-semi-sync-master-wait-no-slave=ON'],
    ...[`--rpl-semi-sync-master-timeout=${endlessMs}`, '--rpl-semi-sync-slave-kill-conn-timeout=1'],
    ...['--slave-net-timeout=2', '--max-connections=200'],
    ...(tls === undefined
      ? []
      : [`--ssl-ca=${tls.caFile}`, `--ssl-cert=${tls.certificateFile}`, `--ssl-key=${tls.keyFile}`]),
  ];
}

/** A host that may replicate from this one. */
interface Follower {
  readonly serverId: number;
  /** Common name that the certificate must have. If omitted, any certificate of the authority is accepted. */
  readonly commonName?: string | undefined;
}

/** Creates the accounts of hosts that may replicate, and removes all others. `hasTls`: whether the hosts present certificates. */
export function followerStatements(
  followers: readonly Follower[],
  ownId: number,
  { replicationPassword }: Accounts,
  hasTls: boolean,
): readonly string[] {
  const ids = followers.map(({ serverId }) => serverId);
  const highest = Math.min(mostServerId, Math.max(ownId, ...ids));
  const others = Array.from({ length: highest }, (_, index) => index + 1).filter((id) => !ids.includes(id));
  return [
    ...followers.flatMap((each) => {
      const name = replicationUser(each.serverId);
      return [
        ...account(name, '%', replicationPassword, certificateOf(each, hasTls)),
        `GRANT REPLICATION SLAVE ON *.* TO '${name}'@'%'`,
      ];
    }),
    ...[formerReplicationUser, ...others.map(replicationUser)].map((name) => `DROP USER IF EXISTS '${name}'@'%'`),
  ];
}

/** The certificate that the follower must present. */
function certificateOf({ commonName }: Follower, hasTls: boolean): string {
  if (!hasTls) return 'NONE';
  return commonName === undefined ? 'X509' : `SUBJECT '/CN=${commonName}'`;
}

function account(name: string, host: string, password: string, shown?: string): string[] {
  const required = shown === undefined ? '' : ` REQUIRE ${shown}`;
  return [
    `CREATE USER IF NOT EXISTS '${name}'@'${host}' IDENTIFIED BY '${password}'${required}`,
    `ALTER USER '${name}'@'${host}' IDENTIFIED BY '${password}'${required}`,
  ];
}

/**
 * One statement per line. The statements are not in the binary log: each host runs them itself. `followers`:
 * `followerStatements`.
 */
export function accountStatements(rootPassword: string, accounts: Accounts, followers: readonly string[]): string {
  const statements = [
    'SET SESSION sql_log_bin = 0',
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${rootPassword}'`,
    "DROP USER IF EXISTS ''@'localhost'",
    ...['localhost', '%'].flatMap((host) => [
      ...account(applicationDatabase, host, accounts.applicationPassword),
      `GRANT ALL PRIVILEGES ON \`${applicationDatabase}\`.* TO '${applicationDatabase}'@'${host}'`,
    ]),
    ...followers,
    ...[`CREATE DATABASE IF NOT EXISTS ${applicationDatabase}`, `CREATE DATABASE IF NOT EXISTS ${ownDatabase}`],
    ...['heartbeat', 'proof'].flatMap((table) => [
      `CREATE TABLE IF NOT EXISTS ${ownDatabase}.${table} (id INT PRIMARY KEY, beat BIGINT NOT NULL)`,
      `INSERT IGNORE INTO ${ownDatabase}.${table} (id, beat) VALUES (1, 0)`,
    ]),
  ];
  return `${statements.join(';\n')};\n`;
}

const mostHosts = 1_000;
const mostLives = 4_000_000;

/**
 * The server's number (`server_id`), which changes at each start. A receiver skips transactions with its own number, and counts them as received.
 * With a constant number, a former primary would never receive its last writes again, after its recovery had rolled them back.
 */
export function numberOfLife(serverId: number): number {
  return serverId + mostHosts * randomInt(1, mostLives);
}

/** Whether that host wrote a transaction with this number. `serverId`: the host's own number, or one of its lives'. */
export function isOfHost(number: number, serverId: number): boolean {
  return number % mostHosts === serverId % mostHosts;
}

/** Base name of the relay log in the data folder. */
export const relayLog = 'relay';

/** `CHANGE MASTER`, whose values are the relay log's file and the offset at which applying continues. Nothing is received. */
export const applyFrom = 'CHANGE MASTER TO MASTER_USE_GTID = no, RELAY_LOG_FILE = ?, RELAY_LOG_POS = ?';

/** Accounts of admissions. A host acknowledges only if it receives with one of them. */
export const admissionPrefix = 'tidegate_sync_';

/** The account that this host receives with: the source's account for its admission, or its own account. `serverId`: this host's. */
export function receivingAccount(
  { replicationPassword }: Accounts,
  serverId: number,
  admission: string | undefined,
): { readonly user: string; readonly password: string } {
  if (admission === undefined) return { user: replicationUser(serverId), password: replicationPassword };
  return { user: `${admissionPrefix}${admission}`, password: admissionPassword(replicationPassword, admission) };
}

/** The account of one admission, for the host that waits for it. */
export function admissionStatements(
  admission: string,
  follower: Follower,
  { replicationPassword }: Accounts,
  hasTls: boolean,
): readonly string[] {
  const name = `${admissionPrefix}${admission}`;
  return [
    ...account(name, '%', admissionPassword(replicationPassword, admission), certificateOf(follower, hasTls)),
    `GRANT REPLICATION SLAVE ON *.* TO '${name}'@'%'`,
  ];
}

function admissionPassword(replicationPassword: string, admission: string): string {
  return createHmac('sha256', replicationPassword).update(`admission ${admission}`).digest('base64url');
}

/** `CHANGE MASTER`, whose values are the source's address, the account and its password. */
export function changeMaster(port: number, tls: ServerTls | undefined): string {
  const ssl =
    tls === undefined
      ? 'MASTER_SSL = 0'
      : `MASTER_SSL = 1, MASTER_SSL_CA = '${tls.caFile}', MASTER_SSL_CERT = '${tls.certificateFile}', MASTER_SSL_KEY = '${tls.keyFile}', MASTER_SSL_VERIFY_SERVER_CERT = 1`;
  return `CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ${port}, MASTER_USER = ?, MASTER_PASSWORD = ?, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 0.5, ${ssl}`;
}
