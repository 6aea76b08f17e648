// Records the traffic reports of nodes as they arrive over the hosts' links: each once, whichever process it reaches, and however often.
// The newest figures of nodes that report to this process are also its metrics.
import { LRUCache } from 'lru-cache';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../../../../platform/database/database.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { statisticsReport } from '../../wire/statistics-report.ts';
import { type ListenerTraffic, meanLatencyMs, type TrafficReport, trafficReport } from '../../wire/traffic-report.ts';
import type { StatisticsStore } from './statistics-store.ts';
import { type LastReport, secondOf } from './traffic-figures.ts';
import type { TrafficSeconds } from './traffic-seconds.ts';

interface TrafficRecorderOptions {
  readonly db: Database;
  readonly seconds: TrafficSeconds;
  readonly statistics: StatisticsStore;
  readonly registry: Registry;
}

interface ReportingNode {
  readonly loadBalancerId: string;
  readonly hostId: string;
  readonly name: string;
  readonly balancerName: string;
  /** Ports of its listeners, by UUID. */
  readonly ports: ReadonlyMap<string, string>;
}

/** Most nodes with metrics and cached reports. Reports of others are read from Redis each time. */
const mostNodes = 1_000;
/** A node that is silent for this long has no metrics. */
const forgottenMs = 30_000;
const nodeKnownMs = 30_000;

export class TrafficRecorder {
  readonly #options: TrafficRecorderOptions;
  readonly #nodes: LRUCache<string, ReportingNode>;
  readonly #last = new LRUCache<string, LastReport>({ max: mostNodes, ttl: 10 * 60_000 });
  readonly #reports = new LRUCache<string, { readonly node: ReportingNode; readonly report: TrafficReport }>({
    ...{ max: mostNodes, ttl: forgottenMs },
  });

  constructor(options: TrafficRecorderOptions) {
    this.#options = options;
    this.#nodes = new LRUCache({ max: 10_000, ttl: nodeKnownMs });
    this.#addMetrics(options.registry);
  }

  /** Ignores reports of nodes that are not on the host. Rejects if the body is not a report, or if Redis is not available. */
  async record(hostId: string, body: JsonValue): Promise<void> {
    const report = trafficReport.parse(body);
    const node = await this.#node(report.node);
    if (node?.hostId !== hostId) return;
    this.#reports.set(report.node, { node, report });
    const remembered = this.#last.get(report.node);
    if (remembered !== undefined && (await this.#write(node, report, remembered, remembered))) return;
    // Another process recorded the last one, or Redis has lost what is cached here.
    const stored = await this.#options.seconds.last(report.node);
    await this.#write(node, report, stored ?? remembered, stored);
  }

  /** As `record`, for HAProxy's table. */
  async recordStatistics(hostId: string, body: JsonValue): Promise<void> {
    const report = statisticsReport.parse(body);
    const node = await this.#node(report.node);
    if (node?.hostId === hostId) await this.#options.statistics.keep(report);
  }

  /** False if `stored` differs from what Redis has. */
  async #write(
    { loadBalancerId }: ReportingNode,
    report: TrafficReport,
    before: LastReport | undefined,
    stored: LastReport | undefined,
  ): Promise<boolean> {
    const entry = secondOf(report, before);
    if (entry === undefined) return true;
    if (!(await this.#options.seconds.record(loadBalancerId, entry, stored))) return false;
    this.#last.set(report.node, entry.last);
    return true;
  }

  async #node(id: string): Promise<ReportingNode | undefined> {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const { db } = this.#options;
    const [row] = await db.query<Omit<ReportingNode, 'ports'>>(
      `SELECT n.load_balancer_id AS loadBalancerId, n.host_id AS hostId, n.name, b.name AS balancerName
      FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id WHERE n.id = ? AND n.state <> 'DELETED'`,
      [id],
    );
    if (row === undefined) return undefined;
    const listeners = await db.query<{ id: string; port: number }>(
      "SELECT id, CAST(JSON_VALUE(spec, '$.port') AS INT) AS port FROM lb_part WHERE parent_id = ? AND kind = 'Listener' AND deleted = 0",
      [row.loadBalancerId],
    );
    const node = { ...row, ports: new Map(listeners.map((each) => [each.id, String(each.port)])) };
    this.#nodes.set(id, node);
    return node;
  }

  #addMetrics(registry: Registry): void {
    const reports = this.#reports;
    addFigures(registry, 'node', 'a node', ['load_balancer', 'node'], () =>
      [...reports.values()].map(({ node, report }) => ({
        labels: { load_balancer: node.balancerName, node: node.name },
        figures: { ...report, latencyMs: meanLatencyMs(report.pools) },
      })),
    );
    addFigures(registry, 'listener', 'a listener on a node', ['load_balancer', 'node', 'port'], () =>
      [...reports.values()].flatMap(({ node, report }) =>
        report.listeners.flatMap((figures) => {
          const port = node.ports.get(figures.id);
          return port === undefined
            ? []
            : [{ labels: { load_balancer: node.balancerName, node: node.name, port }, figures }];
        }),
      ),
    );
    const labelNames = ['load_balancer', 'node'] as const;
    const gauge = (name: string, help: string, of: (report: TrafficReport) => number) =>
      new Gauge({
        ...{ name: `tidegate_load_balancer_node_${name}`, help, labelNames, registers: [registry] },
        collect() {
          this.reset();
          for (const { node, report } of reports.values())
            this.set({ load_balancer: node.balancerName, node: node.name }, of(report));
        },
      });
    gauge('sessions_most', 'Sessions that a node may have', ({ mostOpen }) => mostOpen);
    gauge('busy_ratio', 'Share of time in which HAProxy was busy', ({ idlePercent }) => 1 - idlePercent / 100);
  }
}

type Reported = Pick<ListenerTraffic, 'open' | 'requests' | 'errors' | 'bytesIn' | 'bytesOut' | 'latencyMs'>;

/** The same metrics for all nodes, or for all listeners, that report to this process. */
function addFigures<Label extends string>(
  registry: Registry,
  subject: string,
  named: string,
  labelNames: readonly Label[],
  all: () => readonly { readonly labels: Readonly<Record<Label, string>>; readonly figures: Reported }[],
): void {
  const prefix = `tidegate_load_balancer_${subject}`;
  const gauge = (name: string, help: string, of: (figures: Reported) => number) =>
    new Gauge({
      ...{ name: `${prefix}_${name}`, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        for (const { labels, figures } of all()) this.set(labels, of(figures));
      },
    });
  const counter = (name: string, help: string, of: (figures: Reported) => number) =>
    new Counter({
      ...{ name: `${prefix}_${name}_total`, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        for (const { labels, figures } of all()) this.inc(labels, of(figures));
      },
    });
  gauge('sessions', `Open sessions of ${named} that reports to this process`, ({ open }) => open);
  gauge(
    'latency_seconds',
    `Mean time to the first byte of the answer of the last 1,024 requests of ${named}`,
    ({ latencyMs }) => latencyMs / 1_000,
  );
  counter('requests', `Requests of ${named}; for TCP, connections`, ({ requests }) => requests);
  counter('errors', `Failed requests of ${named}`, ({ errors }) => errors);
  counter('received_bytes', `Bytes that ${named} received from clients`, ({ bytesIn }) => bytesIn);
  counter('sent_bytes', `Bytes that ${named} sent to clients`, ({ bytesOut }) => bytesOut);
}
