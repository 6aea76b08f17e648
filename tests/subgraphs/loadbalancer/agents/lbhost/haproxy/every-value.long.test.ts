// Every field of every part with unusual values. The real HAProxy accepts every value that the input check accepts.
// needs: haproxy
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readSpec } from '../../../../../../platform/graph/described/spec.ts';
import { type CertificateAndKey, makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { newUuid } from '../../../../../../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../../../../../../platform/values/json.ts';
import { configurationText } from '../../../../../../subgraphs/loadbalancer/rules/haproxy/model.ts';
import { renderNode } from '../../../../../../subgraphs/loadbalancer/rules/haproxy/render.ts';
import { type PartName, partNames } from '../../../../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../../../../../subgraphs/loadbalancer/spec/parts.ts';
import type { WantedPart } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { wantedNode } from '../../../support/wanted.ts';

const run = promisify(execFile);
const balancerId = newUuid();
const [certificateId, poolId] = [newUuid(), newUuid()];
let folder: string;
let authority: CertificateAndKey;
let own: CertificateAndKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-values-'));
  authority = await makeCertificate({ commonName: 'Clients', use: 'authority' });
  own = await makeCertificate({ commonName: 'web', names: ['web.example'] });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const nasty = `a'b"c\\d $HOME #x %[src] ; { } || ! -f /etc/passwd`;

/** Values at the bounds of a JSON Schema, and slightly beyond. */
function oddValues(schema: JsonObject): JsonValue[] {
  const { type, minimum, maximum, items, maxLength, default: usual } = schema;
  const values = ((schema.enum as JsonValue[] | undefined) ?? []).concat(usual === undefined ? [] : [usual]);
  if (type === 'boolean') return [true, false];
  if (type === 'integer')
    return [...values, ...[minimum, maximum].flatMap((each) => [Number(each) - 1, Number(each), Number(each) + 1])];
  if (type === 'array') {
    const each = oddValues(items as JsonObject);
    return [[], ...each.map((one) => [one]), each, each.toReversed()];
  }
  if (type === 'object') {
    const properties = Object.entries(schema.properties as Record<string, JsonObject>);
    const first = Object.fromEntries(properties.map(([name, one]) => [name, oddValues(one)[0] ?? null]));
    return [{}, ...properties.flatMap(([name, one]) => oddValues(one).map((value) => ({ ...first, [name]: value })))];
  }
  const texts = [
    '',
    ' ',
    'a',
    'x'.repeat(Number(maxLength ?? 64)),
    nasty,
    '-f x',
    '#x',
    '%',
    '0',
    '::',
    '192.0.2.0/24',
  ];
  const known = [
    '192.0.2.1',
    '2001:db8::1',
    'web.example',
    'GET',
    'OPTIONS',
    '200',
    '200-299',
    '/',
    "/a(b)'c'?d=$HOME&e;f",
  ];
  const further = [
    'https://www.example.com/a%20b',
    'SRV',
    '!#$%&*+.^_|~-',
    'ECDHE-RSA-AES128-GCM-SHA256',
    '^/(a|b)[.]c$',
  ];
  // Texts of maximum length, each of one allowed character, because HAProxy's own marks grow when they are quoted.
  const most = Number(maxLength ?? 64);
  const long = ['/', 'https://www.example.com/', 'a.example/'].flatMap((head) =>
    ['x', '%', "'", '"', '\\', '$', '#', '{', '%[src]'].map(
      (mark) => head + mark.repeat(most).slice(0, most - head.length),
    ),
  );
  return [...values, ...texts, ...known, ...further, ...(most > 255 ? long : [])];
}

/** Settings of the other fields for each kind. */
function bases(): Readonly<Record<PartName, readonly JsonObject[]>> {
  const terminated = { protocol: 'TERMINATED_HTTPS', port: 443, certificates: [certificateId], defaultPool: poolId };
  const proof = { clientAuthentication: 'OPTIONAL', clientAuthorities: authority.cert };
  const trust = {
    tls: true,
    authorities: authority.cert,
    tlsServerName: 'in.example',
    clientCertificate: certificateId,
  };
  return {
    Pool: [
      ...['HTTP', 'HTTP2', 'TCP'].flatMap((memberProtocol) => [
        { memberProtocol },
        { memberProtocol, tls: true },
        { memberProtocol, ...trust },
      ]),
    ],
    PoolMember: [
      { host: '192.0.2.1', port: 80 },
      { host: 'web.example', port: 80 },
    ],
    PoolHealthMonitor: ['HTTP', 'HTTPS', 'TCP', 'TLS_HELLO'].map((monitorType) => ({ monitorType })),
    Listener: [
      { protocol: 'HTTP', port: 80, defaultPool: poolId },
      { protocol: 'TCP', port: 80 },
      { protocol: 'HTTPS', port: 443 },
      terminated,
      { ...terminated, ...proof, hstsMaxAgeSeconds: 1 },
    ],
    L7Policy: [
      { action: 'REJECT' },
      { action: 'REDIRECT_TO_URL', redirectUrl: 'https://a.example/' },
      { action: 'REDIRECT_PREFIX', redirectPrefix: 'https://a.example' },
      { action: 'REDIRECT_TO_POOL', redirectPool: poolId },
    ],
    L7Rule: [
      'HOST_NAME',
      'PATH',
      'FILE_TYPE',
      'HEADER',
      'COOKIE',
      'SSL_CONN_HAS_CERT',
      'SSL_VERIFY_RESULT',
      'SSL_DN_FIELD',
    ]
      .flatMap((ruleType) =>
        ['EQUAL_TO', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'REGEX'].map((compareType) => ({ ruleType, compareType })),
      )
      .map((each) => ({
        ...each,
        value: { SSL_CONN_HAS_CERT: 'True', SSL_VERIFY_RESULT: '0' }[each.ruleType] ?? 'x',
        ...(['HEADER', 'COOKIE', 'SSL_DN_FIELD'].includes(each.ruleType) ? { key: 'CN' } : {}),
      })),
  };
}

/** A tree around one part of the kind, with the parts that it needs. */
function treeAround(kind: PartName, spec: JsonObject): WantedPart[] {
  const make = (of: PartName, parentId: string, given: JsonObject, id = newUuid()): WantedPart => {
    const read = readSpec(partKinds[of], given);
    if (!read.ok) throw new Error(JSON.stringify(read.faults));
    return { id, kind: of, parentId, spec: read.spec, drainUntil: null };
  };
  const one = (parentId: string): WantedPart => ({ id: newUuid(), kind, parentId, spec, drainUntil: null });
  const listener = () =>
    make('Listener', balancerId, {
      ...{ protocol: 'TERMINATED_HTTPS', port: 443, certificates: [certificateId] },
      ...{ clientAuthentication: 'OPTIONAL', clientAuthorities: authority.cert },
    });
  if (kind === 'Listener') return [one(balancerId)];
  if (kind === 'L7Policy') {
    const parent = listener();
    const policy = one(parent.id);
    return [parent, policy, make('L7Rule', policy.id, { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/' })];
  }
  if (kind === 'L7Rule') {
    const parent = listener();
    const policy = make('L7Policy', parent.id, { action: 'REJECT' });
    return [parent, policy, one(policy.id)];
  }
  if (kind === 'Pool') {
    const pool = one(balancerId);
    const type = spec.memberProtocol === 'TCP' ? 'TCP' : 'HTTP';
    const listening = make('Listener', balancerId, { protocol: type, port: 80, defaultPool: pool.id });
    const member = make('PoolMember', pool.id, { host: '192.0.2.1', port: 80 });
    return [pool, listening, member, make('PoolHealthMonitor', pool.id, { monitorType: type })];
  }
  const pools = ['HTTP', 'HTTP2'].flatMap((memberProtocol) =>
    [true, false].map((tls) => make('Pool', balancerId, { memberProtocol, tls })),
  );
  return pools.flatMap((pool) => [
    ...[pool, one(pool.id)],
    kind === 'PoolMember'
      ? make('PoolHealthMonitor', pool.id, { monitorType: 'HTTP' })
      : make('PoolMember', pool.id, { host: '192.0.2.1', port: 80 }),
  ]);
}

/** Undefined if HAProxy accepts it. */
async function refusalOf(parts: readonly WantedPart[]): Promise<string | undefined> {
  const shared = readSpec(partKinds.Pool, { memberProtocol: 'HTTP' });
  if (!shared.ok) throw new Error('unreachable');
  const pool: WantedPart = { id: poolId, kind: 'Pool', parentId: balancerId, spec: shared.spec, drainUntil: null };
  const certificates = [{ id: certificateId, version: 1, pem: `${own.cert}${own.key}` }];
  const model = renderNode(wantedNode(balancerId, [pool, ...parts], certificates), {
    ...{
      folder,
      runtimeSocket: join(folder, 'run.sock'),
      healthPort: 9000,
      incarnation: newUuid(),
      now: Date.now(),
      uid: null,
    },
    addressesOf: () => ['192.0.2.7', '2001:db8::7'],
  });
  const path = join(folder, 'haproxy.cfg');
  const contents = new Map([
    ...[...model.files.values()].map(({ path: file, content }) => [file, content] as const),
    ...[...model.certificates.values()].map(({ path: file, pem }) => [file, pem] as const),
    ...[[join(folder, 'servers.state'), '1\n'] as const, [path, configurationText(model)] as const],
  ]);
  for (const [file, content] of contents) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return run('/usr/sbin/haproxy', ['-c', '-f', path]).then(
    () => undefined,
    (error: { stderr: string }) => error.stderr,
  );
}

test.each(partNames)(
  '%s: HAProxy accepts every value that the input check accepts',
  async (kind) => {
    const { fields } = partKinds[kind];
    const accepted = new Map<string, JsonObject>();
    let refused = 0;
    for (const base of bases()[kind])
      for (const [name, { schema, refersTo, default: usual }] of Object.entries(fields)) {
        if (refersTo !== undefined) continue;
        for (const value of [null, ...oddValues(usual === undefined ? schema : { ...schema, default: usual })]) {
          const read = readSpec(partKinds[kind], { ...base, [name]: value });
          if (read.ok) accepted.set(JSON.stringify(read.spec), read.spec);
          else refused += 1;
        }
      }
    expect([accepted.size > 10, refused > 10]).toEqual([true, true]);
    const specs = [...accepted.values()];
    const trees = () => specs.flatMap((spec) => treeAround(kind, spec));
    if ((await refusalOf(trees())) === undefined) return;
    // One of them is refused, so each is now tried alone.
    for (const spec of specs) expect([spec, await refusalOf(treeAround(kind, spec))]).toEqual([spec, undefined]);
  },
  300_000,
);

test('a list with a non-empty default must not be empty', () => {
  const faultOf = (kind: PartName, given: JsonObject) => {
    const read = readSpec(partKinds[kind], given);
    return read.ok ? undefined : read.faults;
  };
  const listener = { protocol: 'TERMINATED_HTTPS', port: 443, certificates: [certificateId] };
  for (const field of ['alpnProtocols', 'tlsVersions'])
    expect(faultOf('Listener', { ...listener, [field]: [] })).toMatchObject([{ path: [field] }]);
  expect(faultOf('Pool', { memberProtocol: 'HTTP', tls: true, tlsVersions: [] })).toMatchObject([
    { path: ['tlsVersions'] },
  ]);
  expect(faultOf('Listener', { ...listener, allowedCidrs: [], tags: [], insertHeaders: [] })).toBeUndefined();
});
