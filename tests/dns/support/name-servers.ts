// Real name servers, each on a free loopback port with one zone and its key: PowerDNS as it is embedded, and BIND.
// needs: bind9, bind9-dnsutils, knot
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTsigKey } from '../../../dns/servers/tsig-key-file.ts';
import type { TsigKey } from '../../../dns/wire/tsig.ts';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { startPowerdns } from '../../../embedded/powerdns.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { ServerProcess } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

export const zone = 'lb.example.test';

export interface NameServer {
  readonly place: { readonly address: string; readonly port: number };
  readonly key: TsigKey;
  readonly keyFile: string;
  readonly pid: number;
  /** kill -9, and waits until it has ended. */
  kill(): Promise<void>;
  /** Starts again with the same data and port. */
  start(): Promise<void>;
  /** Answers of dig(1) without a signature, sorted, for example `192.0.2.1`. */
  dig(name: string, type: string): Promise<readonly string[]>;
  /** Runs nsupdate(1) with its lines, as another administrator does. */
  nsupdate(...lines: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

interface Running {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

async function nameServer(
  folder: string,
  keyFile: string,
  place: NameServer['place'],
  begin: () => Promise<Running>,
  remove: () => Promise<void>,
): Promise<NameServer> {
  let running = await begin();
  const { address, port } = place;
  return {
    place,
    key: await readTsigKey(keyFile),
    keyFile,
    get pid() {
      return running.pid;
    },
    async kill() {
      process.kill(running.pid, 'SIGKILL');
      await running.exited;
    },
    async start() {
      running = await begin();
    },
    async dig(name, type) {
      const args = [`@${address}`, '-p', String(port), '+short', '+norecurse', '+time=2', name, type];
      const { stdout } = await runProgram('dig', args);
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .sort();
    },
    async nsupdate(...lines) {
      const script = join(folder, 'nsupdate.txt');
      await writeFile(script, [`server ${address} ${port}`, `zone ${zone}`, ...lines, 'send', ''].join('\n'));
      const { exitCode, stderr } = await runProgram('nsupdate', ['-k', keyFile, script]);
      if (exitCode !== 0) throw new Error(`nsupdate: ${stderr}`);
    },
    async remove() {
      await running.stop();
      await remove();
    },
  };
}

/** `address`: default 127.0.0.1. `extraArguments`: of pdns_server(1). */
export async function powerdns(
  address = '127.0.0.1',
  extraArguments: readonly string[] = [],
  givenPort?: number,
): Promise<NameServer> {
  const place = await temporaryFolder();
  const folder = await openDataFolder(join(place.path, 'data'), { version: 1 });
  const port = givenPort ?? (await freePort());
  const begin = () => startPowerdns({ folder, log: silentLog, address, port, zones: [zone], extraArguments });
  const keyFile = join(folder.path, 'secrets', 'dns-tsig.key');
  return nameServer(place.path, keyFile, { address, port }, begin, async () => {
    await folder.close();
    await place.remove();
  });
}

export async function bind(): Promise<NameServer> {
  const place = await temporaryFolder();
  const port = await freePort();
  const home = join(place.path, 'named');
  await mkdir(home, { mode: 0o700 });
  const keyFile = join(home, 'key');
  const { stdout } = await runProgram('tsig-keygen', ['-a', 'hmac-sha256', 'tidegate']);
  await writeFile(keyFile, stdout);
  await chmod(keyFile, 0o600);
  await writeFile(
    join(home, 'zone'),
    `$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 604800 1\n@ IN NS ns\nns IN A 127.0.0.1\n`,
  );
  await writeFile(
    join(home, 'named.conf'),
    `include "${keyFile}";
options {
  directory "${home}"; pid-file none; session-keyfile none; managed-keys-directory "${home}";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; empty-zones-enable no;
};
controls { };
zone "${zone}" { type primary; file "${home}/zone"; allow-update { key tidegate; }; };
`,
  );
  const begin = () =>
    started(
      {
        name: 'BIND',
        command: '/usr/sbin/named',
        args: ['-f', '-n', '1', '-c', join(home, 'named.conf'), '-L', join(home, 'log')],
        cwd: home,
      },
      port,
    );
  return nameServer(place.path, keyFile, { address: '127.0.0.1', port }, begin, () => place.remove());
}

/** `sameKeyFile`: the key file of a server with the same key. Default: a new key. */
export async function knot(sameKeyFile?: string): Promise<NameServer> {
  const place = await temporaryFolder();
  const port = await freePort();
  const home = join(place.path, 'knot');
  for (const folder of [home, join(home, 'run')]) await mkdir(folder, { mode: 0o700 });
  const keyFile = join(home, 'key');
  const keyText =
    sameKeyFile === undefined
      ? (await runProgram('tsig-keygen', ['-a', 'hmac-sha256', 'tidegate'])).stdout
      : await readFile(sameKeyFile, 'utf8');
  await writeFile(keyFile, keyText);
  await chmod(keyFile, 0o600);
  const secret = /secret "([^"]+)"/.exec(keyText)?.[1] ?? '';
  await writeFile(
    join(home, `${zone}.zone`),
    `$ORIGIN ${zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 604800 1\n@ NS ns\nns A 127.0.0.1\n`,
  );
  await writeFile(
    join(home, 'knot.conf'),
    `server:
    rundir: "${home}/run"
    listen: 127.0.0.1@${port}
database:
    storage: "${home}"
key:
  - id: tidegate
    algorithm: hmac-sha256
    secret: ${secret}
acl:
  - id: tidegate
    key: tidegate
    action: [update, query]
zone:
  - domain: ${zone}
    storage: "${home}"
    file: "${zone}.zone"
    acl: tidegate
`,
  );
  const begin = () =>
    started({ name: 'Knot', command: '/usr/sbin/knotd', args: ['-c', join(home, 'knot.conf')], cwd: home }, port);
  return nameServer(place.path, keyFile, { address: '127.0.0.1', port }, begin, () => place.remove());
}

/** Resolves once it answers for the zone. */
async function started(
  program: { readonly name: string; readonly command: string; readonly args: readonly string[]; readonly cwd: string },
  port: number,
): Promise<ServerProcess> {
  const server = new ServerProcess({ ...program, args: [...program.args], runAs: undefined, log: silentLog });
  const answers = async () => {
    const { stdout } = await runProgram('dig', ['@127.0.0.1', '-p', String(port), '+short', '+time=1', zone, 'SOA']);
    if (!stdout.startsWith('ns.')) throw new Error(stdout);
  };
  await server.waitUntilReady(answers, 30_000);
  return server;
}

/** All, by name. */
export const nameServers = { PowerDNS: () => powerdns(), BIND: bind, Knot: () => knot() } as const;
