// Quiet mode: a whole process that reads only. Nothing leaves its network namespace, and no row changes.
// needs: iproute2, nftables, processes, root, util-linux
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GraphQLNonNull, type GraphQLObjectType, getNamedType } from 'graphql';
import { createConnection } from 'mariadb';
import { firstAccounts } from '../../compose/first-accounts.ts';
import { startProcess } from '../../compose/process.ts';
import { quietSettings } from '../../compose/quiet.ts';
import { createLogger } from '../../platform/log/log.ts';
import { type Config, readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { ask, startProgram } from '../bin/support/up-process.ts';
import { freePort } from '../support/machine/free-port.ts';
import { stays, waitFor } from '../support/machine/temporary-folder.ts';
import { type SystemPlace, systemPlace } from '../support/product/running-system.ts';

const run = promisify(execFile);
const log = createLogger({ level: 'silent', pretty: false });
/** Each thing that an installation reaches, at an address of its own. */
const reached = {
  ...{ redis: '192.0.2.9', firewall: '192.0.2.10', nameServer: '192.0.2.20', webhook: '192.0.2.30' },
  ...{ otherSubgraph: '192.0.2.40', standby: '192.0.2.50', endpoint: '192.0.2.60' },
};

let place: SystemPlace;
let token: string;
let password: string;
const programs: ReturnType<typeof startProgram>[] = [];

beforeAll(async () => {
  place = await systemPlace();
  const roles = subgraphRows.map(({ name }) => name).join(',');
  const flags = { ...place.settings, roles: `gateway,${roles}`, 'listen.port': '0' };
  const running = await startProcess(readConfig({ flags }, subgraphRows), log);
  const { access, url = '' } = running;
  if (access === undefined) throw new Error('no system');
  const accounts = await firstAccounts(access, place.folder.path);
  token = accounts.token;
  password = (await readFile(accounts.passwordFile, 'utf8')).trim();
  const backend = {
    ...{ name: 'fw', driver: 'linux-nftables', host: reached.firewall, port: 22 },
    ...{ hostKeySha256: `SHA256:${'A'.repeat(43)}`, credentials: { username: 'u', password: 'p' } },
  };
  // Its nodes are owed from now on.
  const balancer = { idempotencyKey: 'web', name: 'web' };
  const create = `mutation ($backend: BackendCreateInput!) { backendCreate(input: $backend) { userErrors { message } } }`;
  expect(await ask(url, token, create, { backend })).toEqual({ backendCreate: { userErrors: [] } });
  const owe = `mutation ($balancer: LoadBalancerCreateInput!) { loadBalancerCreate(input: $balancer) { userErrors { message } } }`;
  expect(await ask(url, token, owe, { balancer })).toEqual({ loadBalancerCreate: { userErrors: [] } });
  await running.stop();
}, 60_000);

afterAll(async () => {
  for (const { child } of programs) child.kill('SIGKILL');
  await Promise.all(programs.map(({ ended }) => ended));
  await place?.remove();
});

async function settingsFile(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { 'redis.path': _, ...settings } = place.settings;
  const file = join(place.folder.path, `${name}.json`);
  const all = { ...settings, 'redis.host': reached.redis, 'listen.port': await freePort(), ...more };
  await writeFile(file, JSON.stringify({ 'log.level': 'info', 'log.format': 'json', ...all }));
  return file;
}

/** Everything by which a process serves machines, or is one. It need not be there in quiet mode. */
async function outwardSettings(): Promise<Readonly<Record<string, unknown>>> {
  const key = join(place.folder.path, 'tsig.key');
  await writeFile(key, 'key "k" { algorithm hmac-sha256; secret "bm90LWEtcmVhbC1vbmU="; };\n', { mode: 0o600 });
  return {
    'internal.machineFolder': join(place.folder.path, 'no-machine'),
    'internal.machineUrls': `https://${reached.endpoint}/graphql`,
    'internal.systemPort': await freePort(),
    'internal.graphPort': await freePort(),
    'loadbalancer.linkPort': await freePort(),
    'loadbalancer.collectdListen': `0.0.0.0:${await freePort()}`,
    'loadbalancer.collectdSecurity': 'none',
    'gslb.checkerPort': await freePort(),
    'gslb.dnsPort': await freePort(),
    'objectStorage.linkPort': await freePort(),
    'dns.servers': `${reached.nameServer}:53`,
    'dns.tsigKeyFile': key,
    'database.standbyHost': reached.standby,
    'subgraphs.relayUrl': `https://${reached.otherSubgraph}/graphql`,
  };
}

/** An account that may read, and nothing else. */
async function readingAccount(): Promise<Readonly<Record<string, unknown>>> {
  const user = `reader_${place.database.name.slice(-8)}`;
  const root = await createConnection(place.database.rootConnection);
  await root.query(`CREATE USER ${user}@localhost IDENTIFIED BY 'read'`);
  await root.query(`GRANT SELECT ON \`${place.database.name}\`.* TO ${user}@localhost`);
  await root.end();
  return { 'database.user': user, 'database.password': 'read' };
}

/** In a network of its own, where every address is reachable over an interface that swallows and counts. */
function serveAlone(args: readonly string[]): ReturnType<typeof startProgram> {
  const rules = Object.entries(reached)
    .map(([name, address]) => `add counter inet t ${name}; add rule inet t o ip daddr ${address} counter name ${name}`)
    .join('; ');
  const setup = `ip link set lo up; ip link add out type veth peer name far
for each in out far; do ip link set $each addrgenmode none 2>/dev/null || true; done
ip link set far up; ip link set out arp off up
ip addr add 192.0.2.1/32 dev out; ip route add default dev out
nft 'add table inet t; add chain inet t o { type filter hook output priority 0; }; ${rules}'
exec "$@"`;
  const program = startProgram(['serve', '--as-root', ...args], {}, undefined, [
    ...['unshare', '--net', 'sh', '-ec', setup, 'sh'],
  ]);
  programs.push(program);
  return program;
}

async function inNetworkOf(program: ReturnType<typeof startProgram>, ...command: string[]): Promise<string> {
  const words = [`--net=/proc/${program.child.pid}/ns/net`, '--', ...command];
  return (await run('nsenter', words, { timeout: 30_000 })).stdout;
}

/** Packets to each, and packets on the interface. */
async function sent(program: ReturnType<typeof startProgram>): Promise<Record<string, number>> {
  const counters = JSON.parse(await inNetworkOf(program, 'nft', '-j', 'list', 'counters')) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  const [out] = JSON.parse(await inNetworkOf(program, 'ip', '-j', '-s', 'link', 'show', 'out')) as {
    stats64: { tx: { packets: number } };
  }[];
  const each = counters.nftables.flatMap(({ counter }) =>
    counter === undefined ? [] : [[counter.name, counter.packets] as const],
  );
  return { ...Object.fromEntries(each), all: out?.stats64.tx.packets ?? -1 };
}

async function checksums(): Promise<Record<string, unknown>> {
  const root = await createConnection(place.database.rootConnection);
  try {
    const tables = await root.query<{ name: string }[]>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
    );
    const sums = await root.query<{ Table: string; Checksum: bigint }[]>(
      `CHECKSUM TABLE ${tables.map(({ name }) => `\`${name}\``).join(', ')}`,
    );
    return Object.fromEntries(sums.map(({ Table, Checksum }) => [Table.split('.')[1], String(Checksum)]));
  } finally {
    await root.end();
  }
}

interface Answer<Data> {
  readonly status: number;
  readonly body: { readonly data: Data; readonly errors?: readonly unknown[] };
}

/** One request to the process, from its own network. */
async function request<Data>(
  program: ReturnType<typeof startProgram>,
  url: string,
  bearer?: string,
  content?: object,
): Promise<Answer<Data>> {
  const options = {
    method: content === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  };
  const script = `const a = await fetch(${JSON.stringify(url)}, ${JSON.stringify(options)});
console.log(JSON.stringify({ status: a.status, body: await a.json() }));`;
  return JSON.parse(await inNetworkOf(program, process.execPath, '--input-type=module', '-e', script)) as Answer<Data>;
}

test('a usual process with these settings reaches out: the counters count', async () => {
  const program = serveAlone(['--config', await settingsFile('usual')]);
  await waitFor('packets', async () => {
    if (program.child.exitCode !== null) throw new Error(program.output());
    const { redis = 0, firewall = 0, all = 0 } = await sent(program).catch(() => ({}) as Record<string, number>);
    return redis > 0 && firewall > 0 && all > 0;
  });
  program.child.kill('SIGTERM');
  await program.ended;
}, 60_000);

test('a quiet one answers queries and logins, sends nothing, listens nowhere else, and changes no row', async () => {
  const before = await checksums();
  const file = await settingsFile('quiet', { ...(await outwardSettings()), ...(await readingAccount()) });
  const program = serveAlone(['--quiet', '--config', file]);
  await waitFor('the address', async () => {
    if (program.child.exitCode !== null) throw new Error(program.output());
    return program.output().includes('"msg":"ready"');
  });
  const [, url = ''] = /"url":"(http:[^"]+)"[^\n]*"msg":"ready"/.exec(program.output()) ?? [];
  const graph = `${url}/graphql`;

  const health = await request(program, `${url}/health/ready`);
  expect([health.status, health.body]).toMatchObject([
    200,
    { ready: true, notReady: [{ name: 'quiet', required: false, detail: expect.stringContaining('--quiet') }] },
  ]);

  // As a user, whose session is not a row.
  const login = await request<{ login: { accessToken: string; refreshToken: string } }>(program, graph, undefined, {
    query: 'mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { code } } }',
    variables: { input: { name: 'admin', password } },
  });
  const { accessToken, refreshToken } = login.body.data.login;
  const read =
    '{ me { name sessions { current } } backends { nodes { name operatingStatus } } loadBalancers { nodes { name } } health { name ready } attention { __typename } }';
  const answer = await request(program, graph, accessToken, { query: read });
  expect(answer.body.errors).toBeUndefined();
  expect(answer.body.data).toMatchObject({
    ...{ me: { name: 'admin', sessions: [{ current: true }] }, backends: { nodes: [{ name: 'fw' }] } },
    ...{ loadBalancers: { nodes: [{ name: 'web' }] } },
    health: expect.arrayContaining([{ name: 'quiet', ready: false }]),
  });
  const wrong = await request(program, graph, undefined, {
    query: 'mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }',
    variables: { input: { name: 'admin', password: 'wrong' } },
  });
  expect(wrong.body.data).toEqual({ login: { accessToken: null, userErrors: [{ code: 'BAD_CREDENTIALS' }] } });
  const refresh = {
    query: 'mutation ($input: SessionRefreshInput!) { sessionRefresh(input: $input) { userErrors { code } } }',
    variables: { input: { refreshToken } },
  };
  expect((await request(program, graph, undefined, refresh)).body.data).toEqual({ sessionRefresh: { userErrors: [] } });
  // Used before: the session ends.
  expect((await request(program, graph, undefined, refresh)).body.data).toEqual({
    sessionRefresh: { userErrors: [{ code: 'BAD_CREDENTIALS' }] },
  });
  // The gateway keeps an identity for a second.
  await waitFor('the end of the session', async () => {
    const ended = await request(program, graph, accessToken, { query: '{ me { name } }' });
    return ended.body.errors !== undefined;
  });

  // As a program. A read from a device is refused before it is looked up.
  const proof = await request(program, graph, token, {
    query:
      'query ($input: BackendProofReadInput!) { backendProofRead(input: $input) { presented { kind } userErrors { code } } backends { nodes { name } } }',
    variables: { input: { driver: 'linux-nftables', host: reached.firewall } },
  });
  expect(proof.body.data).toEqual({
    backendProofRead: { presented: null, userErrors: [{ code: 'EGRESS_DENIED' }] },
    backends: { nodes: [{ name: 'fw' }] },
  });
  const created = await request(program, graph, token, {
    query: 'mutation ($input: LoadBalancerCreateInput!) { loadBalancerCreate(input: $input) { userErrors { code } } }',
    variables: { input: { idempotencyKey: 'k', name: 'second' } },
  });
  expect(created.body.data).toEqual({ loadBalancerCreate: { userErrors: [{ code: 'QUIET_MODE' }] } });

  // Longer than the intervals of checks, dispatchers and leases.
  await stays('silent', 6_000, async () => (await sent(program)).all === 0);
  const listening = (await inNetworkOf(program, 'ss', '-Hlntu')).trim().split('\n');
  expect(listening).toEqual([expect.stringContaining(`:${new URL(url).port} `)]);
  const nothing = Object.fromEntries(['all', ...Object.keys(reached)].map((name) => [name, 0]));
  expect(await sent(program)).toEqual(nothing);
  program.child.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
  expect(await checksums()).toEqual(before);
}, 60_000);

test('every mutation but those of sessions is refused, and its payload can say so', async () => {
  const flags = { ...place.settings, roles: subgraphRows.map(({ name }) => name).join(','), 'serve.quiet': 'true' };
  const quiet = await startProcess(readConfig({ flags: { ...flags, 'listen.port': '0' } }, subgraphRows), log);
  const answers: string[] = [];
  for (const { subgraph } of quiet.subgraphs.values())
    for (const field of Object.values(subgraph.schema.getMutationType()?.getFields() ?? {})) {
      const payload = (getNamedType(field.type) as GraphQLObjectType).getFields();
      const needed = Object.values(payload).filter(({ type }) => type instanceof GraphQLNonNull);
      expect([field.name, needed.map(({ name }) => name)]).toEqual([field.name, ['userErrors']]);
      const answer = await Promise.resolve(field.resolve?.({}, {}, {}, {} as never)).catch(() => undefined);
      const code = (answer as { userErrors?: { code: string }[] } | undefined)?.userErrors?.[0]?.code;
      if (code !== 'QUIET_MODE') answers.push(field.name);
    }
  await quiet.stop();
  expect(answers.sort()).toEqual(['login', 'logout', 'sessionRefresh', 'sessionStart']);
}, 60_000);

test('the settings must name a subgraph', () => {
  const config = { 'serve.quiet': true, roles: ['gateway', 'checker'] } as unknown as Config;
  expect(() => quietSettings(config, subgraphRows)).toThrow('the roles name none');
});
