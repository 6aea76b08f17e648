// The private Neutron and Keystone are real services. They isolate projects, use HTTPS, and leave nothing behind.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { connect } from 'node:tls';
import { expect, test } from '@jest/globals';
import { ask, demand, tokenFor } from '../../lab/neutron/keystone-client.ts';
import { type HttpsService, type KeystoneAccount, startNeutron, usualCacheFolder } from '../../lab/neutron.ts';
import { isRunning, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { describeWithNeutron } from '../support/servers/neutron.ts';

/** The first line of an answer to GET / over TLS, and the certificate of the server. */
function overTls({ host, port }: HttpsService): Promise<{ line: string; sha256: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('data', (data: Buffer) => {
      const raw = socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0);
      const [line = ''] = data.toString().split('\r\n');
      resolve({ line, sha256: createHash('sha256').update(raw).digest('hex') });
      socket.destroy();
    });
    socket.write('GET / HTTP/1.1\r\nhost: lab\r\n\r\n');
  });
}

/** A process and all its descendants, from /proc. */
async function treeOf(pid: number): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) children.push(Number(name));
  }
  return [pid, ...(await Promise.all(children.map(treeOf))).flat()];
}

const nothing = (): void => undefined;
const noLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };

describeWithNeutron('Neutron and Keystone', (lab) => {
  const networks = () => `${lab().neutron.plainUrl}/v2.0/networks`;
  const login = (account: KeystoneAccount) => tokenFor(lab().keystone.plainUrl, account);

  test('answer over HTTPS with the announced certificate', async () => {
    for (const service of [lab().neutron, lab().keystone]) {
      const { line, sha256 } = await overTls(service);
      expect(line).toMatch(/^HTTP\/1\.[01] (200|300) /);
      expect(sha256).toBe(service.certificateSha256);
    }
  });

  test('accept no request without a token, and no wrong password', async () => {
    expect((await ask(networks(), 'GET')).status).toBe(401);
    expect((await ask(networks(), 'GET', { token: 'made-up' })).status).toBe(401);
    await expect(login({ ...lab().accounts.alpha, password: 'wrong' })).rejects.toThrow(
      'Keystone refused the credentials',
    );
  });

  test('isolate projects, except for the external network', async () => {
    const [alpha, beta] = await Promise.all([login(lab().accounts.alpha), login(lab().accounts.beta)]);
    const body = { network: { name: 'only-alpha' } };
    const made = await demand(networks(), 'POST', { token: alpha, body });
    const namesOf = async (token: string) => {
      const reply = await demand(networks(), 'GET', { token });
      return (reply.body.networks as unknown as { name: string }[]).map((network) => network.name).sort();
    };
    expect(await namesOf(alpha)).toEqual(['external', 'only-alpha']);
    expect(await namesOf(beta)).toEqual(['external']);
    const url = `${networks()}/${String(made.body.network?.id)}`;
    expect((await ask(url, 'DELETE', { token: beta })).status).toBe(404);
    expect((await ask(url, 'DELETE', { token: alpha })).status).toBe(204);
  });

  test('add missing tables to a folder of an earlier version', async () => {
    const place = await temporaryFolder();
    const services = join(place.path, 'services');
    const [cached = ''] = (await readdir(usualCacheFolder())).filter((name) => name.startsWith('neutron-'));
    await mkdir(services, { recursive: true, mode: 0o700 });
    await cp(join(usualCacheFolder(), cached, 'template'), services, { recursive: true });
    await writeFile(join(services, 'complete'), '');
    const database = new DatabaseSync(join(services, 'neutron.sqlite'));
    database.exec('PRAGMA foreign_keys = OFF; DROP TABLE sfc_port_chains');
    database.close();
    const old = await startNeutron({ folder: place.path, cacheFolder: usualCacheFolder(), log: noLog });
    if (!old.available) throw new Error(old.unavailable);
    const token = await tokenFor(old.keystone.plainUrl, old.accounts.alpha);
    const chains = await ask(`${old.neutron.plainUrl}/v2.0/sfc/port_chains`, 'GET', { token });
    expect(chains).toMatchObject({ status: 200, body: { port_chains: [] } });
    await old.stop();
    await place.remove();
  });

  test('end with their owner, including all workers', async () => {
    const folder = await temporaryFolder();
    const script = join(import.meta.dirname, 'neutron-owner-process.ts');
    const owner = spawn(process.execPath, [script, join(folder.path, 'neutron')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const pids = (await Promise.all((JSON.parse(line) as number[]).map(treeOf))).flat();
    expect(pids.length).toBeGreaterThan(2);
    owner.kill('SIGKILL');
    await waitFor('the end of all', () => pids.every((pid) => !isRunning(pid)));
    await folder.remove();
  });

  test('are unpacked once, in one folder for all starts', async () => {
    const kept = (await readdir(usualCacheFolder())).filter((name) => name.startsWith('neutron-'));
    expect(kept).toEqual([expect.stringMatching(/^neutron-[0-9a-f]{12}$/)]);
  });
});
