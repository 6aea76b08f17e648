// The settings of a host's processes, made from the samples of docker/systemd: what an operator would change there by hand is changed here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Document, isMap, parseDocument } from 'yaml';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { type HostsFile, hostsWith, type SetupHost, samplesOf } from './hosts-file.ts';

const samples = fileURLToPath(new URL('../../docker/systemd', import.meta.url));

export interface SetupProcess {
  /** Of its sample, and of its settings in /etc/tidegate. */
  readonly name: string;
  readonly roles: readonly string[];
  readonly document: Document;
  /** For systemctl, and the file of the sample. */
  readonly unit: string;
  readonly unitFile: string;
}

export function readSample(file: string): string {
  return readFileSync(join(samples, file), 'utf8');
}

export function processesOf(file: HostsFile, host: SetupHost): readonly SetupProcess[] {
  return samplesOf(host.roles).map((name) => {
    const document = parseDocument(readSample(`${name}.yaml`));
    const unit = /^# Unit: (\S+?)\.service/m.exec(readSample(`${name}.yaml`))?.[1] ?? name;
    const roles = name === 'control' ? host.roles.filter((role) => !samplesOf([role]).includes(role)) : [name];
    document.set('roles', document.createNode(roles, { flow: true }));
    document.set('name', host.name);
    if (name === 'control') control(document, file, roles);
    else if (name === 'gateway') gateway(document, file);
    else agent(document, file, name);
    merge(document, [], host.settings[name] ?? {});
    return {
      name,
      roles,
      document,
      unit,
      unitFile: unit.includes('@') ? `${unit.replace(/@.*/, '@')}.service` : `${unit}.service`,
    };
  });
}

function control(document: Document, file: HostsFile, roles: readonly string[]): void {
  const { database, redis, url } = file;
  for (const { name } of subgraphRows.filter((row) => !roles.includes(row.name))) {
    document.deleteIn(['internal', `${camelCase(name)}Port`]);
    document.delete(camelCase(name));
  }
  const graphUrls = hostsWith(file, 'gateway').map(({ address }) => `https://${inUrl(address)}:${graphPort()}`);
  document.setIn(['internal', 'graphUrls'], document.createNode(graphUrls, { flow: true }));
  document.setIn(
    ['database', 'host'],
    database.host.map((each) => (each.includes(':') ? `[${each}]` : each)).join(','),
  );
  setOrDelete(document, ['database', 'port'], database.port === 3306 ? undefined : database.port);
  document.setIn(['database', 'name'], database.name);
  if (database.authority === undefined) document.deleteIn(['database', 'caFile']);
  document.setIn(['redis', 'host'], redis.host);
  setOrDelete(document, ['redis', 'port'], redis.port === 6379 ? undefined : redis.port);
  if (redis.passwordFile === undefined) document.deleteIn(['redis', 'passwordFile']);
  setOrDelete(document, ['redis', 'tls'], redis.tls ? true : undefined);
  if (roles.includes('system') || roles.includes('worker')) document.setIn(['alerts', 'dashboardUrl'], url);
}

function gateway(document: Document, file: HostsFile): void {
  for (const { name } of subgraphRows) {
    const urls = hostsWith(file, name).map(
      ({ address }) => `https://${inUrl(address)}:${sampleOfControl('internal', `${camelCase(name)}Port`)}/graphql`,
    );
    setOrDelete(document, ['subgraphs', `${camelCase(name)}Url`], urls.length === 0 ? undefined : urls.join(','));
  }
}

/** A process without a database, which connects to all hosts with the role that serves it. */
function agent(document: Document, file: HostsFile, name: string): void {
  const { group, role, port } = {
    dns: { group: 'nameserver', role: 'gslb', port: ['gslb', 'dnsPort'] },
    checker: { group: 'checker', role: 'gslb', port: ['gslb', 'checkerPort'] },
    lbhost: { group: 'lbhost', role: 'loadbalancer', port: ['loadbalancer', 'linkPort'] },
  }[name] ?? { group: name, role: name, port: [] };
  const urls = hostsWith(file, role).map(({ address }) => `wss://${inUrl(address)}:${sampleOfControl(...port)}/link`);
  document.setIn([group, 'controlUrls'], document.createNode(urls, { flow: true }));
}

/** Lists replace those of the sample. */
function merge(document: Document, path: readonly string[], values: object): void {
  for (const [key, value] of Object.entries(values) as [string, unknown][]) {
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isGroup) merge(document, [...path, key], value);
    else document.setIn([...path, key], value);
  }
}

function setOrDelete(document: Document, path: readonly string[], value: unknown): void {
  if (value !== undefined) document.setIn(path, value);
  else if (isMap(document.getIn(path.slice(0, -1)))) document.deleteIn(path);
}

function sampleOfControl(...path: readonly string[]): unknown {
  return parseDocument(readSample('control.yaml')).getIn(path);
}

function graphPort(): unknown {
  return parseDocument(readSample('gateway.yaml')).getIn(['internal', 'graphPort']);
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
