// Follows the section of docs/operating.md about a cluster of object storage to the letter: it runs the commands as printed, with the
// settings of docker/systemd/cluster.yaml. Only folders, addresses and the database belong to this machine.
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { startProcess } from '../../compose/process.ts';
import { createLogger } from '../../platform/log/log.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { startProgram } from '../bin/support/up-process.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { freePort } from '../support/machine/free-port.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { makeCertificates } from '../support/product/certificates.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../support/product/running-system.ts';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const section = 'A cluster of object storage';
const log = createLogger({ level: 'silent', pretty: false });

const cleanup = new AsyncDisposableStack();
let place: SystemPlace;
let database: TestDatabase;
let url = '';
const ports = { gateway: 0, link: 0, peer: 0, controller: 0, resolver: 0, s3: 0, watch: 0 };
const inFolder = (path: string): string => join(place.folder.path, path);

/** The commands in the section, block by block. */
async function commands(): Promise<readonly string[]> {
  const text = await readFile(join(root, 'docs', 'operating.md'), 'utf8');
  const [, after = ''] = text.split(`\n## ${section}\n`);
  const [own = ''] = after.split('\n## ');
  return [...own.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
}

/** The value for this machine. */
function here(text: string): string {
  const { socketPath, user, database: name } = database.connection;
  const replaced: readonly (readonly [string, string])[] = [
    ['https://control-1.example.net/graphql', `${url}/graphql`],
    ['wss://control-1.example.net:4140', `wss://127.0.0.1:${ports.link}`],
    ['https://north.example.net:9443', `https://127.0.0.1:${ports.peer}`],
    ['https://north.example.net:9444', `https://127.0.0.1:${ports.controller}`],
    ['https://s3.north.example.net:9000', `https://127.0.0.1:${ports.s3}`],
    ['http://127.0.0.1:4190', `http://127.0.0.1:${ports.watch}`],
    ['--password-file admin.password', `--password-file ${inFolder('accounts/admin.password')}`],
    ['/etc/tidegate', inFolder('etc')],
    ['/var/lib/tidegate/objects', inFolder('objects')],
    ['/var/lib/tidegate', inFolder('etc')],
    ['/var/lib/mysql', inFolder('etc')],
    ['/run/mysqld/mysqld.sock', socketPath ?? ''],
    ['/run/redis/redis-server.sock', database.redisPath],
    ['user: tidegate', `user: ${user}`],
    ['name: tidegate\n', `name: ${name}\n`],
    ['192.0.2.10', '127.0.0.1'],
    ['port: 9445', `port: ${ports.resolver}`],
    ['port: 9444', `port: ${ports.controller}`],
    ['peerPort: 9443', `peerPort: ${ports.peer}`],
    ['s3Port: 9000', `s3Port: ${ports.s3}`],
    ['port: 4190', `port: ${ports.watch}`],
    ['0.0.0.0', '127.0.0.1'],
  ];
  return replaced.reduce((now, [from, to]) => now.replaceAll(from, to), text);
}

async function shell(script: string): Promise<string> {
  const { stdout } = await run('sh', ['-eu', '-c', script], {
    cwd: root,
    timeout: 120_000 * patience,
    env: { PATH: process.env.PATH, HOME: place.folder.path },
  });
  return stdout;
}

beforeAll(async () => {
  place = await systemPlace();
  cleanup.defer(() => place.remove());
  cleanup.defer(() => endProcessesOf(place.folder.path));
  database = await testDatabase({ migrated: false });
  cleanup.defer(() => database.drop());
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  await makeAuthority(inFolder('keys'));
  const settings = {
    ...place.settings,
    ...{ roles: ['gateway', 'system', 'object-storage', 'worker'], 'listen.port': ports.gateway },
    ...{ 'objectStorage.linkPort': ports.link, 'internal.machineFolder': inFolder('control-plane') },
  };
  await writeFile(inFolder('control-plane.json'), JSON.stringify(settings));
  url = `http://127.0.0.1:${ports.gateway}`;
  await mkdir(inFolder('control-plane'), { mode: 0o700 });
  for (const role of ['object-storage', 'gateway', 'system']) {
    const options = ['--role', role, '--folder', inFolder('control-plane'), '--endpoint', `${url}/graphql`];
    const issued = await runCommand([
      'machines',
      'issue',
      `control-plane-${role}`,
      ...options,
      '--config',
      inFolder('control-plane.json'),
    ]);
    expect(issued).toMatchObject({ exitCode: 0 });
  }
  const controlPlane = await startProcess(readConfig({ file: inFolder('control-plane.json') }, subgraphRows), log);
  cleanup.defer(() => controlPlane.stop());
  await accountsOf(place, controlPlane);
  await mkdir(inFolder('etc'));
  const certificates = await makeCertificates(place.folder.path, 's3');
  await writeFile(inFolder('etc/s3.pem'), certificates.cert);
  await writeFile(inFolder('etc/s3.key'), certificates.key);
  await writeFile(inFolder('etc/database.password'), `${database.connection.password}\n`);
  const settingsOfCluster = await readFile(join(root, 'docker', 'systemd', 'cluster.yaml'), 'utf8');
  await writeFile(inFolder('etc/cluster.yaml'), here(settingsOfCluster));
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

test(
  'its commands set up a cluster that serves users by HTTPS',
  async () => {
    const [tokens = '', host = '', look = ''] = (await commands()).map(here);
    await shell(`${tokens}\n${host}`);
    const serving = startProgram(['serve', '--as-root', '--config', inFolder('etc/cluster.yaml')]);
    cleanup.defer(async () => {
      serving.child.kill('SIGTERM');
      await serving.ended;
    });
    const [head = ''] = tokens.split('CONTROLLER_TOKEN=');
    let seen = '';
    await waitFor('the cluster', async () => {
      seen = await shell(`${head}\n${look}`).catch((error: Error) => `${error.message}${serving.output()}`);
      return /objectserver +north-1 +ready/.test(seen) && seen.includes('"ready":true');
    });
    expect(seen).toMatch(/10 MB +written at \d/);
    await waitFor('the control plane to know how fast the disk is', async () =>
      /Measured +10 MB written at \d/.test(
        await shell(
          `${head}\nbin/tidegate clusters show north --user admin --password-file ${inFolder('accounts/admin.password')}`,
        ),
      ),
    );
    const { stdout } = await runCommand([
      ...['options', 'create', 'usual', '--url', `${url}/graphql`],
      ...['--user', 'admin', '--password-file', inFolder('accounts/admin.password')],
    ]);
    expect(stdout).toContain('usual');
    const agent = new Agent({ connect: { ca: await readFile(inFolder('s3-ca.pem'), 'utf8') } });
    cleanup.defer(() => agent.close());
    const answer = await request(`https://127.0.0.1:${ports.s3}/`, { dispatcher: agent });
    // Unknown callers learn nothing.
    expect(answer.statusCode).toBe(403);
    await answer.body.dump();
  },
  240_000 * patience,
);
