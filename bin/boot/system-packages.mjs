// The programs that Tidegate starts, and their Debian or Ubuntu packages. Only missing packages are installed; none of them starts a
// database.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError } from './boot-error.mjs';
import { run } from './run.mjs';

/**
 * `places`: the package is installed if, for each group, one of the paths exists. `when`: what needs it; `parts`: the lab's parts that
 * need it, too, and `asRoot`: only if root starts the lab.
 */
const PACKAGES = [
  { name: 'mariadb-server-core', when: 'always', places: [['/usr/sbin/mariadbd'], ['/usr/bin/mariadb-install-db']] },
  { name: 'mariadb-client-core', when: 'always', places: [['/usr/bin/my_print_defaults']] },
  { name: 'redis-tools', when: 'always', places: [['/usr/bin/redis-check-rdb', '/usr/bin/redis-server']] },
  { name: 'util-linux', when: 'always', places: [['/usr/bin/setpriv'], ['/usr/bin/flock'], ['/usr/bin/unshare']] },
  { name: 'openssh-server', when: 'lab or tests', places: [['/usr/sbin/sshd']] },
  { name: 'openssh-client', when: 'lab or tests', places: [['/usr/bin/ssh-keygen']] },
  { name: 'nftables', when: 'lab or tests', places: [['/usr/sbin/nft']] },
  { name: 'iproute2', when: 'lab or tests', places: [['/usr/bin/ip', '/usr/sbin/ip', '/sbin/ip']] },
  { name: 'iputils-ping', when: 'lab or tests', places: [['/usr/bin/ping', '/bin/ping']] },
  { name: 'curl', when: 'lab or tests', places: [['/usr/bin/curl']] },
  {
    // It makes certificates.
    name: 'openssl',
    when: 'tests',
    parts: [
      ...['ha', 'openvswitch', 'neutron', 'apache', 'neo', 'onyx', 'fortigate', 'bigip'],
      ...['balancers', 'sites', 'clusters'],
    ],
    places: [['/usr/bin/openssl']],
  },
  {
    name: 'openvswitch-switch',
    when: 'tests',
    parts: ['openvswitch'],
    asRoot: true,
    places: [['/usr/sbin/ovs-vswitchd'], ['/usr/sbin/ovsdb-server']],
  },
  {
    name: 'frr',
    when: 'tests',
    parts: ['routers'],
    asRoot: true,
    places: [['/usr/lib/frr/zebra'], ['/usr/bin/vtysh']],
  },
  { name: 'iptables', when: 'tests', asRoot: true, places: [['/usr/sbin/iptables-restore']] },
  {
    name: 'netconfd',
    when: 'tests',
    asRoot: true,
    places: [['/usr/sbin/netconfd'], ['/usr/sbin/netconf-subsystem']],
  },
  { name: 'python3-ncclient', when: 'tests', places: [['/usr/lib/python3/dist-packages/ncclient/__init__.py']] },
  { name: 'haproxy', when: 'tests', parts: ['balancers'], places: [['/usr/sbin/haproxy']] },
  { name: 'keepalived', when: 'tests', parts: ['balancers', 'ha'], asRoot: true, places: [['/usr/sbin/keepalived']] },
  { name: 'pdns-server', when: 'tests', parts: ['balancers', 'sites'], places: [['/usr/sbin/pdns_server']] },
  {
    name: 'pdns-backend-sqlite3',
    when: 'tests',
    parts: ['balancers', 'sites'],
    places: [
      ['/usr/lib/x86_64-linux-gnu/pdns/libgsqlite3backend.so', '/usr/lib/aarch64-linux-gnu/pdns/libgsqlite3backend.so'],
    ],
  },
  { name: 'nginx-light', when: 'tests', parts: ['balancers', 'sites'], places: [['/usr/sbin/nginx']] },
  { name: 'hey', when: 'tests', parts: ['balancers'], places: [['/usr/bin/hey']] },
  { name: 'bind9', when: 'tests', places: [['/usr/sbin/named']] },
  {
    name: 'bind9-dnsutils',
    when: 'tests',
    parts: ['balancers', 'sites'],
    places: [['/usr/bin/dig'], ['/usr/bin/delv']],
  },
  { name: 'knot', when: 'tests', parts: ['sites'], places: [['/usr/sbin/knotd']] },
  { name: 'fping', when: 'tests', parts: ['sites'], places: [['/usr/bin/fping']] },
  // A host of a pair: `tidegate ha init` and `join` install them.
  { name: 'etcd-server', when: 'tests', parts: ['ha'], asRoot: true, places: [['/usr/bin/etcd']] },
  { name: 'mariadb-backup', when: 'tests', parts: ['ha'], asRoot: true, places: [['/usr/bin/mariadb-backup']] },
  { name: 'mariadb-server-core', when: 'tests', parts: ['ha'], asRoot: true, places: [['/usr/sbin/mariadbd']] },
  {
    name: 'mariadb-client-core',
    when: 'tests',
    parts: ['ha'],
    asRoot: true,
    places: [['/usr/bin/my_print_defaults']],
  },
  {
    name: 'redis-tools',
    when: 'tests',
    parts: ['ha'],
    asRoot: true,
    places: [['/usr/bin/redis-check-rdb', '/usr/bin/redis-server']],
  },
  {
    name: 'iproute2',
    when: 'tests',
    parts: ['ha'],
    asRoot: true,
    places: [['/usr/bin/ip', '/usr/sbin/ip', '/sbin/ip']],
  },
  {
    name: 'iproute2',
    when: 'tests',
    parts: ['ha'],
    asRoot: true,
    places: [['/usr/bin/ip', '/usr/sbin/ip', '/sbin/ip']],
  },
  { name: 'nftables', when: 'tests', parts: ['ha'], asRoot: true, places: [['/usr/sbin/nft']] },
  { name: 'iputils-ping', when: 'tests', parts: ['ha'], asRoot: true, places: [['/usr/bin/ping', '/bin/ping']] },
  // The disks of the demo's hosts, their clocks, and the load's oracle.
  {
    name: 'e2fsprogs',
    when: 'tests',
    parts: ['ha-demo'],
    asRoot: true,
    places: [['/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4']],
  },
  { name: 'mount', when: 'tests', parts: ['ha-demo'], asRoot: true, places: [['/usr/bin/mount', '/bin/mount']] },
  {
    name: 'libfaketime',
    when: 'tests',
    parts: ['ha-demo'],
    asRoot: true,
    places: [
      [
        '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
        '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
      ],
    ],
  },
  // Its checks of units need no systemd that runs.
  { name: 'systemd', when: 'tests', places: [['/usr/bin/systemd-analyze']] },
  { name: 'galera-4', when: 'tests', places: [['/usr/lib/galera/libgalera_smm.so']] },
  { name: 'galera-arbitrator-4', when: 'tests', places: [['/usr/bin/garbd']] },
  { name: 'collectd-core', when: 'tests', places: [['/usr/sbin/collectd']] },
  { name: 'apache2-bin', when: 'tests', parts: ['apache'], asRoot: true, places: [['/usr/sbin/apache2']] },
  {
    name: 'libapache2-mod-security2',
    when: 'tests',
    parts: ['apache'],
    asRoot: true,
    places: [['/usr/lib/apache2/modules/mod_security2.so']],
  },
  {
    name: 'modsecurity-crs',
    when: 'tests',
    parts: ['apache'],
    asRoot: true,
    places: [['/usr/share/modsecurity-crs/rules']],
  },
  // For Neutron and Keystone, which the lab unpacks by itself.
  { name: 'python3', when: 'tests', parts: ['neutron'], places: [['/usr/bin/python3']] },
  {
    name: 'python3-distutils',
    when: 'tests',
    parts: ['neutron'],
    places: [['/usr/lib/python3.11/distutils/core.py', '/usr/lib/python3/dist-packages/setuptools']],
  },
  { name: 'python3-netmiko', when: 'tests', places: [['/usr/lib/python3/dist-packages/netmiko/__init__.py']] },
  // Clients of S3.
  { name: 'awscli', when: 'tests', parts: ['clusters'], places: [['/usr/bin/aws']] },
  { name: 's3cmd', when: 'tests', places: [['/usr/bin/s3cmd']] },
  { name: 'rclone', when: 'tests', parts: ['clusters'], places: [['/usr/bin/rclone']] },
  { name: 'restic', when: 'tests', places: [['/usr/bin/restic']] },
  { name: 'python3-boto3', when: 'tests', places: [['/usr/lib/python3/dist-packages/boto3/__init__.py']] },
  { name: 'chromium', when: 'tests', places: [['/usr/bin/chromium', '/usr/bin/google-chrome']] },
];

/** Ubuntu has them only as snaps: there, only the tests that need them are skipped. */
const OPTIONAL = new Set(['awscli', 'chromium']);

/** What only a part of the lab needs can be missing: then there is no such part. */
const isOptional = ({ name, when, parts }, { forTests }) =>
  OPTIONAL.has(name) || (!forTests && when === 'tests' && parts !== undefined);

const APT_INSTALL = 'apt-get install --yes --no-install-recommends';

export async function installSystemPackages(options) {
  const isRoot = process.getuid() === 0;
  const ofLab = (each) =>
    each.parts === undefined ? isRoot && each.when === 'lab or tests' : isOfParts(each, options.labParts, isRoot);
  await installMissing(
    PACKAGES.filter((each) => each.when === 'always' || options.forTests || (options.withLab && ofLab(each))),
    options,
  );
}

/** For a part that is added to a running lab. What can't be installed is told, with the command to type. */
export async function installPartPackages(part, options) {
  await installMissing(packagesOf(part, { isRoot: process.getuid() === 0 }), options);
}

export function packagesOf(part, { isRoot }) {
  return PACKAGES.filter((each) => isOfParts(each, (other) => other === part, isRoot));
}

function isOfParts({ parts = [], asRoot }, isWanted, isRoot) {
  return parts.some(isWanted) && (isRoot || !asRoot);
}

async function installMissing(needed, options) {
  const missing = [];
  for (const { name, places } of needed) if (!missing.includes(name) && !(await isThere(places))) missing.push(name);
  if (missing.length === 0) return;
  const optional = new Set(needed.filter((each) => isOptional(each, options)).map(({ name }) => name));
  if (!options.mayInstall) {
    const required = missing.filter((name) => !optional.has(name) || OPTIONAL.has(name));
    if (required.length > 0) throw new BootError(missingMessage(required, '--no-install was given'));
    return;
  }
  const way = await findWay(missing);
  if (way.obstacle !== undefined) {
    if (missing.some((name) => !optional.has(name))) throw new BootError(way.obstacle);
    console.error(way.obstacle);
    return;
  }
  const { available, listsAreOld } = await lookUp(missing, optional);
  await install(available, { ...options, ...way, optional, lists: listsAreOld ? 'update' : 'keep' });

  const left = needed.filter(({ name }) => !optional.has(name) && available.includes(name));
  for (const { name, places } of left) {
    if (!(await isThere(places)))
      throw new BootError(`${name} was installed, but ${places.flat().join(' or ')} is missing.`);
  }
}

/** `becomeRoot`: the command that runs another one as root; `sudo` may ask for a password on a terminal. `obstacle`: there is no way. */
async function findWay(missing) {
  if (!(await succeeds('apt-get', ['--version'])))
    return {
      obstacle: `These Debian packages are missing: ${missing.join(', ')}. This machine has no apt-get: install the same programs by other means.`,
    };
  if (process.getuid() === 0) return { becomeRoot: [] };
  if (await succeeds('sudo', ['-n', 'true'])) return { becomeRoot: ['sudo', '-n'] };
  const someoneIsThere = process.stdin.isTTY && process.stderr.isTTY;
  if (someoneIsThere && (await succeeds('sudo', ['--version']))) return { becomeRoot: ['sudo'] };
  return { obstacle: missingMessage(missing, 'only root can install them') };
}

function missingMessage(missing, why) {
  const sudo = process.getuid() === 0 ? '' : 'sudo ';
  return `These system packages are missing, and ${why}: ${missing.join(', ')}. To install them:\n  ${sudo}${APT_INSTALL} ${missing.join(' ')}`;
}

/** The packages that apt knows. If one is unknown to it, its lists have to be updated first. */
async function lookUp(missing, optional) {
  const known = [];
  for (const name of missing) if (await hasCandidate(name)) known.push(name);
  const unknown = missing.filter((name) => !known.includes(name));
  const listsAreOld = unknown.some((name) => !optional.has(name)) || (unknown.length > 0 && known.length === 0);
  return { available: listsAreOld ? missing : known, listsAreOld };
}

async function hasCandidate(name) {
  const { exitCode, output } = await run('apt-cache', ['policy', name], { env: { ...process.env, LC_ALL: 'C' } });
  return exitCode === 0 && /Candidate: (?!\(none\))/.test(output);
}

async function install(packages, { root, progress, becomeRoot, optional, forTests, lists }) {
  const folder = join(root, 'bin', 'boot');
  const attempt = async (names) => {
    const label = `Installing ${names.length === 1 ? names[0] : `${names.length} system packages (${names.join(', ')})`}`;
    if (becomeRoot.length === 1) {
      // sudo asks on the terminal: the progress line must not be drawn over its question.
      const asked = await run('sudo', ['-v'], { stdin: 'inherit' });
      if (asked.exitCode !== 0) throw new BootError(missingMessage(names, 'sudo refused'));
    }
    progress.start(label);
    const [command, ...args] = [...becomeRoot, 'sh', join(folder, 'install-packages.sh'), folder, lists, ...names];
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    return run(command, args, { env, onLine: (line) => progress.detail(line) });
  };
  const required = packages.filter((name) => !optional.has(name));
  if (required.length > 0) {
    const result = await attempt(required);
    if (result.exitCode !== 0) {
      throw new BootError(
        `The system packages could not be installed (apt-get ended with ${result.exitCode}):\n${result.output}\n` +
          missingMessage(required, 'apt-get failed'),
      );
    }
    progress.done();
  }
  const others = packages.filter((each) => optional.has(each));
  // Together is faster; one by one, each that can be installed is.
  if (others.length > 1 && (await attempt(others)).exitCode === 0) return progress.done();
  for (const name of others) {
    const result = await attempt([name]);
    if (result.exitCode === 0) progress.done();
    else {
      progress.abandon();
      const without = forTests ? 'the tests that need it are skipped' : 'the part of the lab that needs it is left out';
      console.error(`${name} could not be installed here; ${without}.`);
    }
  }
}

async function isThere(groups) {
  for (const places of groups) {
    const found = await Promise.all(
      places.map((path) =>
        access(path).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) return false;
  }
  return true;
}

async function succeeds(command, args) {
  return (await run(command, args)).exitCode === 0;
}
