// `tidegate setup --hosts`: what it writes for each host, and that it names all faults of a hosts file and writes nothing then.
// needs: openssl
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { configIn } from '../../cli/setup/write-hosts.ts';
import { machineRolesOf } from '../../compose/missing-files.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { forFile } from '../support/jest/shared.ts';
import { temporaryFolder } from '../support/machine/temporary-folder.ts';
import { runCommand } from './commands/run-command.ts';

const folder = forFile(() => temporaryFolder());
const path = (...names: readonly string[]) => join(folder.path, ...names);

async function setUp(text: string, to: string) {
  await writeFile(path('hosts.yaml'), text);
  await writeFile(path('redis.password'), 'of redis\n');
  await writeFile(path('ca.pem'), 'an authority\n');
  return runCommand(['setup', '--hosts', path('hosts.yaml'), '--to', path(to)]);
}

const stores = `
database: { host: [db1.example.net, "2001:db8::7"], port: 3307, authority: ca.pem }
redis: { host: 192.0.2.7, passwordFile: redis.password }
`;
const good = `url: https://intranet.example.net:8443/tidegate
${stores}
hosts:
  - { name: c1, address: 192.0.2.1, roles: [system, relay, gslb] }
  - { name: c2, address: c2.example.net, roles: [relay, worker] }
  - { name: g1, address: "2001:db8::3", roles: [gateway] }
  - { name: ns1, address: 192.0.2.4, roles: [dns], settings: { dns: { nameserver: { listen: ["192.0.2.4:53"] } } } }
`;

test('each host gets the settings, the unit and the keys of its roles, from the samples', async () => {
  expect(await setUp(good, 'made')).toMatchObject({ exitCode: 0, stderr: '' });
  const made = path('made');
  const etc = (host: string) => join(made, host, 'etc/tidegate');
  const text = (...names: readonly string[]) => readFile(join(made, ...names), 'utf8');

  const c1 = configIn(etc('c1'), 'control');
  expect(c1).toMatchObject({
    ...{ roles: ['system', 'relay', 'gslb'], name: 'c1', 'internal.relayPort': 4102 },
    ...{
      'database.host': [{ host: 'db1.example.net' }, { host: '2001:db8::7' }],
      'database.port': 3307,
      'redis.host': '192.0.2.7',
    },
    ...{ 'redis.password': 'of redis', 'redis.tls': true, 'gslb.dnsPort': 4130 },
    ...{ 'alerts.dashboardUrl': 'https://intranet.example.net:8443/tidegate' },
    'internal.graphUrls': ['https://[2001:db8::3]:4100'],
  });
  expect(c1['loadbalancer.linkPort' as never]).toBeUndefined();
  expect(machineRolesOf(c1, subgraphRows)).toEqual(['system', 'relay', 'gslb']);
  expect((await readdir(join(etc('c1'), 'keys'))).sort()).toEqual([
    ...['authority.key', 'authority.pem', 'public.keys', 'sealing.keys', 'subgraphs.keys', 'system.keys'],
  ]);
  expect(await readdir(join(etc('c2'), 'keys'))).not.toContain('authority.key');
  expect(await readdir(join(etc('g1'), 'keys'))).toEqual(['gateway.keys']);

  const gateway = configIn(etc('g1'), 'gateway');
  expect(gateway).toMatchObject({
    'subgraphs.relayUrl': ['https://192.0.2.1:4102/graphql', 'https://c2.example.net:4102/graphql'],
  });
  expect(gateway['subgraphs.loadbalancerUrl' as never]).toBeUndefined();
  expect(await text('g1', 'etc/nginx/conf.d/tidegate.conf')).toMatch(
    /listen 8443 ssl;[\s\S]*server_name intranet\.example\.net;[\s\S]*location \/tidegate\/ \{\s+proxy_pass http:\/\/127\.0\.0\.1:4000\/;/,
  );
  expect(configIn(etc('ns1'), 'dns')).toMatchObject({ 'nameserver.controlUrls': ['wss://192.0.2.1:4130/link'] });
  expect(await text('ns1', 'etc/tidegate/dns.yaml')).toContain('192.0.2.4:53');
  expect(await readdir(join(made, 'ns1', 'etc/systemd/system'))).toEqual(['tidegate-dns.service']);
  expect(await text('c1', 'etc/systemd/system/tidegate@.service')).toContain('--config /etc/tidegate/%i.yaml');

  const sql = await text('database.sql');
  const password = (await text('c1', 'etc/tidegate/database.password')).trim();
  expect(sql).toContain(`'tidegate'@'%' IDENTIFIED BY '${password}'`);
  expect(password).toBe((await text('c2', 'etc/tidegate/database.password')).trim());
  for (const each of [
    'database.sql',
    'migrate.password',
    'c1/etc/tidegate/control.yaml',
    'c1/etc/tidegate/keys/system.keys',
  ])
    expect([each, (await stat(join(made, each))).mode & 0o777]).toEqual([each, 0o600]);
});

describe('all faults are named at once, and nothing is written', () => {
  const hosts = (...lines: readonly string[]) =>
    `url: https://t.example.net\n${stores}\nhosts:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
  const whole = '{ name: all, address: 192.0.2.9, roles: [gateway, system, relay, worker] }';

  test.each<[string, string, readonly string[]]>([
    [
      'names, addresses and roles',
      hosts(
        '{ name: a, address: 192.0.2.1, roles: [system, sytem] }',
        '{ name: a, address: 192.0.2.1, roles: [dns] }',
        '{ name: b, address: 192.0.2.2, roles: [objectserver, gateway, gateway] }',
      ),
      [
        ...['2 hosts have the name a', '2 hosts have the address 192.0.2.1', 'host a: there is no role sytem'],
        ...['host a: the role dns needs gslb, which no host runs', 'host b: objectserver belongs to a cluster'],
        ...['host b: the role gateway is given twice', 'no host runs the role worker'],
      ],
    ],
    [
      'fields and values',
      `url: http://t.example.net\ncolour: red\n${stores}\nhosts: [{ name: A, adress: x, address: "300.1.1.1", roles: [] }]\n`,
      [
        ...[
          'url: it must be an https URL',
          'colour: there is no such field',
          'hosts[1].adress: there is no such field',
        ],
        ...['hosts[1].name: it must have', 'hosts[1].address: it must be a host name or an IP address'],
        'hosts[1].roles: give at least one role',
      ],
    ],
    ['YAML', `url: [\n${stores}`, ['line ']],
    [
      'settings of hosts',
      hosts(
        whole,
        '{ name: d, address: d.example.net, roles: [gateway], settings: { gateway: { lissten: { port: 1 }, listen: { port: 99999999 } } } }',
      ),
      ['host d: lissten.port', 'host d: listen.port'],
    ],
    [
      'settings of a process that is not there',
      hosts(whole, '{ name: d, address: d.example.net, roles: [gateway], settings: { dns: { nameserver: {} } } }'),
      ['host d: settings.dns: its processes are gateway'],
    ],
    [
      'files',
      hosts(whole).replace('ca.pem', 'no.pem').replace('redis.password', 'no.password'),
      ["database.authority: no.pem can't be read (ENOENT)", "redis.passwordFile: no.password can't be read (ENOENT)"],
    ],
  ])('%s', async (_, text, faults) => {
    const before = await readdir(folder.path);
    const { exitCode, stdout, stderr } = await setUp(text, 'refused');
    expect([exitCode, stdout]).toEqual([1, '']);
    for (const fault of faults) expect(stderr).toContain(fault);
    expect((await readdir(folder.path)).filter((name) => !before.includes(name) && /refused/.test(name))).toEqual([]);
  });

  test('a target that is not empty stays as it is', async () => {
    await writeFile(path('kept'), 'mine');
    const { exitCode, stderr } = await runCommand(['setup', '--hosts', path('hosts.yaml'), '--to', folder.path]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    expect(await readFile(path('kept'), 'utf8')).toBe('mine');
  });

  test('neither step, or the second one before the first', async () => {
    expect(await runCommand(['setup', '--to', path('none')])).toMatchObject({ exitCode: 64 });
    const early = await runCommand(['setup', '--to', path('none'), '--admin', 'alice']);
    expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has no hosts.yaml') });
  });
});
