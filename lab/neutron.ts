// A real Neutron and Keystone: unpacked from Debian's packages into a cache, on SQLite copies in a private folder, on free ports
// of the loopback, with HTTPS in front of both. Nothing is installed, and both end with this process.
// needs: neutron

import { cp, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import type { ServerProcess } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { type CertificateAndKey, makeCertificate } from '../platform/net/certificates.ts';
import { ensureNeutronCache } from './neutron/cache.ts';
import { demand, setPassword, tokenFor } from './neutron/keystone-client.ts';
import { startKeystone } from './neutron/keystone-server.ts';
import { startNeutronServer } from './neutron/neutron-server.ts';
import { pythonObstacle as neutronObstacle } from './neutron/python.ts';
import { keystoneSettings, neutronSettings } from './neutron/settings.ts';
import {
  type Accounts,
  makeKeyRepositories,
  makeTables,
  newAccounts,
  readAccounts,
  writeAccounts,
} from './neutron/template.ts';
import { TlsTerminator } from './neutron/tls-terminator.ts';

export type { KeystoneAccount } from './neutron/settings.ts';

export interface HttpsService {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of its certificate in DER, in lower case hexadecimal. */
  readonly certificateSha256: string;
  /** The service itself, without TLS: `http://127.0.0.1:port`. */
  readonly plainUrl: string;
  /** Killing it ends the service with its workers. */
  readonly pid: number;
}

export interface RunningNeutron {
  readonly available: true;
  readonly neutron: HttpsService;
  readonly keystone: HttpsService;
  /** The administrator, and one user in each of two projects that can't see each other. */
  readonly accounts: Accounts;
  /** SQLite. */
  readonly databasePath: string;
  /** Created by the administrator. All projects' routers and floating IPs may use it. 198.51.100.0/24. */
  readonly externalNetworkId: string;
  stop(): Promise<void>;
}

type Neutron = RunningNeutron | { readonly available: false; readonly unavailable: string };

interface NeutronOptions {
  /** A private folder. Its databases and the passwords of its accounts are kept for the next start. */
  readonly folder: string;
  /** Certificate of both services. Default: a new one. */
  readonly certificate?: CertificateAndKey;
  /** Default: a free one. */
  readonly keystonePort?: number;
  /** Kept between starts and shared by all; 120 MB. The first start fills it, which needs the network. */
  readonly cacheFolder: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

/** The databases are whole, and have the tables of this version. */
const COMPLETE = 'complete';
const TABLES = '2';

export { usualCacheFolder } from './neutron/cache.ts';
export { neutronObstacle };

/** Starts them, or returns the reason why they can't run here. Throws if it should have worked and did not. */
export async function startNeutron(options: NeutronOptions): Promise<Neutron> {
  const unavailable = await neutronObstacle();
  if (unavailable !== undefined) return { available: false, unavailable };
  const { cacheFolder, log, signal } = options;
  const { prefix, template } = await ensureNeutronCache(cacheFolder, log, signal);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = join(await realpath(options.folder), 'services');
  const isNew = !(await pathExists(join(folder, COMPLETE)));
  if (isNew) {
    await rm(folder, { recursive: true, force: true });
    await cp(template, folder, { recursive: true });
    await makeKeyRepositories(folder);
  } else if ((await readFile(join(folder, COMPLETE), 'utf8')) !== TABLES) {
    await makeTables({ folder, prefix, log, ...(signal === undefined ? {} : { signal }) });
    await writeFile(join(folder, COMPLETE), TABLES);
  }
  const servers = new StartedServers();
  try {
    const running = await assemble(folder, prefix, isNew, options, servers);
    if (isNew) await writeFile(join(folder, COMPLETE), TABLES);
    return running;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Started servers, to be stopped in reverse order. */
class StartedServers {
  readonly #started: { stop(): Promise<void> }[] = [];

  keep<Started extends { stop(): Promise<void> }>(started: Started): Started {
    this.#started.push(started);
    return started;
  }

  async stop(): Promise<void> {
    for (const each of this.#started.splice(0).reverse()) await each.stop();
  }
}

async function assemble(
  folder: string,
  prefix: string,
  isNew: boolean,
  options: NeutronOptions,
  servers: StartedServers,
): Promise<RunningNeutron> {
  const { log, signal } = options;
  const service = { folder, prefix, log, ...(signal === undefined ? {} : { signal }) };
  const { certificate = await makeCertificate({ commonName: 'lab-openstack', names: ['127.0.0.1'] }) } = options;
  const withTls = async (plainUrl: string, process: ServerProcess, at = 0): Promise<HttpsService> => {
    const toPort = Number(new URL(plainUrl).port);
    const { host, port } = servers.keep(await TlsTerminator.start({ ...certificate, toPort, port: at }));
    return { host, port, certificateSha256: certificate.sha256, plainUrl, pid: process.pid };
  };
  await writeFile(join(folder, 'keystone.conf'), keystoneSettings(folder), { mode: 0o600 });
  const keystone = await startKeystone(service);
  servers.keep(keystone.process);
  const { url } = keystone;
  const accounts = isNew ? await changePasswords(url, folder) : await readAccounts(folder);
  const settings = neutronSettings(folder, prefix, { url, account: accounts.admin });
  await writeFile(join(folder, 'neutron.conf'), settings, { mode: 0o600 });
  const neutron = await startNeutronServer(service);
  servers.keep(neutron.process);
  return {
    available: true,
    neutron: await withTls(neutron.url, neutron.process),
    keystone: await withTls(url, keystone.process, options.keystonePort),
    accounts,
    databasePath: join(folder, 'neutron.sqlite'),
    externalNetworkId: await ensureExternalNetwork(neutron.url, await tokenFor(url, accounts.admin)),
    stop: () => servers.stop(),
  };
}

/** Passwords of the template are the same in every folder that was made from it. */
async function changePasswords(keystoneUrl: string, folder: string): Promise<Accounts> {
  const template = await readAccounts(folder);
  const own = newAccounts();
  const token = await tokenFor(keystoneUrl, template.admin);
  const { admin, ...others } = own;
  for (const account of [...Object.values(others), admin]) await setPassword(keystoneUrl, token, account);
  await writeAccounts(folder, own);
  return own;
}

async function ensureExternalNetwork(neutronUrl: string, token: string): Promise<string> {
  const { body } = await demand(`${neutronUrl}/v2.0/networks?name=external`, 'GET', { token });
  const [known] = body.networks as unknown as { id: string }[];
  if (known !== undefined) return known.id;
  const network = { name: 'external', 'router:external': true };
  const made = await demand(`${neutronUrl}/v2.0/networks`, 'POST', { token, body: { network } });
  const id = String(made.body.network?.id);
  const subnet = { network_id: id, name: 'external', ip_version: 4, cidr: '198.51.100.0/24', enable_dhcp: false };
  await demand(`${neutronUrl}/v2.0/subnets`, 'POST', { token, body: { subnet } });
  return id;
}
