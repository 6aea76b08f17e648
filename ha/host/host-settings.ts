// The settings of `tidegate serve` and `tidegate ha agent` on a host of a cluster, and the units of systemd that run both, as `ha init` and `join`
// write them. They do not contain the hosts of the database, which change, and are read from `ha.dataFolder`.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { socketFolders } from '../../embedded/data-folder.ts';
import { hostNice, hostOomScore } from '../../embedded/priority.ts';
import type { ServiceUser } from '../../embedded/service-account.ts';
import { processFilePath, servedFolder } from './served-file.ts';

export interface SettingsOptions {
  /** Real path. */
  readonly dataPath: string;
  readonly name: string;
  /** The host's own address, which also shows the address family of clients. */
  readonly address: string;
  readonly kind: 'data' | 'witness';
  readonly keyFolder: string;
  /** User of `tidegate serve`. Undefined for root. */
  readonly user: ServiceUser | undefined;
}

const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const program = join(checkout, 'bin', 'tidegate');

/** Settings of `tidegate serve`. */
export function serveSettingsPath(dataPath: string): string {
  return join(servedFolder(dataPath), 'settings.yaml');
}

/** Settings of `tidegate ha agent`. Only root can write them. */
export function agentSettingsPath(dataPath: string): string {
  return join(dataPath, 'ha', 'settings.yaml');
}

export function passwordPath(dataPath: string): string {
  return join(servedFolder(dataPath), 'database.password');
}

export function serveSettings(options: SettingsOptions): string {
  const { dataPath, name, address, keyFolder, user } = options;
  return [
    `# Settings of "tidegate serve" on ${name}, a host of a cluster (docs/ha.md). They were written once: change what you like.`,
    '# The hosts of the database, their authority, ha.host and ha.strict are read from ha.dataFolder, and follow the cluster.',
    `name: ${name}`,
    'serve:',
    `  user: ${user?.uid ?? 0}                       # when root starts it`,
    'listen:',
    `  host: "${address.includes(':') ? '::' : '0.0.0.0'}"                   # also the virtual address, once it is here; HTTPS: listen.tls.certFile and keyFile`,
    '  port: 4000',
    'ha:',
    `  dataFolder: ${quoted(dataPath)}`,
    `  processFile: ${quoted(processFilePath(dataPath))}`,
    'database:',
    `  passwordFile: ${quoted(passwordPath(dataPath))}`,
    `  dataFolder: ${quoted(dataPath)}`,
    'redis:',
    `  path: ${quoted(redisPath(dataPath))}   # of this host alone; "tidegate ha agent" runs it`,
    'keys:',
    `  folder: ${quoted(keyFolder)}`,
    '',
  ].join('\n');
}

export function agentSettings({ dataPath, name, kind, keyFolder }: SettingsOptions): string {
  return [
    `# Settings of "tidegate ha agent" on ${name}, a host of a cluster (docs/ha.md). They were written once: change what you like.`,
    ...(kind === 'witness'
      ? ['{}']
      : [
          'ha:',
          `  processFile: ${quoted(processFilePath(dataPath))}`,
          '  ownRedis: true                    # false: you run the Redis of this host yourself',
          'redis:',
          `  path: ${quoted(redisPath(dataPath))}`,
          'keys:',
          `  folder: ${quoted(keyFolder)}`,
        ]),
    '',
  ].join('\n');
}

export const agentUnitName = 'tidegate-ha.service';
export const serveUnitName = 'tidegate-serve.service';

export function agentUnit({ dataPath, name }: SettingsOptions): string {
  return [
    `# ${name}, a host of a cluster: its database, its vote and the virtual address.`,
    '# Must hold: MariaDB and keepalived outlive the agent, which takes them over when it restarts (KillMode=process).',
    '[Unit]',
    `Description=Tidegate, host ${name} of a cluster`,
    `Documentation=file://${escaped(join(checkout, 'docs', 'ha.md'))}`,
    ...after('network-online.target'),
    `RequiresMountsFor=${argument(dataPath)}`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${argument(program)} ha agent --data ${argument(dataPath)}`,
    'Restart=always',
    '# The lease goes on while the agent is away.',
    'RestartSec=100ms',
    '# Other work of the machine must not end the lease: etcd and MariaDB belong to this unit.',
    `Nice=${hostNice}`,
    'CPUWeight=1000',
    'IOWeight=1000',
    `OOMScoreAdjust=${hostOomScore}`,
    'KillMode=process',
    'TimeoutStopSec=60',
    'UMask=0077',
    'LimitNOFILE=65536',
    '',
    ...install,
  ].join('\n');
}

export function serveUnit(options: SettingsOptions): string {
  const { dataPath, name, user } = options;
  // Its socket is in /tmp if the path of the data folder is too long.
  const hasOwnTemporary = !redisPath(dataPath).startsWith('/tmp/');
  const isHome = [checkout, dataPath].some((path) => /^\/(home|root|run\/user)\//.test(`${path}/`));
  return [
    `# The API on ${name}, a host of a cluster. It starts again until the agent has a database.`,
    '[Unit]',
    `Description=Tidegate, API on host ${name}`,
    `Documentation=file://${escaped(join(checkout, 'docs', 'ha.md'))}`,
    ...after(`network-online.target ${agentUnitName}`),
    `RequiresMountsFor=${argument(dataPath)}`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    ...(user === undefined ? [] : [`User=${user.uid}`, `Group=${user.gid}`]),
    `ExecStart=${argument(program)} serve --config ${argument(serveSettingsPath(dataPath))}`,
    '# Takes over the graph of changed settings of outside subgraphs: docs/extending.md.',
    'ExecReload=/bin/kill -HUP $MAINPID',
    '# SIGTERM drains, in this order: requests, subscriptions, calls to devices, jobs, connections.',
    'KillMode=mixed',
    'KillSignal=SIGTERM',
    'TimeoutStopSec=60',
    'Restart=always',
    'RestartSec=1',
    'UMask=0077',
    'NoNewPrivileges=true',
    'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
    'ProtectSystem=strict',
    `ReadWritePaths=${argument(dirname(processFilePath(dataPath)))}`,
    ...(isHome ? [] : ['ProtectHome=true']),
    ...(hasOwnTemporary ? ['PrivateTmp=true'] : []),
    'PrivateDevices=true',
    'ProtectKernelTunables=true',
    'ProtectKernelModules=true',
    'ProtectControlGroups=true',
    'RestrictSUIDSGID=true',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'RestrictNamespaces=true',
    'LockPersonality=true',
    'SystemCallArchitectures=native',
    'LimitNOFILE=65536',
    '',
    ...install,
  ].join('\n');
}

function after(units: string): string[] {
  return [`After=${units}`, 'Wants=network-online.target'];
}

const install = ['[Install]', 'WantedBy=multi-user.target', ''];

/** Folder of this host's own Redis. */
function redisPath(dataPath: string): string {
  return join(socketFolders(dataPath)[0] ?? join(dataPath, 'run'), 'redis.sock');
}

/** A string of YAML. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** An argument in a unit, where `%` begins a specifier and `$` a variable (systemd.unit(5), systemd.service(5)). */
function argument(text: string): string {
  const plain = escaped(text).replaceAll('$', () => '$$');
  return /[\s"'\\]/.test(plain) ? `"${plain.replaceAll(/["\\]/g, '\\$&')}"` : plain;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%%');
}
