// A file for `tidegate apply` with one object of each kind, and an installation in which an administrator applies it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { Administrator } from '../../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';
import { runCommand } from './run-command.ts';

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly result: string;
  readonly message: string | null;
}

interface Applied {
  readonly exitCode: number;
  readonly stderr: string;
  /** A line for each object that has changed. */
  readonly changed: readonly string[];
}

export interface Applying {
  readonly system: RunningSystem;
  /** Of an administrator. */
  readonly token: string;
  /** A file in its own folder. */
  at(name: string): string;
  apply(documents: readonly JsonObject[]): Promise<Applied>;
  stop(): Promise<void>;
}

export async function applying(): Promise<Applying> {
  const [system, folder] = [await runningSystem(), await temporaryFolder()];
  const at = (name: string) => join(folder.path, name);
  const { token } = await Administrator.of(system);
  const { cert, key } = await makeCertificate({ commonName: 'nulls.test', names: ['nulls.test'] });
  await writeFile(at('web.pem'), cert);
  await writeFile(at('web.key'), key);
  const env = {
    TIDEGATE_TOKEN: token,
    TIDEGATE_SECRET_USER: 'correct horse battery',
    TIDEGATE_SECRET_KEY: 'c2VjcmV0IG9mIGEga2V5IQ==',
  };
  const place = ['--secret-folder', folder.path, '--json', '--project', 'default', '--url', system.url];
  return {
    ...{ system, token, at },
    async apply(documents) {
      await writeFile(at('wanted.json'), JSON.stringify(documents));
      const { exitCode, stdout, stderr } = await runCommand(['apply', '-f', at('wanted.json'), ...place], { env });
      const said = (stdout === '' ? null : JSON.parse(stdout)) as readonly Row[] | object | null;
      // Faults in the file are not rows.
      const rows = Array.isArray(said) ? (said as readonly Row[]) : [];
      const changed = rows.flatMap(({ kind, name, result, message }) =>
        result === 'UNCHANGED' ? [] : [`${kind} ${name} ${result} ${message ?? ''}`],
      );
      return { exitCode, stderr, changed };
    },
    async stop() {
      await system.stop();
      await folder.remove();
    },
  };
}

/** One object of each kind, with as many fields as can be combined. */
export const documents = parse(`
- { kind: Project, name: nulls, description: of a file }
- { kind: User, name: nora, password: { env: TIDEGATE_SECRET_USER }, admin: true }
- { kind: Membership, userId: nora, role: MEMBER }
- { kind: Backend, name: nulls, driver: linux-nftables, host: '192.0.2.1', port: 2222, site: here, labels: { rack: a1 },
    credentials: { username: netops, password: { env: TIDEGATE_SECRET_USER } } }
- { kind: ProjectSubnet, name: nulls, cidr: '10.9.0.0/24' }
- { kind: TlsCertificate, name: nulls, chain: { file: web.pem }, privateKey: { file: web.key } }
- kind: LoadBalancer
  name: nulls
  description: of a file
  tags: [a]
  subnetId: nulls
  minNodes: 1
  maxNodes: 3
  cmpObject: { type: tenant, externalId: '7' }
  nodeSize: { connections: 10000, threads: 2 }
  enabled: false
  pools:
    - { name: default, description: of a file, memberProtocol: HTTP, algorithm: LEAST_CONNECTIONS, tags: [a],
        persistence: { type: APP_COOKIE, cookieName: session }, tls: true, clientCertificateId: nulls,
        ejectAfterErrors: 5, slowStartMs: 1000, drainMs: 10000, failOpenBelowPercent: 10,
        members: [{ host: '192.0.2.10', port: 80, name: one, weight: 5, monitorHost: '192.0.2.11', monitorPort: 81,
          tags: [a] }],
        healthMonitor: { name: alive, monitorType: HTTP, intervalMs: 3000, timeoutMs: 900, rise: 3, fall: 4,
          method: HEAD, path: /alive, hostHeader: alive.test, expectedCodes: '204' } }
    - { name: static, memberProtocol: HTTP }
  listeners:
    - name: web
      description: of a file
      protocol: TERMINATED_HTTPS
      port: 443
      defaultPool: default
      connectionLimit: 100
      certificateIds: [nulls]
      hstsMaxAgeSeconds: 300
      accessLogPercent: 2
      tags: [a]
      allowedCidrs: ['192.0.2.0/24']
      clientTimeoutMs: 10000
      l7Policies:
        - { name: images, description: of a file, action: REDIRECT_TO_POOL, redirectPool: static, position: 3,
            l7Rules: [{ ruleType: HEADER, key: x-a, compareType: EQUAL_TO, value: b, invert: true }] }
        - { name: away, action: REDIRECT_TO_URL, redirectUrl: 'https://away.test/', redirectCode: 307, l7Rules: [] }
  autoscaling:
    { targetPercent: 70, tolerancePercent: 5, requestsPerNode: 100, timeZone: Europe/Berlin, dryRun: true,
      schedule: [{ days: [1], from: '08:00', to: '18:00', minNodes: 2, maxNodes: 3 }] }
- { kind: LoadBalancer, name: nulls-2, minNodes: 1, maxNodes: 3 }
- { kind: AutoscalingPolicy, loadBalancer: nulls-2, targetPercent: 50, periodMs: 20000 }
- { kind: LoadBalancerQuota, quota: NODES, limit: 17 }
- { kind: DnsBackend, name: nulls, backendType: RFC2136, credentials: { keySecret: { env: TIDEGATE_SECRET_KEY } },
    rfc2136: { servers: ['192.0.2.53:53'], keyName: key.test, keyAlgorithm: hmac-sha512 } }
- { kind: DnsZone, name: nulls.test, description: of a file, rights: [{ suffix: nulls.test, projectId: default,
    allows: [OUTSIDE_PROJECT] }] }
- { kind: GslbVantagePoint, name: nulls, description: of a file, region: north, latitude: 60.5, longitude: 10,
    beacons: [{ host: '192.0.2.9', port: 443 }], allowedBlocks: ['192.0.2.0/24'], deniedBlocks: ['203.0.113.0/24'] }
- { kind: GslbVantagePoint, name: nulls-2, region: south, latitude: -33, longitude: 151 }
- { kind: GslbFlavor, name: nulls, description: of a file, mostNames: 50, mostMembers: 100, shortestIntervalMs: 2000,
    shortestTtlSeconds: 2, longestTtlSeconds: 3600 }
- { kind: GslbMonitor, name: nulls, description: of a file, checkType: HTTPS, targetHost: '192.0.2.8', targetPort: 443,
    intervalMs: 6000, timeoutMs: 1000, fall: 3, rise: 3, parameters: { https: { path: /alive, expectedCodes: '204',
    body: fine, hostHeader: alive.test } } }
- { kind: GslbPool, name: nulls, description: of a file, minUp: 2, answerScope: REGION, quorum: { leastRegions: 2,
    leastVoters: 2, freshMs: 60000 }, failback: { mode: DELAYED, delayMs: 500 } }
- { kind: GslbPool, name: nulls-2 }
- { kind: GslbPoolMember, poolId: nulls, name: east, description: of a file, addresses: ['192.0.2.7'], servicePort: 443,
    memberRegion: north, weight: 3, priority: 2, place: { continent: EU, country: DE, latitude: 50, longitude: 8 } }
- { kind: Gslb, fqdn: www.nulls.test, description: of a file, flavorId: nulls, poolIds: [nulls], applianceId: a-1,
    policy: GEO, policyOptions: { geoBy: [CONTINENT], toleranceKm: 100 }, ttlSeconds: 60, degradedTtlSeconds: 10,
    noneUp: POOL, fallbackPoolId: nulls-2, cmpObject: { type: tenant, externalId: '7' },
    clientBlocks: [{ cidr: '198.51.100.0/24', region: north }] }
- { kind: ObjectCluster, name: nulls, zone: hall-1, weight: 50, site: here, s3Urls: ['https://s3.nulls.test'],
    peerUrls: ['https://peers.nulls.test'], controllerUrls: ['https://controllers.nulls.test'] }
- { kind: ObjectOption, name: nulls, replicas: 1, clusterIds: [nulls], nearestReads: true, default: true }
- { kind: AlertRule, name: nulls, condition: CERTIFICATE_EXPIRES, severity: CRITICAL, enabled: false,
    withinMs: 86400000, resolveAfterMs: 1000, repeatMs: 3600000 }
- { kind: AlertRule, name: nulls-2, condition: NAME_DEGRADED, lastsMs: 7000 }
- { kind: AlertRule, name: nulls-3, condition: MACHINE_ABSENT, projectId: null, lastsMs: 9000 }
`) as readonly JsonObject[];
