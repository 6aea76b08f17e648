// A real Designate 15 with a real Keystone and a real PowerDNS, for one test file: unpacked from Debian's packages, on SQLite, on the
// loopback, behind HTTPS. Nothing is installed.
// needs: designate
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerProcess } from '../../../../embedded/server-process.ts';
import { silentLog } from '../../../../embedded/setup-log.ts';
import { ensureNeutronCache } from '../../../../lab/neutron/cache.ts';
import { ask, demand, setPassword, tokenFor } from '../../../../lab/neutron/keystone-client.ts';
import { startKeystone } from '../../../../lab/neutron/keystone-server.ts';
import { PYTHON, pythonArgs, pythonEnvironment } from '../../../../lab/neutron/python.ts';
import { type KeystoneAccount, keystoneSettings } from '../../../../lab/neutron/settings.ts';
import { makeKeyRepositories, readAccounts } from '../../../../lab/neutron/template.ts';
import { TlsTerminator } from '../../../../lab/neutron/tls-terminator.ts';
import { usualCacheFolder } from '../../../../lab/neutron.ts';
import { makeCertificate } from '../../../../platform/net/certificates.ts';
import { type NameServer, powerdns } from '../../../dns/support/name-servers.ts';
import { freePort } from '../../machine/free-port.ts';
import { patience } from '../../machine/patience.ts';
import { temporaryFolder, waitFor } from '../../machine/temporary-folder.ts';
import { ensureDesignateCache } from './cache.ts';
import { databaseFile, designatePools, designateSettings } from './settings.ts';

const readyTimeoutMs = 60_000 * patience;
const apiKey = 'a-key-of-the-test';

export interface RealDesignate {
  /** As an administrator enters them for a backend. */
  readonly url: string;
  readonly authUrl: string;
  readonly caCertificates: string;
  readonly account: KeystoneAccount;
  /** The name server of its pool. */
  readonly nameServer: NameServer;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts again with the same data and port. */
  start(): Promise<void>;
  /** Acts as another user of the project, and returns when the name server has the change. */
  add(zone: string, name: string, ttl: number, type: string, value: string): Promise<void>;
  /** As `add`, for each name. */
  addAll(zone: string, names: readonly string[], ttl: number, type: string, value: string): Promise<void>;
  removeAll(zone: string, name: string, type: string): Promise<void>;
  /** Returns when Designate has forgotten it. */
  removeZone(zone: string): Promise<void>;
  /** Keystone revokes the user's tokens. The password stays. */
  revokeTokens(): Promise<void>;
  remove(): Promise<void>;
}

export async function startDesignate(): Promise<RealDesignate> {
  const ends: (() => Promise<unknown>)[] = [];
  const remove = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    return { ...(await assemble((end) => ends.push(end))), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function assemble(atEnd: (end: () => Promise<unknown>) => void): Promise<Omit<RealDesignate, 'remove'>> {
  const { prefix, template } = await ensureNeutronCache(usualCacheFolder(), silentLog);
  const ownPrefix = await ensureDesignateCache(usualCacheFolder());
  const place = await temporaryFolder();
  atEnd(() => place.remove());
  const [home, folder] = [join(place.path, 'keystone'), join(place.path, 'designate')];
  await cp(template, home, { recursive: true });
  await makeKeyRepositories(home);
  await writeFile(join(home, 'keystone.conf'), keystoneSettings(home), { mode: 0o600 });
  const keystone = await startKeystone({ folder: home, prefix, log: silentLog });
  atEnd(() => keystone.process.stop());
  const accounts = await readAccounts(home);

  const webPort = await freePort();
  const nameServer = await powerdns('127.0.0.1', [
    ...['--webserver=yes', '--webserver-address=127.0.0.1', `--webserver-port=${webPort}`],
    ...['--webserver-allow-from=127.0.0.1', '--api=yes', `--api-key=${apiKey}`, '--secondary=yes'],
  ]);
  atEnd(() => nameServer.remove());

  const places = {
    ...{ folder, prefix: ownPrefix, apiPort: await freePort(), mdnsPort: await freePort() },
    keystone: { url: keystone.url, account: accounts.admin },
    powerdns: { port: nameServer.place.port, apiPort: webPort, apiKey },
  };
  await mkdir(folder, { mode: 0o700 });
  const files = [join(folder, 'designate.conf'), join(folder, 'pools.yaml'), databaseFile(folder)] as const;
  await writeFile(files[0], designateSettings(places), { mode: 0o600 });
  await writeFile(files[1], designatePools(places), { mode: 0o600 });
  const url = `http://127.0.0.1:${places.apiPort}`;
  const begin = async () => {
    const server = new ServerProcess({
      ...{ name: 'Designate', command: PYTHON, cwd: folder, runAs: undefined, log: silentLog, endSignal: 'SIGKILL' },
      args: pythonArgs(join(import.meta.dirname, 'serve_designate.py'), ...files),
      env: pythonEnvironment(places.prefix, prefix),
    });
    await server.waitUntilReady(async () => void (await demand(`${url}/`, 'GET')), readyTimeoutMs);
    return server;
  };
  let running = await begin();
  atEnd(() => running.stop());

  const certificate = await makeCertificate({ commonName: 'designate', names: ['127.0.0.1'] });
  const withTls = async (plainUrl: string) => {
    const toPort = Number(new URL(plainUrl).port);
    const terminator = await TlsTerminator.start({ ...certificate, toPort });
    atEnd(() => terminator.stop());
    return `https://127.0.0.1:${terminator.port}`;
  };
  const other = administrator(url, () => tokenFor(keystone.url, accounts.alpha));
  return {
    ...{ url: await withTls(url), authUrl: `${await withTls(keystone.url)}/v3`, caCertificates: certificate.cert },
    ...{ account: accounts.alpha, nameServer, ...other },
    async kill() {
      process.kill(running.pid, 'SIGKILL');
      await running.exited;
    },
    async start() {
      running = await begin();
    },
    async revokeTokens() {
      const earlier = await tokenFor(keystone.url, accounts.alpha);
      await setPassword(keystone.url, await tokenFor(keystone.url, accounts.admin), accounts.alpha);
      await waitFor(
        'its refusal',
        async () => (await ask(`${url}/v2/zones`, 'GET', { token: earlier })).status === 401,
      );
    },
  };
}

interface Recordset {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly records: readonly string[];
}

/** Changes records without the code under test. */
function administrator(
  url: string,
  login: () => Promise<string>,
): Pick<RealDesignate, 'add' | 'addAll' | 'removeAll' | 'removeZone'> {
  let known: Promise<string> | undefined;
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const send = async () => {
      known ??= login();
      return ask(`${url}/v2/${path}`, method, {
        token: await known,
        ...(body === undefined ? {} : { body: body as never }),
      });
    };
    let reply = await send();
    // Keystone revokes all tokens of the second in which the request arrives.
    for (let tries = 1; reply.status === 401 && tries <= 10; tries += 1) {
      known = undefined;
      await sleep(500);
      reply = await send();
    }
    if (reply.status >= 300 && reply.status !== 404)
      throw new Error(`${method} ${path} got status ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply.body as unknown as { zones: { id: string }[]; recordsets: Recordset[] };
  };
  const sets = async (zone: string, name: string, type: string) => {
    const [found] = (await call('GET', `zones?name=${zone}.`)).zones;
    const path = `zones/${found?.id}/recordsets`;
    const { recordsets } = await call('GET', `${path}?name=${name}.&type=${type}`);
    return { path, set: recordsets.find((each) => each.name === `${name}.`) };
  };
  const settled = (zone: string, name: string, type: string, isDone: (set: Recordset | undefined) => boolean) =>
    waitFor(`the ${type} of ${name}`, async () => {
      const done = isDone((await sets(zone, name, type)).set);
      // One thread serves all of Designate, so polling without a pause would slow down the awaited change.
      if (!done) await sleep(100);
      return done;
    });
  return {
    async add(zone, name, ttl, type, value) {
      const { path, set } = await sets(zone, name, type);
      const content = { ttl, records: [...(set?.records ?? []), value] };
      if (set === undefined) await call('POST', path, { name: `${name}.`, type, ...content });
      else await call('PUT', `${path}/${set.id}`, content);
      await settled(zone, name, type, (each) => each?.status === 'ACTIVE');
    },
    async addAll(zone, names, ttl, type, value) {
      const { path } = await sets(zone, zone, type);
      for (const name of names) await call('POST', path, { name: `${name}.`, type, ttl, records: [value] });
      for (const name of names) await settled(zone, name, type, (each) => each?.status === 'ACTIVE');
    },
    async removeAll(zone, name, type) {
      const { path, set } = await sets(zone, name, type);
      if (set !== undefined) await call('DELETE', `${path}/${set.id}`);
      await settled(zone, name, type, (each) => each === undefined);
    },
    async removeZone(zone) {
      const [found] = (await call('GET', `zones?name=${zone}.`)).zones;
      if (found !== undefined) await call('DELETE', `zones/${found.id}`);
      await waitFor(`the end of the zone ${zone}`, async () => {
        const isGone = (await call('GET', `zones?name=${zone}.`)).zones.length === 0;
        if (!isGone) await sleep(100);
        return isGone;
      });
    },
  };
}
