// A configuration of HAProxy as data: what its file has, divided by how a change of it can be brought about. `changes.ts` compares two.
import { createHash } from 'node:crypto';
import { word } from './quoting.ts';

export interface ServerModel {
  readonly name: string;
  /** An address, never a name. */
  readonly address: string;
  readonly port: number;
  /** Keywords that `add server` takes too, unquoted, without weight: others need a reload. */
  readonly keywords: readonly string[];
  readonly weight: number;
  /** DRAIN: only sessions of clients that it has already. MAINT: its sessions may end in the pool's time. ENDED: in seconds. */
  readonly state: 'READY' | 'DRAIN' | 'MAINT' | 'ENDED';
  /** Whether its health is checked. */
  readonly checked: boolean;
}

export interface BackendModel {
  readonly name: string;
  readonly lines: readonly string[];
  /** Whether clients are held by a cookie: it must be enabled again after each `add server`. */
  readonly dynamicCookie: boolean;
  /** How long a server that is removed or disabled may finish its sessions. */
  readonly drainMs: number;
  /** The backend whose checks let servers of the same name become ready; absent: its own. */
  readonly follows?: string;
  readonly servers: ReadonlyMap<string, ServerModel>;
}

export interface FrontendModel {
  readonly name: string;
  readonly lines: readonly string[];
}

export interface CertificateModel {
  /** Path of its file. */
  readonly path: string;
  /** PEM: chain and key. */
  readonly pem: string;
}

/** A file beside the configuration, by what HAProxy reads from it. */
export interface FileModel {
  readonly kind: 'AUTHORITIES' | 'REVOCATIONS' | 'CERTIFICATE_LIST' | 'PATTERNS';
  readonly path: string;
  readonly content: string;
}

/** Paths of the certificates in a list; none for other files. */
export function listedIn(file: FileModel | undefined): readonly string[] {
  return file?.kind === 'CERTIFICATE_LIST' ? linesOf(file.content) : [];
}

/** Empty ones say nothing. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

export interface HaproxyModel {
  readonly global: readonly string[];
  /** The ring in which logged lines wait. */
  readonly events: readonly string[];
  readonly defaults: readonly string[];
  readonly frontends: ReadonlyMap<string, FrontendModel>;
  readonly backends: ReadonlyMap<string, BackendModel>;
  readonly certificates: ReadonlyMap<string, CertificateModel>;
  readonly files: ReadonlyMap<string, FileModel>;
}

/** The configuration file. It always says what runs: also the servers that were added at runtime. */
export function configurationText(model: HaproxyModel): string {
  const sections = [
    // It tells at the runtime socket which configuration runs.
    section('global', [...model.global, `description ${structureOf(model)}`]),
    section('ring events', model.events),
    section('defaults', model.defaults),
    ...[...model.frontends.values()].map(({ name, lines }) => section(`frontend ${name}`, lines)),
    ...[...model.backends.values()].map(({ name, lines, servers }) =>
      section(`backend ${name}`, [...lines, ...[...servers.values()].map(serverLine)]),
    ),
  ];
  return sections.join('\n');
}

/** A hash of everything that only a reload changes. */
export function structureOf({ global, events, defaults, frontends, backends }: HaproxyModel): string {
  const parts = [
    ...[global, events, defaults],
    ...[...frontends.values()].map(({ name, lines }) => [name, ...lines]),
    ...[...backends.values()].map(({ name, lines }) => [name, ...lines]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function serverLine(server: ServerModel): string {
  const words = [
    'server',
    server.name,
    endpoint(server),
    ...server.keywords.map(word),
    'weight',
    String(server.weight),
  ];
  if (server.state === 'MAINT' || server.state === 'ENDED') words.push('disabled');
  // Set at runtime and kept over reloads by the file of states: a configuration can't say it without losing the weight.
  if (server.state === 'DRAIN') words.push('# drained');
  return words.join(' ');
}

/** ADDRESS:PORT; HAProxy takes IPv6 with brackets. */
export function endpoint({ address, port }: Pick<ServerModel, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
