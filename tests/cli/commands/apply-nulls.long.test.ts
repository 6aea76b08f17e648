// A file that has null for a field is applied once: the second time nothing changes, whichever field it is, of all kinds. A null that the graph
// refuses changes nothing either.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exportedKinds } from '../../../cli/apply/export.ts';
import { makeAction, manifestField } from '../../../cli/apply/kind-manifest.ts';
import { kindOf } from '../../../cli/kinds/find-object.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../platform/values/json.ts';
import { ownFields } from '../../../schema/kinds/kind.ts';
import { patience } from '../../support/patience.ts';
import { type RunningSystem, runningSystem } from '../../support/running-system.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { runCommand } from './run-command.ts';

let system: RunningSystem;
let folder: TemporaryFolder;
let token: string;

beforeAll(async () => {
  [system, folder] = [await runningSystem(), await temporaryFolder()];
  const password = (await readFile(join(system.folder, 'accounts/admin.password'), 'utf8')).trim();
  const query = 'mutation ($p: String!) { login(input: { name: "admin", password: $p }) { accessToken } }';
  const answer = await fetch(system.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { p: password } }),
  });
  token = ((await answer.json()) as { data: { login: { accessToken: string } } }).data.login.accessToken;
  const { cert, key } = await makeCertificate({ commonName: 'nulls.test', names: ['nulls.test'] });
  await writeFile(at('web.pem'), cert);
  await writeFile(at('web.key'), key);
});
afterAll(async () => {
  await system?.stop();
  await folder?.remove();
});

const at = (name: string) => join(folder.path, name);

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly result: string;
  readonly message: string | null;
}

async function apply(documents: readonly JsonObject[]) {
  await writeFile(at('wanted.json'), JSON.stringify(documents));
  const env = {
    TIDEGATE_TOKEN: token,
    TIDEGATE_SECRET_USER: 'correct horse battery',
    TIDEGATE_SECRET_KEY: 'c2VjcmV0IG9mIGEga2V5IQ==',
  };
  const words = [
    'apply',
    '-f',
    at('wanted.json'),
    '--secret-folder',
    folder.path,
    '--json',
    '--project',
    'default',
    '--url',
    system.url,
  ];
  const { exitCode, stdout, stderr } = await runCommand(words, { env });
  const said = (stdout === '' ? null : JSON.parse(stdout)) as readonly Row[] | object | null;
  // Faults of the file are not rows.
  const rows = Array.isArray(said) ? (said as readonly Row[]) : [];
  const changed = rows.flatMap(({ kind, name, result, message }) =>
    result === 'UNCHANGED' ? [] : [`${kind} ${name} ${result} ${message ?? ''}`],
  );
  return { exitCode, stderr, changed };
}

const password = { env: 'TIDEGATE_SECRET_USER' };

/** One of each kind, with as many fields as go together. */
const documents: readonly JsonObject[] = [
  { kind: 'Project', name: 'nulls', description: 'of a file' },
  { kind: 'User', name: 'nora', password, admin: true },
  { kind: 'Membership', userId: 'nora', role: 'MEMBER' },
  {
    kind: 'Backend',
    name: 'nulls',
    driver: 'linux-nftables',
    host: '192.0.2.1',
    port: 2222,
    site: 'here',
    labels: { rack: 'a1' },
    credentials: { username: 'netops', password },
  },
  { kind: 'ProjectSubnet', name: 'nulls', cidr: '10.9.0.0/24' },
  { kind: 'TlsCertificate', name: 'nulls', chain: { file: 'web.pem' }, privateKey: { file: 'web.key' } },
  {
    ...{
      kind: 'LoadBalancer',
      name: 'nulls',
      description: 'of a file',
      tags: ['a'],
      subnetId: 'nulls',
      minNodes: 1,
      maxNodes: 3,
    },
    ...{
      cmpObject: { type: 'tenant', externalId: '7' },
      nodeSize: { connections: 10_000, threads: 2 },
      enabled: false,
    },
    pools: [
      {
        ...{
          name: 'default',
          description: 'of a file',
          memberProtocol: 'HTTP',
          algorithm: 'LEAST_CONNECTIONS',
          tags: ['a'],
        },
        ...{ persistence: { type: 'APP_COOKIE', cookieName: 'session' }, tls: true },
        ...{
          clientCertificateId: 'nulls',
          ejectAfterErrors: 5,
          slowStartMs: 1_000,
          drainMs: 10_000,
          failOpenBelowPercent: 10,
        },
        members: [
          {
            host: '192.0.2.10',
            port: 80,
            name: 'one',
            weight: 5,
            monitorHost: '192.0.2.11',
            monitorPort: 81,
            tags: ['a'],
          },
        ],
        healthMonitor: {
          ...{
            name: 'alive',
            monitorType: 'HTTP',
            intervalMs: 3_000,
            timeoutMs: 900,
            rise: 3,
            fall: 4,
            method: 'HEAD',
          },
          ...{ path: '/alive', hostHeader: 'alive.test', expectedCodes: '204' },
        },
      },
      { name: 'static', memberProtocol: 'HTTP' },
    ],
    listeners: [
      {
        ...{ name: 'web', description: 'of a file', protocol: 'TERMINATED_HTTPS', port: 443, defaultPool: 'default' },
        ...{
          connectionLimit: 100,
          certificateIds: ['nulls'],
          hstsMaxAgeSeconds: 300,
          accessLogPercent: 2,
          tags: ['a'],
        },
        ...{ allowedCidrs: ['192.0.2.0/24'], clientTimeoutMs: 10_000 },
        l7Policies: [
          {
            ...{
              name: 'images',
              description: 'of a file',
              action: 'REDIRECT_TO_POOL',
              redirectPool: 'static',
              position: 3,
            },
            l7Rules: [{ ruleType: 'HEADER', key: 'x-a', compareType: 'EQUAL_TO', value: 'b', invert: true }],
          },
          {
            name: 'away',
            action: 'REDIRECT_TO_URL',
            redirectUrl: 'https://away.test/',
            redirectCode: 307,
            l7Rules: [],
          },
        ],
      },
    ],
    autoscaling: {
      ...{ targetPercent: 70, tolerancePercent: 5, requestsPerNode: 100, timeZone: 'Europe/Berlin', dryRun: true },
      schedule: [{ days: [1], from: '08:00', to: '18:00', minNodes: 2, maxNodes: 3 }],
    },
  },
  { kind: 'LoadBalancer', name: 'nulls-2', minNodes: 1, maxNodes: 3 },
  { kind: 'AutoscalingPolicy', loadBalancer: 'nulls-2', targetPercent: 50, periodMs: 20_000 },
  { kind: 'LoadBalancerQuota', quota: 'NODES', limit: 17 },
  {
    ...{
      kind: 'DnsBackend',
      name: 'nulls',
      backendType: 'RFC2136',
      credentials: { keySecret: { env: 'TIDEGATE_SECRET_KEY' } },
    },
    rfc2136: { servers: ['192.0.2.53:53'], keyName: 'key.test', keyAlgorithm: 'hmac-sha512' },
  },
  {
    ...{ kind: 'DnsZone', name: 'nulls.test', description: 'of a file' },
    rights: [{ suffix: 'nulls.test', projectId: 'default', allows: ['OUTSIDE_PROJECT'] }],
  },
  {
    ...{
      kind: 'GslbVantagePoint',
      name: 'nulls',
      description: 'of a file',
      region: 'north',
      latitude: 60.5,
      longitude: 10,
    },
    ...{
      beacons: [{ host: '192.0.2.9', port: 443 }],
      allowedBlocks: ['192.0.2.0/24'],
      deniedBlocks: ['203.0.113.0/24'],
    },
  },
  { kind: 'GslbVantagePoint', name: 'nulls-2', region: 'south', latitude: -33, longitude: 151 },
  {
    ...{ kind: 'GslbFlavor', name: 'nulls', description: 'of a file', mostNames: 50, mostMembers: 100 },
    ...{ shortestIntervalMs: 2_000, shortestTtlSeconds: 2, longestTtlSeconds: 3_600 },
  },
  {
    ...{
      kind: 'GslbMonitor',
      name: 'nulls',
      description: 'of a file',
      checkType: 'HTTPS',
      targetHost: '192.0.2.8',
      targetPort: 443,
    },
    ...{ intervalMs: 6_000, timeoutMs: 1_000, fall: 3, rise: 3 },
    parameters: { https: { path: '/alive', expectedCodes: '204', body: 'fine', hostHeader: 'alive.test' } },
  },
  {
    ...{ kind: 'GslbPool', name: 'nulls', description: 'of a file', minUp: 2, answerScope: 'REGION' },
    ...{ quorum: { leastRegions: 2, leastVoters: 2, freshMs: 60_000 }, failback: { mode: 'DELAYED', delayMs: 500 } },
  },
  { kind: 'GslbPool', name: 'nulls-2' },
  {
    ...{ kind: 'GslbPoolMember', poolId: 'nulls', name: 'east', description: 'of a file', addresses: ['192.0.2.7'] },
    ...{ servicePort: 443, memberRegion: 'north', weight: 3, priority: 2 },
    place: { continent: 'EU', country: 'DE', latitude: 50, longitude: 8 },
  },
  {
    ...{ kind: 'Gslb', fqdn: 'www.nulls.test', description: 'of a file', flavorId: 'nulls', poolIds: ['nulls'] },
    ...{ applianceId: 'a-1', policy: 'GEO', policyOptions: { geoBy: ['CONTINENT'], toleranceKm: 100 }, ttlSeconds: 60 },
    ...{
      degradedTtlSeconds: 10,
      noneUp: 'POOL',
      fallbackPoolId: 'nulls-2',
      cmpObject: { type: 'tenant', externalId: '7' },
    },
    clientBlocks: [{ cidr: '198.51.100.0/24', region: 'north' }],
  },
  {
    ...{
      kind: 'ObjectCluster',
      name: 'nulls',
      zone: 'hall-1',
      weight: 50,
      site: 'here',
      s3Urls: ['https://s3.nulls.test'],
    },
    ...{ peerUrls: ['https://peers.nulls.test'], controllerUrls: ['https://controllers.nulls.test'] },
  },
  { kind: 'ObjectOption', name: 'nulls', replicas: 1, clusterIds: ['nulls'], nearestReads: true, default: true },
  {
    ...{ kind: 'AlertRule', name: 'nulls', condition: 'CERTIFICATE_EXPIRES', severity: 'CRITICAL', enabled: false },
    ...{ withinMs: 86_400_000, resolveAfterMs: 1_000, repeatMs: 3_600_000 },
  },
  { kind: 'AlertRule', name: 'nulls-2', condition: 'NAME_DEGRADED', lastsMs: 7_000 },
  { kind: 'AlertRule', name: 'nulls-3', condition: 'MACHINE_ABSENT', projectId: null, lastsMs: 9_000 },
];

/** They need a machine, or a cluster that answers. */
const elsewhere = ['LoadBalancerHost', 'ObjectContainer'];

/** Paths of the fields that may be null. */
function nullable(input: string, value: JsonObject, isKey: (name: string) => boolean): readonly (readonly string[])[] {
  return (registry.inputs[input]?.fields ?? []).flatMap(({ name, type, required, secret, list }) => {
    if (ownFields.has(name) || isKey(name)) return [];
    const given = value[name];
    const inner = list === true && Array.isArray(given) ? (given as readonly JsonValue[])[0] : given;
    const deeper =
      isObject(inner ?? null) && registry.inputs[type] !== undefined && secret !== true
        ? nullable(type, inner as JsonObject, () => false).map((path) => [
            name,
            ...(list === true ? ['0'] : []),
            ...path,
          ])
        : [];
    return [...(required === true || secret === true ? [] : [[name]]), ...deeper];
  });
}

function withNull(value: JsonValue, [name = '', ...rest]: readonly string[]): JsonValue {
  const next = rest.length === 0 ? null : withNull((value as JsonObject)[name] ?? null, rest);
  if (Array.isArray(value)) return value.map((each: JsonValue, place) => (String(place) === name ? next : each));
  return { ...(value as JsonObject), [name]: next };
}

function pathsOf(document: JsonObject): readonly (readonly string[])[] {
  const kind = kindOf(String(document.kind));
  const isPolicy = document.kind === 'AutoscalingPolicy';
  const input = isPolicy ? 'AutoscalingPolicyInput' : (makeAction(kind)?.input ?? '');
  const isKey = (name: string) => !isPolicy && (kind.key.includes(name) || name === kind.parent?.input);
  return nullable(input, document, isKey).filter(
    ([name = '']) => manifestField(kind, name) === name || document[name] !== undefined,
  );
}

test('there is a document of each kind that a file may have', () => {
  const has = new Set(documents.map(({ kind }) => String(kind)));
  expect(exportedKinds.filter((kind) => !has.has(kind))).toEqual(elsewhere);
});

test('all documents together are applied once, and what is exported changes nothing', async () => {
  expect((await apply(documents)).changed.filter((each) => each.includes('REFUSED'))).toEqual([]);
  expect(await apply(documents)).toMatchObject({ exitCode: 0, changed: [] });
  const words = ['--project', 'default', '--url', system.url];
  const env = { TIDEGATE_TOKEN: token };
  const exported = await runCommand(['export', '-f', at('all.yaml'), ...words], { env });
  expect([exported.exitCode, exported.stderr]).toEqual([0, '']);
  const again = await runCommand(['diff', '-f', at('all.yaml'), ...words], { env });
  expect([again.exitCode, again.stdout, again.stderr]).toEqual([0, 'KIND  NAME  LINE  RESULT  WHAT\n', '']);
});

/** What was accepted, over all kinds. */
const accepted = new Set<string>();

test.each(documents.map((document, place) => [`${String(document.kind)} ${place}`, document] as const))(
  '%s: null for a field, applied twice, changes nothing the second time',
  async (_, document) => {
    const wrong: string[] = [];
    for (const path of pathsOf(document)) {
      const wish = withNull(document, path) as JsonObject;
      const first = await apply([wish]);
      if (first.exitCode !== 0) {
        expect(first.exitCode).toBe(1);
        expect([path.join('.'), await apply([document])]).toEqual([
          path.join('.'),
          { exitCode: 0, changed: [], stderr: '' },
        ]);
        continue;
      }
      accepted.add(`${String(document.kind)}.${path.join('.')}`);
      if (first.changed.length === 0) continue;
      const second = await apply([wish]);
      if (second.exitCode !== 0 || second.changed.length > 0)
        wrong.push(`${path.join('.')}: ${second.changed} ${second.stderr}`);
      const back = await apply([document]);
      if (back.exitCode !== 0) throw new Error(`${path.join('.')}: ${back.stderr}`);
    }
    expect(wrong).toEqual([]);
  },
  120_000 * patience,
);

test('most nulls are accepted', () => {
  for (const each of ['LoadBalancerQuota.limit', 'AlertRule.lastsMs', 'AlertRule.withinMs', 'ObjectCluster.zone'])
    expect(accepted).toContain(each);
  expect(accepted.size).toBeGreaterThan(120);
});
