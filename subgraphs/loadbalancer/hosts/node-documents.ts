// Documents of nodes from the tables: whole, or what changed since a generation.
import type { Sql } from '../../../platform/database/database.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import { keyPlace } from '../certificates/certificate-service.ts';
import { type BalancerRow, readBalancers } from '../stores/balancer-store.ts';
import { readCertificates, readSealedKeys } from '../stores/certificate-store.ts';
import { type NodeRow, readNodes } from '../stores/node-store.ts';
import { type PartRow, partsSince } from '../stores/part-store.ts';
import type { WantedCertificate, WantedChange, WantedNode, WantedPart } from '../wanted/wanted-node.ts';

export interface NodeDocumentsOptions {
  readonly db: Sql;
  readonly sealer: Sealer;
}

/** What a host has of a node's document. */
export interface SentDocument {
  readonly generation: number;
  /** The load balancer's in it; 0: not known, as after a new connection. */
  readonly balancerGeneration: number;
  /** Versions of its certificates, by id. */
  readonly certificates: ReadonlyMap<string, number>;
}

export type ToSend = { readonly sent: SentDocument } & (
  | { readonly document: WantedNode; readonly change?: undefined }
  | { readonly change: WantedChange; readonly document?: undefined }
);

/** A read lasts for milliseconds, and changes of a load balancer follow each other. */
const mostAttempts = 20;

export class NodeDocuments {
  readonly #options: NodeDocumentsOptions;

  constructor(options: NodeDocumentsOptions) {
    this.#options = options;
  }

  /**
   * What a host lacks of a node's document: the whole one, or the change since the one that it was sent. Undefined: the node has no
   * place on a host, or must not exist any more. As of one moment: a list of certificates never names one that is not there.
   */
  async since(nodeId: string, sent: SentDocument | undefined): Promise<ToSend | undefined> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const next = await this.#read(nodeId, sent);
      if (next === undefined || (await this.#isStill(nodeId, next.sent.generation))) return next;
    }
    throw new Error(`the node ${nodeId} changed each of ${mostAttempts} times that its document was read`);
  }

  async #isStill(nodeId: string, generation: number): Promise<boolean> {
    const sql = `SELECT 1 FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id
      WHERE n.id = ? AND b.generation + n.wanted_version = ?`;
    return (await this.#options.db.query(sql, [nodeId, generation])).length > 0;
  }

  async #read(nodeId: string, sent: SentDocument | undefined): Promise<ToSend | undefined> {
    const { db } = this.#options;
    const node = (await readNodes(db, [nodeId])).get(nodeId);
    if (node === undefined || !mustExist(node)) return undefined;
    const balancer = (await readBalancers(db, [node.loadBalancerId])).get(node.loadBalancerId);
    if (balancer === undefined) return undefined;
    const known = sent?.balancerGeneration ?? 0;
    const rows = await partsSince(db, balancer.id, known);
    // Of all parts, not of the changed ones: a renewed certificate changes no part.
    const certificates = await this.#certificates(balancer.id);
    const head = this.#head(node, balancer);
    const parts = rows.filter(({ deleted }) => !deleted).map(wantedPart);
    const next: SentDocument = {
      generation: head.generation,
      balancerGeneration: balancer.generation,
      certificates: new Map(certificates.map(({ id, version }) => [id, version])),
    };
    if (sent === undefined || sent.balancerGeneration === 0)
      return { document: { ...head, parts, certificates }, sent: next };
    const change: WantedChange = {
      from: sent.generation,
      to: head.generation,
      node: head,
      parts,
      removedParts: rows.filter(({ deleted }) => deleted).map(({ id }) => id),
      certificates: certificates.filter(({ id, version }) => sent.certificates.get(id) !== version),
      removedCertificates: [...sent.certificates.keys()].filter((id) => !next.certificates.has(id)),
    };
    return { change, sent: next };
  }

  #head(node: NodeRow, balancer: BalancerRow): Omit<WantedNode, 'parts' | 'certificates'> {
    return {
      id: node.id,
      name: node.name,
      // Both only rise, so that a change of either gives a new document.
      generation: balancer.generation + node.wantedVersion,
      loadBalancer: { id: balancer.id, name: balancer.name, generation: balancer.generation },
      // One that leaves serves on, as long as others may remember its address.
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

/** On its host. */
export function mustExist({ state, hostId, address }: NodeRow): boolean {
  return hostId !== null && address !== null && state !== 'DELETING' && state !== 'DELETED';
}

export function wantedPart({ id, kind, parentId, spec, drainUntil }: PartRow): WantedPart {
  return { id, kind, parentId, spec, drainUntil: drainUntil?.toISOString() ?? null };
}

export interface HostNode {
  readonly id: string;
  readonly loadBalancerId: string;
  /** Of its document. */
  readonly generation: number;
}

/** The nodes that a host must have, with the generations of their documents. */
export async function generationsOfHost(db: Sql, hostId: string): Promise<readonly HostNode[]> {
  const rows = await db.query<HostNode>(
    `SELECT n.id, n.load_balancer_id AS loadBalancerId, CAST(b.generation + n.wanted_version AS INT) AS generation
    FROM lb_node n JOIN lb_load_balancer b ON b.id = n.load_balancer_id
    WHERE n.host_id = ? AND n.address IS NOT NULL AND n.state IN ('BUILDING', 'SERVING', 'DRAINING', 'REPLACED') ORDER BY n.id`,
    [hostId],
  );
  return rows.map((row) => ({ ...row, generation: Number(row.generation) }));
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
