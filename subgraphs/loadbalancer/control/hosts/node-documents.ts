// Builds documents of nodes from the tables: whole ones, or the changes since a generation.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { historySql, readHistory } from '../../../../platform/events/database-history.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import type { BalancerRow, NodeRow } from '../../rules/rows.ts';
import {
  positionOf,
  type WantedCertificate,
  type WantedChange,
  type WantedNode,
  type WantedPart,
} from '../../wire/wanted-node.ts';
import { keyPlace } from '../certificates/certificate-service.ts';
import { readCertificates, readSealedKeys } from '../certificates/certificate-store.ts';
import { readNodes } from '../nodes/node-store.ts';
import { readBalancers } from '../stores/balancer-store.ts';
import { type PartRow, partsSince } from '../stores/part-store.ts';

interface NodeDocumentsOptions {
  readonly db: Sql;
  readonly sealer: Sealer;
}

/** A host's state of a node's document. */
export interface SentDocument {
  readonly position: Position;
  /** The load balancer's generation in it. 0 if unknown, as after a new connection. */
  readonly balancerGeneration: number;
  /** Versions of its certificates, by id. */
  readonly certificates: ReadonlyMap<string, number>;
}

type ToSend = { readonly sent: SentDocument } & (
  | { readonly document: WantedNode; readonly change?: undefined }
  | { readonly change: WantedChange; readonly document?: undefined }
);

const furthestAhead = 1_000_000;
/** A read takes milliseconds, and changes of a load balancer come one after the other. */
const mostAttempts = 20;

export class NodeDocuments {
  readonly #options: NodeDocumentsOptions;

  constructor(options: NodeDocumentsOptions) {
    this.#options = options;
  }

  /**
   * The part of a node's document that a host lacks: the whole document, or the change since the one that it was sent. Undefined if the
   * node has no place on a host, or must not exist any more. Reads one consistent state: a list of certificates never names a missing one.
   */
  async since(nodeId: string, sent: SentDocument | undefined): Promise<ToSend | undefined> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const next = await this.#read(nodeId, sent);
      if (next === undefined || (await this.#isStill(nodeId, next.sent.position))) return next;
    }
    throw new Error(`the node ${nodeId} changed during each of ${mostAttempts} attempts to read its document`);
  }

  async #isStill(nodeId: string, { history, number }: Position): Promise<boolean> {
    const sql = `SELECT 1 FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id
      WHERE n.id = ? AND b.generation + n.wanted_version = ? AND ${historySql} = ?`;
    return (await this.#options.db.query(sql, [nodeId, number, history])).length > 0;
  }

  async #read(nodeId: string, sent: SentDocument | undefined): Promise<ToSend | undefined> {
    const { db } = this.#options;
    const history = await readHistory(db);
    const node = (await readNodes(db, [nodeId])).get(nodeId);
    if (node === undefined || !mustExist(node)) return undefined;
    const balancer = (await readBalancers(db, [node.loadBalancerId])).get(node.loadBalancerId);
    if (balancer === undefined) return undefined;
    // A document of another history can't be continued.
    const known = sent?.position.history === history ? sent.balancerGeneration : 0;
    const rows = await partsSince(db, balancer.id, known);
    // Certificates of all parts, not only of changed ones: renewing a certificate changes no part.
    const certificates = await this.#certificates(balancer.id);
    const head = this.#head(node, balancer, history);
    const parts = rows.filter(({ deleted }) => !deleted).map(wantedPart);
    const next: SentDocument = {
      position: positionOf(head),
      balancerGeneration: balancer.generation,
      certificates: new Map(certificates.map(({ id, version }) => [id, version])),
    };
    if (sent === undefined || known === 0) return { document: { ...head, parts, certificates }, sent: next };
    const change: WantedChange = {
      history,
      from: sent.position.number,
      to: head.generation,
      node: head,
      parts,
      removedParts: rows.filter(({ deleted }) => deleted).map(({ id }) => id),
      certificates: certificates.filter(({ id, version }) => sent.certificates.get(id) !== version),
      removedCertificates: [...sent.certificates.keys()].filter((id) => !next.certificates.has(id)),
    };
    return { change, sent: next };
  }

  #head(node: NodeRow, balancer: BalancerRow, history: string): Omit<WantedNode, 'parts' | 'certificates'> {
    return {
      id: node.id,
      name: node.name,
      projectId: balancer.projectId,
      history,
      // Both only rise, so a change of either gives a new generation.
      generation: balancer.generation + node.wantedVersion,
      loadBalancer: { id: balancer.id, name: balancer.name, generation: balancer.generation },
      // A node that leaves keeps serving while clients may have its address cached.
      state: (node.state === 'DRAINING' && node.deleteAt !== null) || !balancer.enabled ? 'DRAIN' : 'RUN',
      address: node.address ?? '',
      managementAddress: node.managementAddress ?? '',
      subnet: null,
      floating: floatingOf(node, balancer),
      size: { connections: node.connections, threads: node.threads },
      cookieKey: balancer.cookieKey,
    };
  }

  async #certificates(balancerId: string): Promise<readonly WantedCertificate[]> {
    const { db, sealer } = this.#options;
    const ids = await certificatesOf(db, balancerId);
    const [rows, keys] = [await readCertificates(db, ids), await readSealedKeys(db, ids)];
    return [...rows.values()].flatMap(({ id, version, chain, sha256 }) => {
      const key = keys.get(id);
      if (key === undefined) return [];
      const privateKey = sealer.open({ keyId: key.keyId, sealed: key.sealedKey }, keyPlace(id, sha256));
      return [{ id, version, pem: `${chain}${privateKey}` }];
    });
  }
}

function floatingOf(
  { floatingPriority: priority }: NodeRow,
  { floatingAddress: address, floatingRouterId: routerId }: BalancerRow,
): WantedNode['floating'] {
  return priority === null || address === null || routerId === null ? null : { address, routerId, priority };
}

/** Whether it should exist on its host. */
function mustExist({ state, hostId, address }: NodeRow): boolean {
  return hostId !== null && address !== null && state !== 'DELETING' && state !== 'DELETED';
}

export function wantedPart({ id, kind, parentId, spec, drainUntil }: PartRow): WantedPart {
  return { id, kind, parentId, spec, drainUntil: drainUntil?.toISOString() ?? null };
}

interface HostNode {
  readonly id: string;
  readonly loadBalancerId: string;
  /** Position of its document. */
  readonly position: Position;
}

/** The nodes that a host should have, with the positions of their documents. */
export async function positionsOfHost(db: Sql, hostId: string): Promise<readonly HostNode[]> {
  const rows = await db.query<Omit<HostNode, 'position'> & Position>(
    `SELECT n.id, n.load_balancer_id AS loadBalancerId, CAST(b.generation + n.wanted_version AS INT) AS number, ${historySql} AS history
    FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id
    WHERE n.host_id = ? AND n.address IS NOT NULL AND n.state IN ('BUILDING', 'SERVING', 'DRAINING', 'REPLACED') ORDER BY n.id`,
    [hostId],
  );
  return rows.map(({ id, loadBalancerId, history, number }) => ({
    ...{ id, loadBalancerId },
    position: { history, number: Number(number) },
  }));
}

/**
 * A host has a newer generation of a node's document than the database, in the same history: the database was restored. Continues the
 * document above that generation. Throws if no document can be that far ahead: the host has made it up.
 */
export async function leapNode(tx: Transaction, nodeId: string, has: Position): Promise<void> {
  const [row] = await tx.query<Position>(
    `SELECT CAST(b.generation + n.wanted_version AS INT) AS number, ${historySql} AS history
    FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id WHERE n.id = ? FOR UPDATE`,
    [nodeId],
  );
  if (row === undefined || comparePositions(has, row) !== 'AHEAD') return;
  const behind = has.number - row.number;
  if (behind > furthestAhead)
    throw new Error(`a host claims generation ${has.number} of the node ${nodeId}, which does not exist`);
  await tx.execute('UPDATE lb_node SET wanted_version = wanted_version + ? WHERE id = ?', [behind + 1, nodeId]);
}

/** UUIDs of the certificates that its parts use. */
export async function certificatesOf(db: Sql, balancerId: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT DISTINCT c.id FROM lb_part p JOIN lb_reference r ON r.part_id = p.id JOIN lb_certificate c ON c.id = r.target_id AND c.live_name IS NOT NULL
    WHERE p.load_balancer_id = ? ORDER BY c.id`,
    [balancerId],
  );
  return rows.map(({ id }) => id);
}
