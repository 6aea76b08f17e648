// The real HAProxy accepts the rendered configuration of any valid input.
// needs: haproxy
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../../platform/net/certificates.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../../platform/values/json.ts';
import { MemberServers } from '../../../../../subgraphs/loadbalancer/agents/lbhost/member-servers.ts';
import { configurationText, type HaproxyModel } from '../../../../../subgraphs/loadbalancer/rules/haproxy/model.ts';
import { renderNode } from '../../../../../subgraphs/loadbalancer/rules/haproxy/render.ts';
import { backendName } from '../../../../../subgraphs/loadbalancer/rules/haproxy/tree.ts';
import type { WantedNode } from '../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { part, wantedNode } from '../../support/wanted.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-render-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const balancerId = newUuid();

async function accepted(model: HaproxyModel): Promise<string> {
  for (const { path, content } of model.files.values()) await write(path, content);
  for (const { path, pem } of model.certificates.values()) await write(path, pem);
  await write(join(folder, 'servers.state'), '1\n');
  const path = join(folder, 'haproxy.cfg');
  await write(path, configurationText(model));
  try {
    await run('/usr/sbin/haproxy', ['-c', '-f', path]);
    return 'accepted';
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode: 0o600 });
}

function render(wanted: WantedNode): HaproxyModel {
  return renderNode(wanted, {
    folder,
    runtimeSocket: join(folder, 'run.sock'),
    uid: null,
    healthPort: 9000,
    incarnation: newUuid(),
    now: Date.now(),
    addressesOf: (name) => (name === 'nowhere.test' ? [] : ['192.0.2.7', '2001:db8::7']),
  });
}

const nasty = `a'b"c\\d $HOME #x %[src] ; { } || ! -f /etc/passwd`;

test('a tree with every feature is accepted', async () => {
  const authority = await makeCertificate({ commonName: 'Clients', use: 'authority' });
  const own = await makeCertificate({ commonName: 'web', names: ['web.example'] });
  const certificateId = newUuid();
  const pool = part('Pool', balancerId, {
    name: 'web',
    memberProtocol: 'HTTP',
    persistence: { type: 'HTTP_COOKIE' },
    slowStartMs: 5_000,
    ejectAfterErrors: 5,
  });
  const app = part('Pool', balancerId, {
    ...{
      memberProtocol: 'HTTP',
      algorithm: 'LEAST_CONNECTIONS',
      persistence: { type: 'APP_COOKIE', cookieName: 'JSESSIONID' },
    },
    ...{
      tls: true,
      tlsServerName: 'in.example',
      authorities: authority.cert,
      clientCertificate: certificateId,
      proxyProtocol: 'V2',
    },
  });
  const grpc = part('Pool', balancerId, { memberProtocol: 'HTTP2', algorithm: 'SOURCE_IP' });
  const stream = part('Pool', balancerId, { memberProtocol: 'TCP', persistence: { type: 'SOURCE_IP' } });
  const plain = part('Listener', balancerId, {
    ...{ protocol: 'HTTP', port: 8080, defaultPool: pool.id, allowedCidrs: ['10.0.0.0/8', '2001:db8::/32'] },
    ...{ insertHeaders: ['X_FORWARDED_FOR', 'X_FORWARDED_PORT', 'X_FORWARDED_PROTO'], connectionLimit: 100 },
  });
  const secure = part('Listener', balancerId, {
    ...{ protocol: 'TERMINATED_HTTPS', port: 8443, defaultPool: app.id, certificates: [certificateId] },
    ...{
      clientAuthentication: 'OPTIONAL',
      clientAuthorities: authority.cert,
      hstsMaxAgeSeconds: 31_536_000,
      hstsPreload: true,
    },
    ...{
      insertHeaders: [
        'X_SSL_CLIENT_VERIFY',
        'X_SSL_CLIENT_HAS_CERT',
        'X_SSL_CLIENT_DN',
        'X_SSL_CLIENT_CN',
        'X_SSL_ISSUER',
        'X_SSL_CLIENT_SHA1',
        'X_SSL_CLIENT_NOT_BEFORE',
        'X_SSL_CLIENT_NOT_AFTER',
      ],
    },
  });
  const tcp = part('Listener', balancerId, { protocol: 'TCP', port: 8022, defaultPool: stream.id });
  const rules: [string, JsonObject[]][] = [
    ['REJECT', [{ ruleType: 'PATH', compareType: 'STARTS_WITH', value: '-f' }]],
    ['REDIRECT_TO_URL', [{ ruleType: 'HOST_NAME', compareType: 'EQUAL_TO', value: nasty, invert: true }]],
    ['REDIRECT_PREFIX', [{ ruleType: 'HEADER', compareType: 'CONTAINS', key: 'X-A!#$%&*+.^_|~-', value: nasty }]],
    [
      'REDIRECT_TO_POOL',
      [
        { ruleType: 'COOKIE', compareType: 'ENDS_WITH', key: 'c', value: 'v' },
        { ruleType: 'FILE_TYPE', compareType: 'EQUAL_TO', value: 'jpg' },
        { ruleType: 'FILE_TYPE', compareType: 'REGEX', value: '^(jpe?g|png)$' },
        { ruleType: 'SSL_CONN_HAS_CERT', compareType: 'EQUAL_TO', value: 'True' },
        { ruleType: 'SSL_VERIFY_RESULT', compareType: 'EQUAL_TO', value: '0' },
        { ruleType: 'SSL_DN_FIELD', compareType: 'EQUAL_TO', key: 'CN', value: nasty },
      ],
    ],
  ];
  const policies = rules.flatMap(([action, ofIt]) => {
    const policy = part('L7Policy', secure.id, {
      action,
      ...(action === 'REDIRECT_TO_URL'
        ? { redirectUrl: "https://www.example.com/a%20b?x='1'&y=$HOME#z", redirectCode: 301 }
        : {}),
      ...(action === 'REDIRECT_PREFIX' ? { redirectPrefix: 'https://www.example.com' } : {}),
      ...(action === 'REDIRECT_TO_POOL' ? { redirectPool: grpc.id } : {}),
    });
    return [policy, ...ofIt.map((rule) => part('L7Rule', policy.id, rule))];
  });
  const monitors = [
    part('PoolHealthMonitor', pool.id, {
      monitorType: 'HTTP',
      path: "/a(b)'c'?d=$HOME&e;f",
      expectedCodes: '200,202-204',
      hostHeader: 'in.example',
      method: 'HEAD',
    }),
    part('PoolHealthMonitor', app.id, { monitorType: 'HTTPS', hostHeader: 'in.example' }),
    part('PoolHealthMonitor', grpc.id, { monitorType: 'TLS_HELLO' }),
    part('PoolHealthMonitor', stream.id, { monitorType: 'TCP' }),
  ];
  const members = [pool, app, grpc, stream].flatMap(({ id }) => [
    part('PoolMember', id, { host: '192.0.2.1', port: 80, monitorPort: 8080, monitorHost: '192.0.2.9' }),
    part('PoolMember', id, { host: '2001:db8::1', port: 80, backup: true, weight: 0 }),
    part('PoolMember', id, { host: 'named.example', port: 80, enabled: false }),
    part('PoolMember', id, { host: 'nowhere.test', port: 80 }),
  ]);
  const wanted = wantedNode(
    balancerId,
    [pool, app, grpc, stream, plain, secure, tcp, ...policies, ...monitors, ...members],
    [{ id: certificateId, version: 1, pem: `${own.cert}${own.key}` }],
  );
  expect(await accepted(render(wanted))).toBe('accepted');
});

test('a member whose monitorHost has no address has no server, and is reported as one without an address', () => {
  const pool = part('Pool', balancerId, { memberProtocol: 'HTTP' });
  const monitor = part('PoolHealthMonitor', pool.id, { monitorType: 'TCP' });
  const listener = part('Listener', balancerId, { protocol: 'HTTP', port: 80, defaultPool: pool.id });
  const checkedAt = (monitorHost: string) => part('PoolMember', pool.id, { host: '192.0.2.1', port: 80, monitorHost });
  const members = [checkedAt('nowhere.test'), checkedAt('named.example'), checkedAt('192.0.2.9')] as const;
  const parts = [pool, monitor, listener, ...members];
  const model = render(wantedNode(balancerId, parts));
  const servers = [...(model.backends.get(backendName(pool.id))?.servers.values() ?? [])];
  const checks = servers.map(({ keywords }) => keywords[keywords.indexOf('addr') + 1]);
  expect(checks.sort()).toEqual(['192.0.2.7', '192.0.2.9']);
  const reported = new MemberServers();
  expect(reported.nameless(parts, model, 0)).toEqual([]);
  expect(reported.nameless(parts, model, 5_000)).toEqual([members[0].id]);
  // Without a monitor there is nothing to check.
  const unchecked = render(wantedNode(balancerId, [pool, listener, ...members]));
  expect(unchecked.backends.get(backendName(pool.id))?.servers.size).toBe(3);
});
