// `apply` on a real system, twice, for all kinds; files with faults, which change nothing and show no secret; failing servers.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { partKinds } from '../../../subgraphs/loadbalancer/spec/parts.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly line: number;
  readonly result: string;
  readonly id: string | null;
  readonly message: string | null;
  readonly changes: readonly { readonly field: string; readonly from?: unknown; readonly to?: unknown }[];
}

let folder: TemporaryFolder;
let privateKey: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const made = await makeCertificate({ commonName: 'web.test', names: ['web.test'] });
  privateKey = made.key;
  await writeFile(join(folder.path, 'web.pem'), made.cert);
  await writeFile(join(folder.path, 'web.key'), privateKey);
});
afterAll(() => folder.remove());

async function applyFile(text: string, at: readonly string[], args: readonly string[] = [], token: string = goodToken) {
  const path = join(folder.path, 'web.yaml');
  await writeFile(path, text);
  const run = await runCommand(
    ['apply', '-f', path, '--secret-env', 'FW_PASSWORD', '--secret-folder', folder.path, ...at, ...args],
    {
      env: { TIDEGATE_TOKEN: token, FW_PASSWORD: 's3cret-of-fw' },
    },
  );
  const keyLine = privateKey.split('\n')[1] ?? 'no key';
  expect(`${run.stdout}${run.stderr}`).not.toContain(keyLine);
  expect(`${run.stdout}${run.stderr}`).not.toContain('s3cret-of-fw');
  return { ...run, path, rows: () => JSON.parse(run.stdout) as Row[] };
}

const subnet = 'kind: ProjectSubnet\nname: inner\ncidr: 10.9.0.0/24\n';
const certificate = 'kind: TlsCertificate\nname: web\nchain: { file: web.pem }\nprivateKey: { file: web.key }\n';
const balancer = `kind: LoadBalancer
name: web
description: The shop.
tags: [shop]
subnetId: inner
minNodes: 1
maxNodes: 3
cmpObject: { type: tenant, externalId: "42" }
autoscaling: { targetPercent: 70 }
pools:
  - name: default
    memberProtocol: HTTP
    persistence: { type: HTTP_COOKIE }
    members:
      - { host: 192.0.2.10, port: 80 }
      - { host: "2001:DB8::10", port: 80, weight: 5 }
    healthMonitor: { monitorType: HTTP, path: /alive }
  - { name: static, memberProtocol: HTTP, tls: true, clientCertificateId: web }
listeners:
  - { protocol: HTTP, port: 80, defaultPool: default, allowedCidrs: [192.0.2.0/24, "2001:DB8::/32"] }
  - protocol: TERMINATED_HTTPS
    port: 443
    defaultPool: default
    certificateIds: [web]
    l7Policies:
      - name: images
        action: REDIRECT_TO_POOL
        redirectPool: static
        l7Rules:
          - { ruleType: PATH, compareType: STARTS_WITH, value: /images }
          - { ruleType: HOST_NAME, compareType: EQUAL_TO, value: web.test }
`;
const backend = `kind: Backend
name: fw-1
driver: linux-nftables
host: 192.0.2.1
credentials: { username: netops, password: { env: FW_PASSWORD } }
`;
// A kind that needs another one may come first.
const everything = [balancer, backend, certificate, subnet].join('---\n');

describe('on a real system', () => {
  let system: RunningSystem;
  const apply = (text: string, ...args: string[]) => applyFile(text, ['--url', system.url], args, system.token);
  const results = (rows: readonly Row[]) => rows.map(({ kind, name, result }) => `${kind} ${name} ${result}`);
  const done = (rows: readonly Row[]) => results(rows.filter(({ result }) => result !== 'UNCHANGED'));

  beforeAll(async () => {
    system = await runningSystem();
  });
  afterAll(() => system.stop());

  test('a dry run does nothing; the first run creates all kinds in their order; the second changes nothing', async () => {
    const dry = await apply(everything, '--dry-run');
    expect([dry.exitCode, dry.stderr]).toEqual([0, '']);
    expect(dry.stdout).toMatch(/^LoadBalancer +web +1 +WOULD_CREATE +-$/m);
    const run = await apply(everything, '--json');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(results(run.rows())).toEqual([
      'Backend fw-1 CREATED',
      'ProjectSubnet inner CREATED',
      'TlsCertificate web CREATED',
      'LoadBalancer web CREATED',
    ]);
    const again = await apply(everything, '--json');
    expect([again.exitCode, done(again.rows())]).toEqual([0, []]);
    expect(again.rows().map(({ name }) => name)).toContain('web/443/images/PATH STARTS_WITH /images');
  });

  test('differences are changed field by field, omitted fields keep their values, and --prune deletes parts', async () => {
    const other = everything
      .replace('port: 80, weight: 5', 'port: 80, weight: 7')
      .replace('- { host: 192.0.2.10, port: 80 }', '- { host: 192.0.2.11, port: 8080, backup: true }')
      .replace('path: /alive', 'path: /alive, intervalMs: 5000')
      .replace('defaultPool: default, allowed', 'defaultPool: static, allowed')
      .replace('value: /images', 'value: /pictures')
      .replace('targetPercent: 70', 'targetPercent: 50')
      .replace('maxNodes: 3', 'maxNodes: 4')
      .replace('        l7Rules:', '        position: 5\n        l7Rules:');
    const dry = await apply(other, '--dry-run');
    expect(dry.stdout).toMatch(/WOULD_UPDATE +weight: 5 → 7$/m);
    const seen = await apply(other, '--preview');
    expect([seen.exitCode, seen.stderr]).toEqual([0, '']);
    expect(seen.stdout).toMatch(/WOULD_UPDATE +weight: 5 → 7; 1 nodes; HAProxy does not reload$/m);
    expect(seen.stdout).toMatch(/HealthMonitor .* HAProxy reloads: /);
    const run = await apply(other, '--json');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(done(run.rows())).toEqual([
      'LoadBalancer web UPDATED',
      'PoolMember web/default/192.0.2.11:8080 CREATED',
      'PoolMember web/default/[2001:DB8::10]:80 UPDATED',
      'PoolHealthMonitor web/default/health monitor UPDATED',
      'Listener web/80 UPDATED',
      'L7Policy web/443/images UPDATED',
      'L7Rule web/443/images/PATH STARTS_WITH /pictures UPDATED',
      'AutoscalingPolicy web UPDATED',
    ]);
    expect(done((await apply(other, '--json')).rows())).toEqual([]);
    const pruned = await apply(other, '--prune', '--json');
    expect(done(pruned.rows())).toEqual(['PoolMember web/default/192.0.2.10:80 DELETED']);
    expect(done((await apply(other, '--prune', '--json')).rows())).toEqual([]);
  });

  test('new pools and listeners of an existing load balancer, and then none of them', async () => {
    const more = `kind: LoadBalancer
name: web
listeners:
  - { protocol: TCP, port: 53, defaultPool: names }
pools:
  - name: names
    memberProtocol: TCP
    members: [{ host: 192.0.2.53, port: 53 }]
    healthMonitor: { monitorType: TCP }
`;
    const run = await apply(more, '--json');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(done(run.rows())).toEqual([
      'Pool web/names CREATED',
      'PoolMember web/names/192.0.2.53:53 CREATED',
      'PoolHealthMonitor web/names/health monitor CREATED',
      'Listener web/53 CREATED',
    ]);
    expect(done((await apply(more, '--json')).rows())).toEqual([]);
    const ended = await apply(
      'kind: LoadBalancer\nname: web\nautoscaling: null\nlisteners: []\npools: []\n',
      '--prune',
      '--json',
    );
    expect([ended.exitCode, ended.stderr]).toEqual([0, '']);
    expect(done(ended.rows())).toEqual([
      ...['Listener web/443 DELETED', 'Listener web/80 DELETED', 'Listener web/53 DELETED'],
      ...['Pool web/names DELETED', 'Pool web/static DELETED', 'Pool web/default DELETED'],
      'AutoscalingPolicy web DELETED',
    ]);
    // The same content as before is created again, and not taken for a repetition.
    expect(done((await apply(more, '--json')).rows())).toHaveLength(4);
  });

  test('every field of every part, in unusual order and notation: the second run changes nothing', async () => {
    const wide = `${certificate}---
kind: LoadBalancer
name: wide
description: "  All fields. "
tags: [z, a]
enabled: false
nodeSize: { threads: 2 }
minNodes: 1
maxNodes: 5
autoscaling:
  { enabled: false, dryRun: true, signal: COLLECTD, collectdValue: cpu/percent, tolerancePercent: 0, periodMs: 5000, warmUpMs: 0, cooldownMs: 0,
    downWindowMs: 0, timeZone: Europe/Berlin, schedule: [{ days: [7, 6, 7], from: "23:00", to: "01:00", minNodes: 1, maxNodes: 2 }] }
pools:
  - name: Encrypted
    description: d
    memberProtocol: HTTP2
    algorithm: LEAST_CONNECTIONS
    persistence: { type: APP_COOKIE, cookieName: SID, timeoutMs: 1000 }
    proxyProtocol: V2
    tls: true
    tlsVersions: [TLS_1_3, TLS_1_2]
    tlsCiphers: ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256
    tlsServerName: Members.Test
    authorities: &pem |
${(await readFile(join(folder.path, 'web.pem'), 'utf8')).replaceAll(/^/gm, '      ')}
    clientCertificateId: web
    failOpenBelowPercent: 0
    ejectAfterErrors: 1
    slowStartMs: 10
    drainMs: 0
    enabled: false
    tags: [b, a]
    members:
      - { name: n, host: App.Members.Test, port: 443, weight: 0, backup: true, monitorHost: "2001:DB8:0::1", monitorPort: 1, enabled: false, tags: [b, a] }
    healthMonitor:
      { name: m, monitorType: HTTPS, intervalMs: 60000, timeoutMs: 50000, rise: 1, fall: 10, method: OPTIONS, path: "/a?b", hostHeader: App.Test, expectedCodes: "200,204", enabled: false, tags: [b, a] }
listeners:
  - name: l
    description: d
    protocol: TERMINATED_HTTPS
    port: 8443
    defaultPool: Encrypted
    connectionLimit: 1
    clientTimeoutMs: 100
    memberConnectTimeoutMs: 10
    memberTimeoutMs: 100
    inspectTimeoutMs: 1
    allowedCidrs: ["2001:DB8::/32", 192.0.2.0/24, 10.0.0.1]
    insertHeaders: [X_SSL_ISSUER, X_FORWARDED_FOR]
    certificateIds: [web]
    tlsVersions: [TLS_1_3]
    tlsCiphers: ECDHE-RSA-AES256-GCM-SHA384
    alpnProtocols: [HTTP_1_1, H2]
    clientAuthentication: OPTIONAL
    clientAuthorities: *pem
    hstsMaxAgeSeconds: 0
    hstsIncludeSubdomains: true
    hstsPreload: true
    accessLogPercent: 0
    enabled: false
    tags: [b, a]
    l7Policies:
      - { name: to pool, description: d, action: REDIRECT_TO_POOL, position: 1, redirectPool: Encrypted, enabled: false, tags: [b, a],
          l7Rules: [{ ruleType: HEADER, compareType: REGEX, key: X-Kind, value: "(?i)^A.*", invert: true, enabled: false, tags: [b, a] }] }
      - { name: to url, action: REDIRECT_TO_URL, redirectUrl: "https://Www.Test/A", redirectCode: 308 }
      - { name: to prefix, action: REDIRECT_PREFIX, redirectPrefix: "https://www.test" }
`;
    // A revocation list is a PEM text like the authorities.
    const fields = Object.values(partKinds).flatMap((kind) => Object.keys(kind.fields));
    expect(fields.filter((name) => !new RegExp(`\\b${name.replace(/s$/, '')}`).test(wide))).toEqual([
      'clientRevocations',
    ]);
    const run = await apply(wide, '--json');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    const again = (await apply(wide, '--prune', '--json')).rows();
    expect(again.filter(({ result }) => result !== 'UNCHANGED')).toEqual([]);
    // The fields for the other signal return to their defaults.
    const byLoad = wide.replace('COLLECTD, collectdValue: cpu/percent', 'LOAD, collectdValue: null, dryRun: null');
    const other = await apply(byLoad.replace('dryRun: true, ', ''), '--json');
    expect([other.exitCode, other.stderr]).toEqual([0, '']);
    expect(done(other.rows())).toEqual(['AutoscalingPolicy wide UPDATED']);
    expect(done((await apply(byLoad.replace('dryRun: true, ', ''), '--json')).rows())).toEqual([]);
  });

  test('a deleted object is created again from the same file; a refusal is reported at its line, and dependent steps are not done', async () => {
    const at = ['--url', system.url];
    const env = { TIDEGATE_TOKEN: system.token };
    expect((await apply('kind: ProjectSubnet\nname: again\ncidr: 10.8.0.0/24', '--json')).rows()[0]?.result).toBe(
      'CREATED',
    );
    expect((await runCommand(['subnets', 'delete', 'again', ...at], { env })).exitCode).toBe(0);
    const [second] = (await apply('kind: ProjectSubnet\nname: again\ncidr: 10.8.0.0/24', '--json')).rows();
    expect(second?.result).toBe('CREATED');
    const refused =
      'kind: ProjectSubnet\nname: wide\ncidr: 10.0.0.0/4\n---\nkind: LoadBalancer\nname: lost\nsubnetId: wide\n';
    const bad = await apply(refused.replace('10.0.0.0/4', '0.0.0.0/4'), '--json');
    expect(bad.exitCode).toBe(1);
    expect(bad.rows()).toMatchObject([
      { kind: 'ProjectSubnet', line: 3, result: 'REFUSED', message: expect.stringContaining('cidr is 0.0.0.0/4') },
      { kind: 'LoadBalancer', result: 'NOT_DONE', message: 'it needs ProjectSubnet wide, which was not made' },
    ]);
  });
});

describe('files with faults, and servers that fail', () => {
  let server: GraphServer;
  type Page = { first: number; after: string | null };
  const nothing = (args: Page) => pageOf([], args);
  const answers = { loadBalancers: nothing, tlsCertificates: nothing, projectSubnets: nothing };
  const made = (id: string, name: string) => ({ commit: null, userErrors: [], projectSubnet: { id, name } });
  const apply = (text: string, ...args: string[]) => applyFile(text, ['--url', server.url], args);
  const inputs = () =>
    server.requests.flatMap((each) => ('input' in each ? [each.input as Record<string, unknown>] : []));

  beforeAll(async () => {
    server = await GraphServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    server.requests.length = 0;
    server.answers = answers;
  });

  test('all faults at once, each with its line, document and path, and without a request', async () => {
    const run = await apply(
      `kind: LoadBalancer
name: Web
minNodes: "2"
colour: red
pools:
  - name: default
    memberProtocol: FTP
    members:
      - { host: "a b", port: 99999, wieght: 3 }
      - { host: 192.0.2.1, port: 80 }
      - { host: 192.0.2.1, port: 80 }
  - { memberProtocol: HTTP }
listeners: { port: 80 }
---
kind: TlsCertificate
name: web
chain: { file: no-such.pem }
privateKey: ${'x'.repeat(30)}
---
kind: Subnet
---
- { kind: ProjectSubnet, name: one, cidr: 10.0.0.1/24 }
- { kind: ProjectSubnet, name: one, cidr: 10.0.0.0/24 }
- { kind: AutoscalingPolicy, loadBalancer: web, targetPercent: 5 }
- just text
`,
      '--json',
    );
    expect(run.exitCode).toBe(1);
    const { faults } = JSON.parse(run.stdout) as { faults: { line: number; document: string; message: string }[] };
    const about = (line: number, document: string | null, part: string) => [
      line,
      document,
      expect.stringContaining(part),
    ];
    expect(faults.map(({ line, document, message }) => [line, document, message])).toEqual([
      about(3, 'LoadBalancer Web', 'minNodes must be integer'),
      about(4, 'LoadBalancer Web', '"colour" is not a field; the fields are kind, name, description'),
      about(7, 'LoadBalancer Web', 'pools.0.memberProtocol is "FTP"; it must be equal to one of the allowed values'),
      about(
        9,
        'LoadBalancer Web',
        'pools.0.members.0: "wieght" is not a field; the fields are name, host, port, weight',
      ),
      about(9, 'LoadBalancer Web', 'pools.0.members.0.host is "a b"; it must be a host name or an IP address'),
      about(9, 'LoadBalancer Web', 'pools.0.members.0.port is 99999; it must be at most 65535'),
      about(11, 'LoadBalancer Web', 'an earlier one of the list has host 192.0.2.1 and port 80 too'),
      about(12, 'LoadBalancer Web', 'pools.1.name is missing'),
      about(13, 'LoadBalancer Web', 'listeners must be a list of at most 50'),
      about(17, 'TlsCertificate web', "no-such.pem can't be read: there is no such file"),
      about(18, 'TlsCertificate web', 'privateKey is written in the file: put it into a file of its own'),
      about(20, null, 'kind must be one of Backend, ProjectSubnet, TlsCertificate, LoadBalancer, AutoscalingPolicy'),
      about(22, 'ProjectSubnet one', 'cidr is "10.0.0.1/24"; give an IP address or block without host bits'),
      about(23, 'ProjectSubnet one', 'it is also on line 22: keep one'),
      about(24, 'AutoscalingPolicy web', 'targetPercent is 5'),
      about(25, null, 'a document must be a map of names and values'),
    ]);
    expect(server.requests).toEqual([]);
  });

  const deep = `kind: LoadBalancer\nname: web\npools: ${'['.repeat(40)}${']'.repeat(40)}\n`;
  test.each([
    ['nothing', '', /:1: it has no document/],
    ['no documents', '---\n---\n', /:1: it has no document/],
    ['not YAML', 'kind: [one\n', /not YAML: /],
    ['nesting', deep, /it is nested deeper than 32 levels/],
    ['endless nesting', '['.repeat(200_000), /not YAML: /],
    [
      'a bomb of aliases',
      `a: &a [x, x]\nb: &b [${'*a, '.repeat(40)}*a]\nc: &c [${'*b, '.repeat(40)}*b]\nd: [*c]\n`,
      /its aliases expand/,
    ],
    ['no kind', 'name: web\n', /:1: kind is missing: kind must be one of Backend/],
    [
      'a pool that is not there',
      'kind: LoadBalancer\nname: web\nlisteners: [{ protocol: HTTP, port: 80, defaultPool: x }]\n',
      /:3: LoadBalancer web: listeners\.0\.defaultPool: 'web' has no pool 'x': add it to pools/,
    ],
    [
      'a certificate that is not there',
      'kind: LoadBalancer\nname: web\nlisteners: [{ protocol: TERMINATED_HTTPS, port: 443, certificateIds: [x] }]\n',
      /there is no certificate 'x', and the file has none/,
    ],
    [
      'a subnet that is not there',
      'kind: LoadBalancer\nname: web\nsubnetId: x\n',
      /there is no subnet 'x', and the file has none/,
    ],
    [
      'a load balancer that is not there',
      'kind: AutoscalingPolicy\nloadBalancer: web\n',
      /there is no load balancer 'web', and the file has none/,
    ],
    [
      'two policies',
      'kind: LoadBalancer\nname: web\nautoscaling: {}\n---\nkind: AutoscalingPolicy\nloadBalancer: web\n',
      /has autoscaling in this file too: keep one/,
    ],
  ])('%s: exit code 1, nothing done', async (_what, text, message) => {
    const run = await apply(text);
    expect([run.exitCode, run.stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(inputs()).toEqual([]);
  });

  test('JSON in one list', async () => {
    server.answers = { ...answers, projectSubnetCreate: () => made('S1', 'one') };
    const run = await apply(JSON.stringify([{ kind: 'ProjectSubnet', name: 'one', cidr: '10.0.0.0/24' }]), '--json');
    expect(run.rows()).toMatchObject([{ name: 'one', result: 'CREATED', id: 'S1' }]);
  });

  const two =
    'kind: ProjectSubnet\nname: one\ncidr: 10.0.0.0/24\n---\nkind: ProjectSubnet\nname: two\ncidr: 10.0.1.0/24\n';

  test('the keys are derived from the content; a key whose object was deleted since is not reused', async () => {
    const keys: string[] = [];
    const create = ({ input }: { input: { idempotencyKey: string; name: string } }) => {
      keys.push(input.idempotencyKey);
      return input.name === 'two' && keys.length === 2
        ? { ...made('', ''), projectSubnet: null }
        : made('S', input.name);
    };
    server.answers = { ...answers, projectSubnetCreate: create };
    expect((await apply(two)).exitCode).toBe(0);
    expect([keys.length, new Set(keys).size]).toEqual([3, 3]);
    expect((await apply(two)).exitCode).toBe(0);
    expect(keys.slice(3)).toEqual(keys.slice(0, 2));
  });

  test('a server that is lost during the run: exit code 3, and a report of what is unknown and what is not done', async () => {
    server.answers = {
      ...answers,
      projectSubnetCreate: () => {
        server.dropConnections();
        return made('S', 'one');
      },
    };
    const run = await apply(two, '--json');
    expect([run.exitCode, run.stderr]).toEqual([3, expect.stringContaining('run it again')]);
    expect(run.rows().map(({ result }) => result)).toEqual(['NO_ANSWER', 'NOT_DONE']);
  });

  test('two projects with an object of that name: --project is required', async () => {
    const subnets = ['S1', 'S2'].map((id) => ({ id, version: 1, name: 'one', cidr: '10.0.0.0/24' }));
    server.answers = { ...answers, projectSubnets: (args: Page) => pageOf(subnets, args) };
    const run = await apply(two);
    expect([run.exitCode, run.stderr]).toEqual([1, expect.stringContaining(':2: ProjectSubnet one: several projects')]);
  });

  test('wrong use: no file given', async () => {
    const run = await runCommand(['apply', '--url', server.url], { env: { TIDEGATE_TOKEN: goodToken } });
    expect(run.exitCode).toBe(64);
  });
});
