// The control plane's side of the hosts' links: each connected host is sent the documents of its nodes as they change, and its reports are
// stored. A host's newest connection has the highest epoch; reports of an older one are not stored.
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import type { JsonValue } from '../../../platform/json.ts';
import type { LanedSession, LinkPeer, LinkReport } from '../../../platform/link/link-server.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import { canonicalAddressBlock } from '../../../platform/net/address-block.ts';
import { owe } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { storeMemberView } from '../members/member-status.ts';
import { lockBalancer } from '../stores/balancer-store.ts';
import { balancerTopic, reconcileKind } from '../stores/change-balancer.ts';
import { beginEpoch, confirmEpoch, endEpoch, type HostRow } from '../stores/host-store.ts';
import { endNode, type NodeRow, nodesToDelete, nodesUnderLock, reportNode } from '../stores/node-store.ts';
import type { TrafficRecorder } from '../traffic/traffic-recorder.ts';
import { generationsOfHost, type NodeDocuments, type SentDocument } from './node-documents.ts';

export interface HostSessionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly documents: NodeDocuments;
  /** Absent: traffic is not recorded. */
  readonly traffic?: Pick<TrafficRecorder, 'record'>;
}

const block = z
  .string()
  .max(49)
  .refine((text) => canonicalAddressBlock(text) !== undefined, 'not a CIDR block');
const facts = z.object({
  provider: z.enum(['NETNS', 'LOOPBACK']),
  site: z.string().max(63).nullable(),
  publicRange: block,
  managementRange: block,
  tunnelAddress: z
    .string()
    .max(45)
    .refine((text) => isIP(text) !== 0, 'not an address')
    .nullable(),
  maxNodes: z.number().int().min(0).max(10_000),
  healthPort: z.number().int().min(1).max(65_535),
});
export type HostFactsRead = z.output<typeof facts>;

const nodeReport = z.object({
  node: z.uuid(),
  made: z.boolean(),
  applied: z.number().int().nonnegative(),
  document: z.number().int().nonnegative().default(0),
  incarnation: z.uuid().nullable(),
  error: z.string().max(1024).nullable(),
  givenUp: z.boolean(),
  sessions: z.number().int().nonnegative().nullable().default(null),
});
export type NodeReportRead = z.output<typeof nodeReport>;

const memberReport = z.object({
  node: z.uuid(),
  member: z.uuid(),
  status: z.enum(['UP', 'DOWN']),
  message: z.string().max(255),
});
const goneReport = z.object({ node: z.uuid() });

/** When a wake-up was lost, the tables are asked after so long. */
const lookAgainMs = 1_000;
/** So often it is written that the connection stands: HostKeeper ends those of a process that was killed. */
const confirmMs = 10_000;

/** Wakes the process to which the host is connected: its nodes changed. */
export function hostTopic(hostId: string): string {
  return `lb-host/${hostId}`;
}

export class HostSessions {
  readonly #options: HostSessionsOptions;

  constructor(options: HostSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LanedSession> {
    const read = facts.safeParse(peer.facts);
    if (!read.success)
      throw new Error(`the host ${peer.machine.name} does not say what it is: ${z.prettifyError(read.error)}`);
    const { db, wake } = this.#options;
    const host = await db.transaction((tx) => beginEpoch(tx, wake, peer.machine, read.data));
    return new HostSession(this.#options, peer, host);
  }
}

class HostSession implements LanedSession {
  readonly epoch: number;
  readonly #options: HostSessionsOptions;
  readonly #peer: LinkPeer;
  readonly #host: HostRow;
  readonly #loop: Loop;
  /** The documents that the host has, or was sent. */
  readonly #sent: Map<string, SentDocument>;
  /** Nodes that it was told to remove. */
  readonly #told = new Set<string>();
  /** By node that the host has or is to remove. */
  #balancers: ReadonlyMap<string, string> = new Map();
  #isWhole = false;
  #confirmedMs = performance.now();
  readonly #unsubscribe = new Map<string, () => void>();

  constructor(options: HostSessionsOptions, peer: LinkPeer, host: HostRow) {
    this.#options = options;
    this.#peer = peer;
    this.#host = host;
    this.epoch = host.epoch;
    const unknown = { balancerGeneration: 0, certificates: new Map() };
    this.#sent = new Map([...peer.held].map(([id, generation]) => [id, { ...unknown, generation }]));
    this.#loop = new Loop({
      name: `nodes of host ${peer.machine.name}`,
      log: options.log,
      pauseMs: () => lookAgainMs,
      run: async () => {
        await this.#look();
        return false;
      },
    });
  }

  begin(): void {
    this.#follow(hostTopic(this.#host.id));
    this.#loop.start();
  }

  resend(key: string): void {
    this.#sent.delete(key);
    this.#loop.trigger();
  }

  async closed(): Promise<void> {
    for (const end of this.#unsubscribe.values()) end();
    const { db, wake, log } = this.#options;
    await this.#loop
      .stop()
      .then(() => db.transaction((tx) => endEpoch(tx, wake, this.#host)))
      .catch((error: unknown) =>
        log.warn({ err: error, host: this.#host.name }, "the end of a host's connection was not recorded"),
      );
  }

  /** What waits for the lock of one load balancer does not hold up what is reported of others. */
  laneOf(key: string): string {
    const [kind, node = ''] = key.split('/');
    return kind === 'traffic' ? 'traffic' : (this.#balancers.get(node) ?? node);
  }

  async report(reports: readonly LinkReport[]): Promise<void> {
    const [figures, states] = [reports.filter(isTraffic), reports.filter((each) => !isTraffic(each))];
    for (const { body } of figures) await this.#traffic(body);
    if (states.length > 0) await this.#options.db.transaction((tx) => this.#states(tx, states));
  }

  /** What an older connection reports is not stored. */
  async #states(tx: Transaction, reports: readonly LinkReport[]): Promise<void> {
    const own = 'SELECT id FROM lb_host WHERE id = ? AND epoch = ? LOCK IN SHARE MODE';
    if ((await tx.query(own, [this.#host.id, this.epoch])).length === 0) return;
    for (const { key, body } of reports) {
      const [kind] = key.split('/');
      if (kind === 'node') await this.#node(tx, nodeReport.parse(body));
      else if (kind === 'member') await this.#member(tx, memberReport.parse(body));
      else if (kind === 'gone') await this.#gone(tx, goneReport.parse(body));
      else throw new Error(`a report of an unknown kind: ${key.slice(0, 80)}`);
    }
  }

  /** Figures that can't be recorded are missing for a second. */
  async #traffic(body: JsonValue): Promise<void> {
    const { traffic, log } = this.#options;
    await traffic
      ?.record(this.#host.id, body)
      .catch((error: unknown) => log.debug({ err: error, host: this.#host.name }, 'traffic was not recorded'));
  }

  async #look(): Promise<void> {
    const { db, documents, wake } = this.#options;
    if (performance.now() - this.#confirmedMs >= confirmMs) {
      await confirmEpoch(db, wake, this.#host);
      this.#confirmedMs = performance.now();
    }
    const [wanted, going] = await Promise.all([generationsOfHost(db, this.#host.id), nodesToDelete(db, this.#host.id)]);
    this.#balancers = new Map([...wanted, ...going].map(({ id, loadBalancerId }) => [id, loadBalancerId]));
    const topics = new Set([
      hostTopic(this.#host.id),
      ...wanted.map(({ loadBalancerId }) => balancerTopic(loadBalancerId)),
    ]);
    for (const topic of topics) this.#follow(topic);
    for (const [topic, end] of this.#unsubscribe)
      if (!topics.has(topic)) {
        end();
        this.#unsubscribe.delete(topic);
      }
    const ids = new Set(wanted.map(({ id }) => id));
    // Those that are being deleted too, although the host may have nothing of them any more: it then says so.
    const deleted = [...this.#sent.keys(), ...going.map(({ id }) => id)].filter((id) => !ids.has(id));
    for (const id of deleted) {
      this.#sent.delete(id);
      if (this.#told.has(id)) continue;
      this.#told.add(id);
      this.#peer.send({ type: 'gone', key: id });
    }
    for (const { id, generation } of wanted) {
      const sent = this.#sent.get(id);
      if (sent?.generation === generation) continue;
      const next = await documents.since(id, sent);
      if (next === undefined) continue;
      if (next.change !== undefined) this.#peer.send({ type: 'change', key: id, change: asJson(next.change) });
      else
        this.#peer.send({
          type: 'document',
          key: id,
          generation: next.sent.generation,
          document: asJson(next.document),
        });
      this.#sent.set(id, next.sent);
    }
    if (!this.#isWhole) this.#peer.send({ type: 'whole' });
    this.#isWhole = true;
  }

  #follow(topic: string): void {
    if (this.#unsubscribe.has(topic)) return;
    this.#unsubscribe.set(
      topic,
      this.#options.wake.on(topic, () => this.#loop.trigger()),
    );
  }

  async #node(tx: Transaction, report: NodeReportRead): Promise<void> {
    const node = await this.#own(tx, report.node);
    if (node === undefined) return;
    await reportNode(tx, this.#options.wake, node, report);
    if (!awaitsCheck(node, report)) await owe(tx, reconcileKind, node.loadBalancerId, {}, this.#options.wake);
  }

  async #member(tx: Transaction, report: z.output<typeof memberReport>): Promise<void> {
    const node = await this.#own(tx, report.node);
    if (node === undefined || !(await storeMemberView(tx, node, report))) return;
    // What others see counts when they serve, or could again.
    if (node.state === 'SERVING' || node.state === 'REPLACED')
      await owe(tx, reconcileKind, node.loadBalancerId, {}, this.#options.wake);
  }

  /** The host has nothing of the node any more. */
  async #gone(tx: Transaction, { node: id }: z.output<typeof goneReport>): Promise<void> {
    const node = await this.#own(tx, id);
    if (node?.state !== 'DELETING') return;
    const { wake } = this.#options;
    await endNode(tx, wake, node, null);
    await owe(tx, reconcileKind, node.loadBalancerId, {}, wake);
  }

  /** The node, if it is this host's; its load balancer is locked. */
  async #own(tx: Transaction, nodeId: string): Promise<NodeRow | undefined> {
    // Not locked before its load balancer: a change that has that would wait for this one, and this one for it.
    const sql = 'SELECT load_balancer_id AS loadBalancerId FROM lb_node WHERE id = ? AND host_id = ?';
    const [named] = await tx.query<{ loadBalancerId: string }>(sql, [nodeId, this.#host.id]);
    if (named === undefined) return undefined;
    await lockBalancer(tx, named.loadBalancerId);
    return (await nodesUnderLock(tx, named.loadBalancerId)).find(({ id }) => id === nodeId);
  }
}

const isTraffic = ({ key }: LinkReport) => key.startsWith('traffic/');

/** A new node of which nothing follows before its first check, which is news of its own. */
function awaitsCheck({ state, checkedAt, reason }: NodeRow, { givenUp, error }: NodeReportRead): boolean {
  return state === 'BUILDING' && checkedAt === null && !givenUp && error === reason;
}

/** Documents and changes are plain data. */
function asJson(value: object): Readonly<Record<string, JsonValue>> {
  return value as Readonly<Record<string, JsonValue>>;
}
