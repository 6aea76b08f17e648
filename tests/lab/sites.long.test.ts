// The device `sites`, with the job of the README: a name whose answer follows its web servers, a checker that is cut off, and a name server
// that a person starts and that continues alone. Nothing is left behind, even after kill -9.
// needs: system, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, knot, fping, procps, nftables, iproute2, iputils-ping, openssl, root
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { administrator, changeGraph } from '../../lab/control-plane/graph.ts';
import { SitesNetwork } from '../../lab/sites/network.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { isRoot, LabSystem } from '../bin/support/lab-system.ts';
import { startProgram } from '../bin/support/up-process.ts';
import { freePort } from '../support/machine/free-port.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { patience } from '../support/machine/patience.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');
const hasAll = ['/usr/sbin/nginx', '/usr/sbin/pdns_server', '/usr/sbin/nft', '/usr/bin/dig'].every(existsSync);
const describeHere = hasAll ? describe : describe.skip;
const describeAsRoot = hasAll && isRoot ? describe : describe.skip;
const stranger = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];

const fqdn = 'shop.gslb.lab.test';
/** The name at the PowerDNS backend. */
const plainFqdn = 'shop.default.plain.lab.test';
/** Clients of the region us. */
const usBlock = '192.0.2.0/24';
/** The addresses that the name can have, and the site of each. */
type Addresses = Readonly<Record<string, string>>;

interface Flip {
  readonly late: boolean;
  readonly reason: string;
  readonly verdictBefore: string | null;
  readonly verdictAfter: string | null;
  readonly member: { readonly name: string };
  readonly ballots: readonly { readonly vantagePointName: string; readonly count: string; readonly verdict: string }[];
}

async function addressesOf(data: string): Promise<Addresses> {
  const text = await readFile(join(data, 'sites.env'), 'utf8');
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s)),
  );
}

async function change(system: LabSystem, mutation: string, input: object, field: string): Promise<string> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) { ${field} { id } userErrors { code message } } }`;
  const { done } = await system.ask<{ done: Record<string, { id: string }> }>(query, { input });
  expect([mutation, done]).toMatchObject([mutation, { userErrors: [] }]);
  return done[field]?.id ?? '';
}

/** The name from the README's job. Its failback is shorter, and its checks are slower, for a busy machine. */
async function createName(system: LabSystem): Promise<string> {
  const at = await addressesOf(system.data);
  const { gslbFlavors: flavors } = await system.ask<{ gslbFlavors: { nodes: { id: string; name: string }[] } }>(
    '{ gslbFlavors { nodes { id name } } }',
  );
  const times = { intervalMs: 4_000, timeoutMs: 4_000, fall: 2, rise: 1 };
  const check = { name: 'health', checkType: 'HTTP', parameters: { http: { path: '/health' } }, ...times };
  const monitorId = await change(system, 'gslbMonitorCreate', check, 'gslbMonitor');
  const failback = { mode: 'DELAYED', delayMs: 2_000 };
  const poolId = await change(system, 'gslbPoolCreate', { name: 'shop', failback }, 'gslbPool');
  for (const name of ['eu', 'us', 'ap']) {
    const member = {
      poolId,
      name,
      addresses: [at[name.toUpperCase()]],
      servicePort: Number(at.WEB_PORT),
      memberRegion: name,
    };
    await change(system, 'gslbPoolMemberCreate', member, 'gslbPoolMember');
  }
  await change(system, 'gslbPoolMonitorAttach', { monitorId, target: { poolId } }, 'gslbMonitor');
  const clientBlocks = [
    { cidr: at.CLIENTS, region: 'eu' },
    { cidr: usBlock, region: 'us' },
  ];
  const flavorId = flavors.nodes.find(({ name }) => name === 'lab')?.id;
  const cmpObject = { type: 'tenant', externalId: '42' };
  const name = { fqdn, flavorId, poolIds: [poolId], policy: 'GEO', ttlSeconds: 5, clientBlocks, cmpObject };
  return change(system, 'gslbCreate', name, 'gslb');
}

/** The same pool at another backend, as in the README. */
async function createPlainName(system: LabSystem): Promise<void> {
  const at = await addressesOf(system.data);
  const { signal } = new AbortController();
  const admin = await administrator({ url: system.up.url, signal }, system.data);
  const make = async (mutation: string, input: object, field: string) =>
    (await changeGraph<Record<string, { id: string }>>(admin, mutation, input, `${field} { id }`))[field]?.id;
  const rfc2136 = { servers: [`${at.PDNS}:${at.DNS_PORT}`], keyName: 'tidegate' };
  const backend = { name: 'pdns', backendType: 'RFC2136', rfc2136, credentials: { keySecret: at.PDNS_KEY } };
  const backendId = await make('dnsBackendCreate', backend, 'dnsBackend');
  const rights = [{ suffix: 'plain.lab.test' }];
  await make('dnsZoneCreate', { name: 'plain.lab.test', backendId, rights }, 'dnsZone');
  const flavorId = await make('gslbFlavorCreate', { name: 'plain', backendId }, 'gslbFlavor');
  await changeGraph(admin, 'logout', {});
  const { gslbPools: pools } = await system.ask<{ gslbPools: { nodes: { id: string }[] } }>(
    '{ gslbPools { nodes { id } } }',
  );
  const name = { fqdn: plainFqdn, flavorId, poolIds: [pools.nodes[0]?.id], ttlSeconds: 5 };
  await change(system, 'gslbCreate', name, 'gslb');
}

/** Waits until the PowerDNS answers with these sites. */
async function answeredByPowerdns(at: Addresses, ...sites: readonly string[]): Promise<void> {
  const wanted = sites.map((site) => at[site]).sort();
  await waitFor(`${sites} at the PowerDNS`, async () => {
    const words = [`@${at.PDNS}`, '-p', at.DNS_PORT ?? '', '+short', '+time=2', '+tries=1', plainFqdn];
    const { stdout } = await run('dig', words).catch(() => ({ stdout: '' }));
    return stdout.trim().split('\n').sort().join() === wanted.join();
  });
}

/** The site whose address is in the answer. Undefined if the answer has none, or there is no answer. */
async function answered(
  at: Addresses,
  server: string,
  port: string,
  ...more: readonly string[]
): Promise<string | undefined> {
  const words = [`@${server}`, '-p', port, '+short', '+time=2', '+tries=1', ...more, fqdn];
  const { stdout } = await run('dig', words).catch(() => ({ stdout: '' }));
  return ['EU', 'US', 'AP'].find((site) => at[site] === stdout.trim())?.toLowerCase();
}

/** Throws an error with the product's state of the name. */
async function answeredByBoth(
  system: LabSystem,
  at: Addresses,
  what: string,
  isRight: (site: string | undefined) => boolean,
  ...more: readonly string[]
): Promise<void> {
  for (const server of [at.NS1, at.NS2])
    await waitFor(`${what} at ${server}`, async () =>
      isRight(await answered(at, server ?? '', at.DNS_PORT ?? '', ...more)),
    ).catch(async (error: unknown) => {
      const said = [];
      for (const words of [
        ['gslbs', 'explain', fqdn],
        ['gslbs', 'history', fqdn],
        ['events', 'list'],
      ])
        said.push(await told(system, ...words).catch(String));
      throw new Error(`${String(error)}\n${said.join('\n')}`);
    });
}

async function told(system: LabSystem, ...words: readonly string[]): Promise<string> {
  const place = ['--url', `${system.up.url}/graphql`, '--data', system.data];
  return (await run(process.execPath, [program, ...words, ...place], { timeout: 60_000 * patience })).stdout;
}

async function flips(system: LabSystem): Promise<readonly Flip[]> {
  return JSON.parse(await told(system, 'gslbs', 'history', fqdn, '--limit', '1000', '--json')) as Flip[];
}

/** The steps of the README before and after the cut, without the steps that differ without root. */
async function followsItsWebServers(system: LabSystem): Promise<void> {
  const at = await addressesOf(system.data);
  await createName(system);
  await answeredByBoth(system, at, 'the nearest', (site) => site === 'eu');
  await answeredByBoth(system, at, 'the nearest of others', (site) => site === 'us', `+subnet=${usBlock}`);
  await createPlainName(system);
  await answeredByPowerdns(at, 'EU', 'US', 'AP');
  const events = startProgram(['events', 'follow', '--url', `${system.up.url}/graphql`, '--data', system.data]);
  try {
    await system.told('kill', 'eu-web');
    await answeredByBoth(system, at, 'the dead one to be left out', (site) => site === 'us' || site === 'ap');
    await answeredByPowerdns(at, 'US', 'AP');
    const [down] = (await flips(system)).filter(
      ({ member, verdictAfter: after }) => member.name === 'eu' && after === 'DOWN',
    );
    const counted = down?.ballots.filter(({ count, verdict }) => count === 'COUNTED' && verdict === 'DOWN');
    expect(counted?.length).toBeGreaterThanOrEqual(2);
    await system.told('plug', 'eu-web');
    await answeredByBoth(system, at, 'it to be back', (site) => site === 'eu');
    await answeredByPowerdns(at, 'EU', 'US', 'AP');
    await waitFor('both name servers to say the same in an explanation', async () => {
      const explained = await told(system, 'gslbs', 'explain', fqdn, '--client', at.CLIENTS ?? '');
      return [at.NS1, at.NS2].every((server) => new RegExp(`${server}.* ${at.EU} +0 `).test(explained));
    });
    expect(await told(system, 'cmp-objects', 'show', 'tenant/42')).toMatch(/^ +shop\.gslb\.lab\.test +GEO /m);
  } finally {
    events.child.kill('SIGTERM');
    await events.ended;
  }
}

/** The names of running programs that were started with a path in the data folder. */
async function programsOf({ data }: LabSystem): Promise<readonly string[]> {
  const { stdout } = await run('pgrep', ['-lf', data]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
}

/** A name server that a person starts, in its own folder. */
async function ownNameServer(system: LabSystem) {
  const at = await addressesOf(system.data);
  const folder = await temporaryFolder();
  const port = String(await freePort());
  const admin = ['--user', 'admin', '--password-file', join(system.data, 'admin.password')];
  const token = (
    await told(system, 'machines', 'create', 'ns3', '--role', 'dns', '--address', '127.0.0.1', ...admin)
  ).trim();
  await run(process.execPath, [program, 'join', token, '--folder', folder.path, '--url', at.ENDPOINT ?? '']);
  const settings = {
    ...{ name: 'ns3', 'internal.machineFolder': folder.path, 'nameserver.controlUrls': at.DNS_LINK },
    ...{ 'nameserver.listen': `127.0.0.1:${port}`, 'nameserver.folder': join(folder.path, 'zones') },
  };
  const words = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  let process_ = startProgram(['serve', '--roles', 'dns', '--as-root', ...words]);
  const end = async () => {
    process_.child.kill('SIGKILL');
    await process_.ended;
  };
  return {
    // The lab's name servers count a client on this machine as one in eu, so the query states its network.
    answered: () => answered(at, '127.0.0.1', port, `+subnet=${at.CLIENTS}`),
    async age(): Promise<number> {
      const question = ['@127.0.0.1', '-p', port, '+short', 'age.tidegate.', 'TXT', 'CH'];
      const { stdout } = await run('dig', question).catch(() => ({ stdout: '' }));
      return Number(/age (\d+) s, zones 1/.exec(stdout)?.[1] ?? Number.NaN);
    },
    async restart(): Promise<void> {
      await end();
      process_ = startProgram(['serve', '--roles', 'dns', '--as-root', ...words]);
    },
    async stop(): Promise<void> {
      await end();
      await folder.remove();
    },
  };
}

describeAsRoot('as root', () => {
  let system: LabSystem;
  /** The prefix of the namespaces of its hosts. */
  let prefix = 'none';

  beforeAll(async () => {
    system = await LabSystem.start(['--lab', 'firewall']);
  }, 120_000);
  afterAll(async () => {
    await system.stop();
    await endProcessesOf(system.data);
    for (const name of await own()) await run('ip', ['netns', 'delete', name]);
  });

  /** Other users have labs on this machine too. */
  async function own(): Promise<readonly string[]> {
    return (await namespaces()).filter((space) => space.startsWith(prefix));
  }

  test('a name is answered by location, and follows its web servers', async () => {
    expect(await system.lab('add', 'sites')).toMatchObject([{ part: 'sites', state: 'RUNNING', backend: null }]);
    const hosts = JSON.parse(await system.told('hosts', '--json')) as { name: string; namespace: string }[];
    prefix = hosts.find(({ name }) => name === 'ns1')?.namespace.replace(/ns1$/, '') ?? '';
    expect(prefix).toMatch(/^tg-/);
    await followsItsWebServers(system);
  }, 240_000);

  test('a checker that is cut off has no vote, and causes no status changes', async () => {
    const at = await addressesOf(system.data);
    await system.told('unplug', 'ap-checker');
    expect(await system.lab('hosts')).toContainEqual(
      expect.objectContaining({ name: 'ap-checker', state: 'UNPLUGGED' }),
    );
    const admin = ['--user', 'admin', '--password-file', join(system.data, 'admin.password')];
    await waitFor('it to be absent', async () => {
      const [newest] =
        (await told(system, 'events', 'list', '--limit', '100', ...admin)).match(/gslbChecker\.state +ap .*/) ?? [];
      return newest?.includes('→ ABSENT') === true;
    });
    const before = (await flips(system)).filter(({ late }) => !late);
    await system.told('kill', 'us-web');
    await answeredByBoth(
      system,
      at,
      'us to be left out',
      (site) => site !== undefined && site !== 'us',
      `+subnet=${usBlock}`,
    );
    const after = (await flips(system)).filter(({ late }) => !late);
    const [down] = after.filter(({ member, verdictAfter: to }) => member.name === 'us' && to === 'DOWN');
    expect(down?.ballots.find(({ vantagePointName }) => vantagePointName === 'ap')?.count).toBe('ABSENT');
    for (const flip of after.slice(0, after.length - before.length))
      if (flip.verdictAfter !== flip.verdictBefore) {
        const forIt = flip.ballots.filter(({ count, verdict }) => count === 'COUNTED' && verdict === flip.verdictAfter);
        expect([flip.reason, forIt.length]).toEqual([flip.reason, 2]);
      }
    await system.told('plug', 'us-web');
    await system.told('plug', 'ap-checker');
    await answeredByBoth(system, at, 'us to be back', (site) => site === 'us', `+subnet=${usBlock}`);
  }, 240_000);

  test('an unknown part is refused with the reason', async () => {
    expect(await system.refusal('unplug', 'toaster')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('eu-web, eu-checker'),
    });
    expect(await system.refusal('remove', 'sites')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('delete the GSLBs'),
    });
  }, 60_000);

  test('a name server continues when everything else is killed, even after its own restart, and reports the age of its data', async () => {
    const server = await ownNameServer(system);
    try {
      await waitFor('its answer', async () => (await server.answered()) === 'eu');
      await waitFor('its age', async () => (await server.age()) <= 5 * patience);
      await system.end('SIGKILL');
      await waitFor('all else to end', async () => (await programsOf(system)).length === 0);
      expect(await server.answered()).toBe('eu');
      await server.restart();
      await waitFor('the same answer', async () => (await server.answered()) === 'eu');
      const age = await server.age();
      await waitFor('its age to grow', async () => (await server.age()) > age);
      await system.restart('SIGKILL');
      await waitFor('the part', async () =>
        (await system.lab('list')).some(({ part, state }) => part === 'sites' && state === 'RUNNING'),
      );
      const at = await addressesOf(system.data);
      await answeredByBoth(system, at, 'the nearest', (site) => site === 'eu');
    } finally {
      await server.stop();
    }
  }, 300_000);

  test('a stop leaves nothing behind', async () => {
    await system.end('SIGTERM');
    expect(await own()).toEqual([]);
    expect(await programsOf(system)).toEqual([]);
  }, 60_000);

  test('a cut that is made twice and ended twice works as a cut', async () => {
    const network = new SitesNetwork('0000ac');
    try {
      const { machine } = await network.layOut(undefined, new AbortController().signal);
      const ping = () =>
        run('ping', ['-c', '1', '-W', '5', `${machine.replace(/1$/, '')}11`]).then(
          () => true,
          () => false,
        );
      expect(await ping()).toBe(true);
      for (const isCut of [true, true]) await network.setCut('ns1', { what: 'all' }, isCut);
      expect(await ping()).toBe(false);
      for (const isCut of [false, false]) await network.setCut('ns1', { what: 'all' }, isCut);
      expect(await ping()).toBe(true);
    } finally {
      await network.remove(await network.present());
    }
  }, 60_000);
});

describeHere('without root', () => {
  let system: LabSystem | undefined;
  afterAll(async () => {
    await system?.stop();
    if (system !== undefined) await endProcessesOf(system.data);
  });

  test('on the loopback everything works the same, except the cut', async () => {
    const lab = await LabSystem.start(['--lab', 'sites'], isRoot ? stranger : []);
    system = lab;
    await followsItsWebServers(lab);
    expect(await lab.refusal('unplug', 'ap-checker')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('root'),
    });
    await lab.told('kill', 'ns1');
    const at = await addressesOf(lab.data);
    await waitFor('ns1 to be silent', async () => (await answered(at, at.NS1 ?? '', at.DNS_PORT ?? '')) === undefined);
    expect(await answered(at, at.NS2 ?? '', at.DNS_PORT ?? '')).toBe('eu');
    await lab.told('plug', 'ns1');
    await answeredByBoth(system, at, 'the nearest', (site) => site === 'eu');
    const { gslbs: page } = await lab.ask<{ gslbs: { nodes: { id: string }[] } }>('{ gslbs { nodes { id } } }');
    const removal =
      'mutation ($input: GslbDeleteInput!) { gslbDelete(input: $input) { deletedId userErrors { code message } } }';
    const deletedId = page.nodes[0]?.id;
    expect(await lab.ask(removal, { input: { id: deletedId } })).toEqual({ gslbDelete: { deletedId, userErrors: [] } });
    await waitFor('its removal', () =>
      lab.lab('remove', 'sites').then(
        () => true,
        () => false,
      ),
    );
    await lab.lab('add', 'sites');
    await lab.end('SIGTERM');
    expect(await programsOf(lab)).toEqual([]);
  }, 360_000);
});
