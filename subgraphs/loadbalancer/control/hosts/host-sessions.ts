// The control plane's side of the hosts' links. Each connected host is sent the documents of its nodes as they change, and its reports are
// stored. A host's newest connection has the highest epoch; reports of older ones are dropped.
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { isUnavailable } from '../../../../platform/errors/database-errors.ts';
import { readHistory } from '../../../../platform/events/database-history.ts';
import type { LanedSession, LinkPeer, LinkReport } from '../../../../platform/link/link-server.ts';
import { MachineSession, readFacts, unknownReport } from '../../../../platform/link/machine-session.ts';
import { SentDocuments } from '../../../../platform/link/sent-documents.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { canonicalAddressBlock } from '../../../../platform/net/address-block.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { positionShape } from '../../../../platform/values/positions.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { NodeRow } from '../../rules/rows.ts';
import { storeMemberView } from '../members/member-status.ts';
import { endNode, nodesToDelete, nodesUnderLock, reportNode } from '../nodes/node-store.ts';
import { lockBalancer } from '../stores/balancer-store.ts';
import { balancerTopic, reconcileKind } from '../stores/change-balancer.ts';
import { beginEpoch, confirmEpoch, endEpoch, type HostRow } from '../stores/host-store.ts';
import type { TrafficRecorder } from '../traffic/traffic-recorder.ts';
import { leapNode, type NodeDocuments, positionsOfHost, type SentDocument } from './node-documents.ts';

interface HostSessionsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly documents: NodeDocuments;
  /** Without it, traffic is not recorded. */
  readonly traffic?: Pick<TrafficRecorder, 'record' | 'recordStatistics'>;
}

const block = z
  .string()
  .max(49)
  .refine((text) => canonicalAddressBlock(text) !== undefined, 'not a CIDR block');
const facts = z.strictObject({
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
  // Hosts of earlier versions do not report it.
  confinementFault: z
    .string()
    .max(1024)
    .nullable()
    .default('its version does not report whether its nodes are confined'),
});

const nodeReport = z.strictObject({
  node: z.uuid(),
  made: z.boolean(),
  /** History of the two generations. Null if no document is in effect. */
  history: positionShape.shape.history.nullable(),
  applied: z.number().int().nonnegative(),
  document: z.number().int().nonnegative().default(0),
  incarnation: z.uuid().nullable(),
  error: z.string().max(1024).nullable(),
  givenUp: z.boolean(),
  sessions: z.number().int().nonnegative().nullable().default(null),
});
type NodeReportRead = z.output<typeof nodeReport>;

const memberReport = z.strictObject({
  node: z.uuid(),
  member: z.uuid(),
  status: z.enum(['UP', 'DOWN']),
  message: z.string().max(255),
});
const goneReport = z.strictObject({ node: z.uuid() });

/** How often to poll the tables, in case a wake-up is lost. */
const lookAgainMs = 1_000;
/** How often an open connection is confirmed in the database. HostWatcher ends connections of a process that was killed. */
const confirmMs = 10_000;

/** Topic that wakes the process with the host's connection when its nodes change. */
export function hostTopic(hostId: string): string {
  return `lb-host/${hostId}`;
}

export class HostSessions {
  readonly #options: HostSessionsOptions;

  constructor(options: HostSessionsOptions) {
    this.#options = options;
  }

  async open(peer: LinkPeer): Promise<LanedSession> {
    const read = readFacts(peer, 'host', facts);
    const { db, wake } = this.#options;
    const { host, history } = await db.transaction(async (tx) => ({
      host: await beginEpoch(tx, wake, peer.machine, read),
      history: await readHistory(tx),
    }));
    return new HostSession(this.#options, peer, host, history);
  }
}

class HostSession extends MachineSession implements LanedSession {
  readonly #options: HostSessionsOptions;
  readonly #host: HostRow;
  /** History of the epoch. */
  readonly #history: string;
  readonly #sent: SentDocuments<SentDocument>;
  /** Nodes that the host was told to remove. */
  readonly #told = new Set<string>();
  /** Why the document of a node can't be made, by node. */
  readonly #unsent = new Map<string, string>();
  /** Load balancer by node, for nodes that the host has or should remove. */
  #balancers: ReadonlyMap<string, string> = new Map();
  #confirmedMs = performance.now();

  constructor(options: HostSessionsOptions, peer: LinkPeer, host: HostRow, history: string) {
    super({ ...options, peer, epoch: host.epoch, noun: 'host', what: 'nodes', pauseMs: lookAgainMs });
    this.#history = history;
    this.#options = options;
    this.#host = host;
    const unknown = { balancerGeneration: 0, certificates: new Map() };
    this.#sent = new SentDocuments([...peer.held].map(([id, position]) => [id, { ...unknown, position }]));
  }

  override begin(): void {
    this.follow([hostTopic(this.#host.id)]);
    super.begin();
  }

  resend(key: string): void {
    this.#sent.forget(key);
    this.sendSoon();
  }

  protected recordEnd(): Promise<unknown> {
    const { db, wake } = this.#options;
    return db.transaction((tx) => endEpoch(tx, wake, this.#host));
  }

  /** A report that waits for the lock of one load balancer does not hold up reports of others. */
  laneOf(key: string): string {
    const [kind, node = ''] = key.split('/');
    return kind === 'traffic' || kind === 'statistics' ? 'traffic' : (this.#balancers.get(node) ?? node);
  }

  async report(reports: readonly LinkReport[]): Promise<void> {
    const [figures, states] = [reports.filter(isFigures), reports.filter((each) => !isFigures(each))];
    for (const each of figures) await this.#figures(each);
    if (states.length > 0) await this.#options.db.transaction((tx) => this.#states(tx, states));
  }

  /** Drops reports of an older connection. */
  async #states(tx: Transaction, reports: readonly LinkReport[]): Promise<void> {
    const own = 'SELECT id FROM lb_host WHERE id = ? AND epoch = ? LOCK IN SHARE MODE';
    const history = await readHistory(tx);
    const isNewest = (await tx.query(own, [this.#host.id, this.epoch])).length > 0;
    if (history !== this.#history || !isNewest) this.refuseReport();
    for (const { key, body } of reports) {
      const [kind] = key.split('/');
      if (kind === 'node') await this.#node(tx, nodeReport.parse(body));
      else if (kind === 'member') await this.#member(tx, memberReport.parse(body));
      else if (kind === 'gone') await this.#gone(tx, goneReport.parse(body));
      else throw unknownReport(key);
    }
  }

  /** Figures that can't be recorded are missing for a second. */
  async #figures(report: LinkReport): Promise<void> {
    const { traffic, log } = this.#options;
    const id = this.#host.id;
    const { body } = report;
    await (isStatistics(report) ? traffic?.recordStatistics(id, body) : traffic?.record(id, body))?.catch(
      (error: unknown) => log.debug({ err: error, host: this.#host.name }, 'could not record figures'),
    );
  }

  protected async send(): Promise<boolean> {
    const { db, wake, log } = this.#options;
    if (performance.now() - this.#confirmedMs >= confirmMs) {
      await confirmEpoch(db, wake, this.#host);
      this.#confirmedMs = performance.now();
    }
    const [placed, going] = await Promise.all([positionsOfHost(db, this.#host.id), nodesToDelete(db, this.#host.id)]);
    this.#balancers = new Map([...placed, ...going].map(({ id, loadBalancerId }) => [id, loadBalancerId]));
    this.follow([hostTopic(this.#host.id), ...placed.map(({ loadBalancerId }) => balancerTopic(loadBalancerId))]);
    const wanted = placed.map(({ id, position }) => ({ key: id, position }));
    // Includes nodes that are being deleted, even if the host may have nothing of them any more: the host then reports that.
    const deleted = [...this.#sent.takeGone(wanted), ...going.map(({ id }) => id)];
    for (const id of deleted) {
      if (this.#told.has(id)) continue;
      this.#told.add(id);
      this.peer.send({ type: 'gone', key: id });
    }
    const ahead = this.#sent.ahead(wanted);
    if (ahead !== undefined) {
      const { key: node, has, position } = ahead;
      log.error(
        { host: this.#host.name, node, has, position },
        'a host has a newer document of a node than the database, which was restored',
      );
      await db.transaction((tx) => leapNode(tx, node, has));
      this.#sent.forget(node);
      return true;
    }
    let isWhole = true;
    for (const { key } of this.#sent.lacking(wanted)) isWhole = (await this.#sendDocument(key)) && isWhole;
    // A host removes what no document names: only if it has been sent all of them.
    if (isWhole) this.sendWhole();
    return false;
  }

  /** False if the document can't be made: those of other nodes, which may be other projects', do not wait for it. */
  async #sendDocument(key: string): Promise<boolean> {
    const { documents, log } = this.#options;
    let next: Awaited<ReturnType<NodeDocuments['since']>>;
    try {
      next = await documents.since(key, this.#sent.get(key));
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const { message } = error as Error;
      if (this.#unsent.get(key) !== message)
        log.error({ err: error, host: this.#host.name, node: key }, "a node's document can't be made");
      this.#unsent.set(key, message);
      return false;
    }
    this.#unsent.delete(key);
    if (next === undefined) return true;
    const { change, document, sent } = next;
    if (change !== undefined) this.peer.send({ type: 'change', key, change: asJson(change) });
    else this.peer.send({ type: 'document', key, position: sent.position, document: asJson(document) });
    this.#sent.set(key, sent);
    // Documents of many nodes may be more than the connection can buffer.
    await this.peer.taken();
    return true;
  }

  async #node(tx: Transaction, report: NodeReportRead): Promise<void> {
    const node = await this.#own(tx, report.node);
    if (node === undefined) return;
    // A document of another history is not the wanted one, whatever its generation.
    const configured = report.history === this.#history;
    const effect = { ...report, configured, ...(configured ? {} : { applied: 0, document: 0 }) };
    await reportNode(tx, this.#options.wake, node, effect);
    if (!awaitsCheck(node, report)) await owe(tx, reconcileKind, node.loadBalancerId, {}, this.#options.wake);
  }

  async #member(tx: Transaction, report: z.output<typeof memberReport>): Promise<void> {
    const node = await this.#own(tx, report.node);
    if (node === undefined || !(await storeMemberView(tx, node, report))) return;
    // Other nodes' views count while they serve or could serve again.
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

  /** The node, if it is on this host. Locks its load balancer. */
  async #own(tx: Transaction, nodeId: string): Promise<NodeRow | undefined> {
    // Reads without a lock: a change that holds the lock of the load balancer would wait for this transaction, and this one for it.
    const sql = 'SELECT load_balancer_id AS loadBalancerId FROM lb_node WHERE id = ? AND host_id = ?';
    const [named] = await tx.query<{ loadBalancerId: string }>(sql, [nodeId, this.#host.id]);
    if (named === undefined) return undefined;
    await lockBalancer(tx, named.loadBalancerId);
    return (await nodesUnderLock(tx, named.loadBalancerId)).find(({ id }) => id === nodeId);
  }
}

const isStatistics = ({ key }: LinkReport) => key.startsWith('statistics/');
const isFigures = (report: LinkReport) => isStatistics(report) || report.key.startsWith('traffic/');

/** A new node with no event due before its first check, which is an event of its own. */
function awaitsCheck({ state, checkedAt, reason }: NodeRow, { givenUp, error }: NodeReportRead): boolean {
  return state === 'BUILDING' && checkedAt === null && !givenUp && error === reason;
}

/** Documents and changes are plain data. */
function asJson(value: object): Readonly<Record<string, JsonValue>> {
  return value as Readonly<Record<string, JsonValue>>;
}
