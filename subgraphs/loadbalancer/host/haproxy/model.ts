// HAProxy's configuration as data: what can be changed at runtime (servers, certificates) apart from what needs a reload (all else).

export interface ServerModel {
  readonly name: string;
  /** An address, never a name. */
  readonly address: string;
  readonly port: number;
  /** Keywords that `add server` takes too, without weight: another value needs a new server. */
  readonly keywords: readonly string[];
  readonly weight: number;
  readonly state: 'READY' | 'DRAIN' | 'MAINT';
  /** Whether its health is checked. */
  readonly checked: boolean;
}

export interface BackendModel {
  readonly name: string;
  readonly lines: readonly string[];
  /** Whether clients are held by a cookie: it must be enabled again after each `add server`. */
  readonly dynamicCookie: boolean;
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

/** A file beside the configuration: certificate lists, authorities, client networks. */
export interface FileModel {
  readonly path: string;
  readonly content: string;
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
    section('global', model.global),
    section('ring events', model.events),
    section('defaults', model.defaults),
    ...[...model.frontends.values()].map(({ name, lines }) => section(`frontend ${name}`, lines)),
    ...[...model.backends.values()].map(({ name, lines, servers }) =>
      section(`backend ${name}`, [...lines, ...[...servers.values()].map(serverLine)]),
    ),
  ];
  return `${sections.join('\n')}`;
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function serverLine(server: ServerModel): string {
  const state = server.state === 'MAINT' ? ['disabled'] : [];
  const weight = server.state === 'DRAIN' ? 0 : server.weight;
  return ['server', server.name, endpoint(server), ...server.keywords, 'weight', String(weight), ...state].join(' ');
}

/** ADDRESS:PORT; HAProxy takes IPv6 with brackets. */
export function endpoint({ address, port }: Pick<ServerModel, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
