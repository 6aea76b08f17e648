// The rules for Prometheus and the dashboard for Grafana are valid, give the right alerts in the examples, and use exported metrics only.
// needs: prometheus
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { Database } from '../../platform/database/database.ts';
import { watchCertificateEnd } from '../../platform/machines/certificate-ends.ts';
import { addHaMetrics } from '../../platform/process/metrics.ts';
import { StatisticsStore } from '../../subgraphs/loadbalancer/control/traffic/statistics-store.ts';
import { TrafficRecorder } from '../../subgraphs/loadbalancer/control/traffic/traffic-recorder.ts';
import { TrafficSeconds } from '../../subgraphs/loadbalancer/control/traffic/traffic-seconds.ts';
import { countRequests } from '../../subgraphs/object-storage/agents/server/server-metrics.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

const run = promisify(execFile);
const folder = new URL('../../docker/', import.meta.url);
const rulesFile = new URL('prometheus/tidegate.rules.yml', folder);
const dashboardFile = new URL('grafana/tidegate.json', folder);

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

let system: RunningSystem | undefined;
let scraped: string;
let exported: ReadonlySet<string>;

beforeAll(async () => {
  system = await runningSystem({ settings: { roles: 'gateway,system,relay,loadbalancer,gslb,object-storage,worker' } });
  scraped = await (await fetch(new URL('/metrics', system.url))).text();
  // Metrics that need a certificate, a cluster of hosts, an object storage cluster, or load balancer hosts.
  const registry = new Registry();
  await addTraffic(registry, system);
  addHaMetrics(registry, () => undefined);
  watchCertificateEnd(registry, { use: 'public', role: 'gateway' }, () => '');
  countRequests(registry);
  exported = namesOf(`${scraped}\n${await registry.metrics()}`);
});

afterAll(() => system?.stop());

async function addTraffic(registry: Registry, { database }: RunningSystem): Promise<void> {
  const db = new Database({ connection: database.connection });
  const redis = new Redis({ path: database.redisPath });
  const place = { redis, redisPrefix: database.redisPrefix };
  new TrafficRecorder({ db, seconds: new TrafficSeconds(place), statistics: new StatisticsStore(place), registry });
  redis.disconnect();
  await db.close();
}

/** Includes the names that Prometheus derives from a histogram. */
function namesOf(text: string): ReadonlySet<string> {
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => ({ name, type }));
  return new Set(
    names.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

const metricsIn = (expression: string): readonly string[] => expression.match(/\btidegate_\w+/g) ?? [];

async function rules(): Promise<readonly { readonly alert: string; readonly expr: string }[]> {
  return (parse(await readFile(rulesFile, 'utf8')) as Rules).groups.flatMap((group) => group.rules);
}

describe('promtool', () => {
  test('finds the rules valid', async () => {
    const { stdout } = await run('/usr/bin/promtool', ['check', 'rules', rulesFile.pathname]);
    expect(stdout).toContain(`${(await rules()).length} rules found`);
  });

  test('confirms that they are right in the examples', async () => {
    const tests = new URL('prometheus/tidegate.rules.test.yml', folder).pathname;
    const { stdout } = await run('/usr/bin/promtool', ['test', 'rules', tests]);
    expect(stdout).toContain('SUCCESS');
  });
});

test('a process tells its version, its roles, and how its parts work', async () => {
  const roles = 'gateway,gslb,loadbalancer,object-storage,relay,system,worker';
  expect(scraped).toMatch(
    new RegExp(`^tidegate_build_info\\{version="[^"]+",commit="[^"]*",roles="${roles}"\\} 1$`, 'm'),
  );
  expect(scraped).toMatch(/^tidegate_redis_connected 1$/m);
  expect(scraped).toMatch(/^tidegate_database_round_trip_seconds_count\{pool="transactions"\} [1-9]/m);
  expect(scraped).toMatch(/^tidegate_database_wait_seconds_count\{pool="reads"\} [0-9]/m);
  expect(scraped).toMatch(/^tidegate_owed_work_oldest_seconds \d/m);
  expect(scraped).toMatch(/^tidegate_audit_last_seal_seconds \d/m);
});

test('each rule uses exported metrics', async () => {
  for (const { alert, expr } of await rules()) {
    const used = metricsIn(expr);
    expect([alert, used.length > 0 || expr.startsWith('up{')]).toEqual([alert, true]);
    expect([alert, used.filter((name) => !exported.has(name))]).toEqual([alert, []]);
  }
});

test('each panel of the dashboard uses exported metrics and has its own place', async () => {
  const { panels } = JSON.parse(await readFile(dashboardFile, 'utf8')) as Dashboard;
  for (const { title, targets } of panels) {
    const used = targets.flatMap(({ expr }) => metricsIn(expr));
    expect([title, used.length > 0]).toEqual([title, true]);
    expect([title, used.filter((name) => !exported.has(name))]).toEqual([title, []]);
  }
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x},${y}`)).size).toBe(panels.length);
});
