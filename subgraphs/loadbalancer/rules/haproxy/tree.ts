// A node's wanted state, prepared for rendering: the tree of its parts, with their names and paths.
import { createHash } from 'node:crypto';
import type { PartName } from '../../spec/part-kind.ts';
import type { WantedNode, WantedPart } from '../../wire/wanted-node.ts';
import type { FileModel } from './model.ts';

export interface NodePlaces {
  /** The node's own folder: configuration, certificates, sockets. */
  readonly folder: string;
  /** Unix socket for commands; mode 0600. */
  readonly runtimeSocket: string;
  /** The port for health checks of the node itself. */
  readonly healthPort: number;
  /** User and group of its workers, which are confined to an empty folder. Null for those of the host. */
  readonly uid: number | null;
  /** UUID of this start of HAProxy. */
  readonly incarnation: string;
  /** Addresses of a host name at which this port may be dialled. Empty if the name does not resolve now, or only to denied addresses. */
  readonly addressesOf: (hostName: string, port: number) => readonly string[];
  /** Milliseconds since 1970: decides whether a drained member's time is up. */
  readonly now: number;
}

export interface Tree {
  readonly node: WantedNode;
  readonly places: NodePlaces;
  readonly byId: ReadonlyMap<string, WantedPart>;
  children(kind: PartName, parentId: string): readonly WantedPart[];
  /** Files that the configuration refers to. */
  readonly files: Map<string, FileModel>;
}

/**
 * Connections of a node that its clients can't take: for health checks, keepalived's script and metrics. A node that is full of clients must
 * not count as down.
 */
export const ownConnections = 100;

export function isEnabled({ spec }: WantedPart): boolean {
  return spec.enabled !== false;
}

/** The frontend that answers health checks. It also has the table in which the connections of several listeners are counted. */
export const healthName = 'health';

export function frontendName(id: string): string {
  return `l_${id}`;
}

export function backendName(id: string): string {
  return `p_${id}`;
}

/** A member with a host name has a server for each address. */
export function serverName(id: string, address: string, named: boolean): string {
  return named ? `m_${id}_${address.replaceAll(/[.:]/g, '_')}` : `m_${id}`;
}

/** Backend with all members of a pool, used when too few of them are healthy. */
export function openBackendName(id: string): string {
  return `o_${id}`;
}

export function failsOpen({ spec }: WantedPart): boolean {
  return Number(spec.failOpenBelowPercent) > 0;
}

const httpProtocols = ['HTTP', 'TERMINATED_HTTPS'];
export const usualMemberTimeoutMs = 50_000;

export function isHttpListener({ spec }: WantedPart): boolean {
  return httpProtocols.includes(String(spec.protocol));
}

/** The answer timeout of members if all HTTP listeners have the same one: then it need not be set per request. */
export function memberTimeoutOfAll({ node, children }: Tree): number | undefined {
  const listeners = children('Listener', node.loadBalancer.id).filter(isHttpListener);
  const [first = usualMemberTimeoutMs, ...others] = new Set(listeners.map(({ spec }) => Number(spec.memberTimeoutMs)));
  return others.length === 0 ? first : undefined;
}

/** Registers a file with this content and returns its path for the configuration. */
export function fileOf({ places, files }: Tree, kind: FileModel['kind'], name: string, content: string): string {
  const path = `${places.folder}/files/${name}`;
  const isPem = kind === 'AUTHORITIES' || kind === 'REVOCATIONS';
  files.set(path, { kind, path, content: isPem ? canonicalPem(content) : content });
  return path;
}

/** The map file's value for a listener or pool. Quoted, because a folder's name may have a comma. */
export function admissionSample(name: string, path: string): string {
  return `str(${name}),map("${path}")`;
}

/** Short hash for comparisons and file names. */
export function hashOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 16);
}

/** OpenSSL reads PEM more strictly than Node does (RFC 7468, section 2): lines of 64 characters, and nothing between blocks. */
export function canonicalPem(text: string): string {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \1-----/g);
  return [...blocks]
    .map(([, label, base64 = '']) => {
      const lines = Buffer.from(base64, 'base64')
        .toString('base64')
        .replaceAll(/.{64}(?=.)/g, '$&\n');
      return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
    })
    .join('');
}

export function certificatePath({ folder }: NodePlaces, id: string): string {
  return `${folder}/certificates/${id}.pem`;
}

export function treeOf(node: WantedNode, places: NodePlaces): Tree {
  const byParent = Map.groupBy(node.parts, ({ parentId, kind }) => `${kind} ${parentId}`);
  return {
    node,
    places,
    byId: new Map(node.parts.map((part) => [part.id, part])),
    children: (kind, parentId) => byParent.get(`${kind} ${parentId}`) ?? [],
    files: new Map(),
  };
}

export function bindAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
