// A HAProxy configuration as data, divided by how each part can be changed. `changes.ts` compares two.
import { createHash } from 'node:crypto';
import { runtimeWord, word } from './quoting.ts';

export interface ServerModel {
  readonly name: string;
  /** An IP address, never a name. */
  readonly address: string;
  readonly port: number;
  /** Keywords that `add server` accepts too, unquoted and without weight. Changing them needs a reload. */
  readonly keywords: readonly string[];
  readonly weight: number;
  /** DRAIN: only sessions of existing clients. MAINT: sessions may finish within the pool's time. ENDED: sessions end within seconds. */
  readonly state: 'READY' | 'DRAIN' | 'MAINT' | 'ENDED';
  /** Whether its health is checked. */
  readonly checked: boolean;
}

export interface BackendModel {
  readonly name: string;
  readonly lines: readonly string[];
  /** Whether clients are bound by a cookie, which must be enabled again after each `add server`. */
  readonly dynamicCookie: boolean;
  /** How long a removed or disabled server may finish its sessions. */
  readonly drainMs: number;
  /** The backend whose checks decide when servers with the same name become ready. Absent if it is its own. */
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

/** A file beside the configuration, by how HAProxy reads it. */
export interface FileModel {
  readonly kind: 'AUTHORITIES' | 'REVOCATIONS' | 'CERTIFICATE_LIST' | 'PATTERNS' | 'ADMISSIONS';
  readonly path: string;
  readonly content: string;
}

/** Paths of the certificates in a list. Empty for other files. */
export function listedIn(file: FileModel | undefined): readonly string[] {
  return file?.kind === 'CERTIFICATE_LIST' ? linesOf(file.content) : [];
}

/** The entries of a map file by key. Empty for other files. */
export function admissionsIn(file: FileModel | undefined): ReadonlyMap<string, string> {
  if (file?.kind !== 'ADMISSIONS') return new Map();
  return new Map(linesOf(file.content).map((line) => line.split(' ', 2) as [string, string]));
}

/** Skips empty lines. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

export interface HaproxyModel {
  readonly global: readonly string[];
  /** The ring that buffers logged lines. */
  readonly events: readonly string[];
  readonly defaults: readonly string[];
  readonly frontends: ReadonlyMap<string, FrontendModel>;
  readonly backends: ReadonlyMap<string, BackendModel>;
  readonly certificates: ReadonlyMap<string, CertificateModel>;
  readonly files: ReadonlyMap<string, FileModel>;
}

/** The configuration file. It always describes what is running, including servers that were added at runtime. */
export function configurationText(model: HaproxyModel): string {
  const sections = [
    // Lets the runtime socket show which configuration is running.
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

/** A hash of everything that only a reload can change. */
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
  // Set at runtime and preserved over reloads by the file of states: the configuration can't express it without losing the weight.
  if (server.state === 'DRAIN') words.push('# drained');
  return words.join(' ');
}

/** ADDRESS:PORT, with IPv6 in brackets. */
function endpoint({ address, port }: Pick<ServerModel, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Servers added at runtime do not inherit `default-server`, so all keywords are given. */
export function addCommand(backend: string, server: ServerModel): string {
  const words = [endpoint(server), ...server.keywords, 'weight', String(server.weight)].map(runtimeWord);
  return `add server ${backend}/${server.name} ${words.join(' ')}`;
}
