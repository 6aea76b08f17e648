// The system of `npm start` in a process of its own, which is what is measured. Calls below the gateway are made in here: on
// the relay's schema, and straight to the device on a pooled SSH connection of its own, with the relay's settings.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parse } from 'graphql';
import { type AllInOne, allInOneConfig, startAllInOne } from '../../bin/compose/all-in-one.ts';
import { executeOnSchema } from '../../platform/graph/execution.ts';
import { newUuid } from '../../platform/ids.ts';
import { createLogger } from '../../platform/log.ts';
import { linuxNftables } from '../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import type { Endpoint, Transport } from '../../subgraphs/relay/transports/session.ts';
import { createSshTransport } from '../../subgraphs/relay/transports/ssh-transport.ts';
import { type CallData, CallMaker, checkSucceeded, document } from '../relay/calls.ts';
import { answerParent } from './child.ts';
import { closedLoop, type LoopFigures } from './closed-loop.ts';

export type SystemOrder =
  | { readonly do: 'start'; readonly dataPath: string; readonly withLab: boolean }
  | { readonly do: 'calls'; readonly way: CallWay; readonly clients: number; readonly forMs: number }
  | { readonly do: 'stop' };

export type CallWay =
  | { readonly level: 'direct'; readonly endpoint: Endpoint; readonly concurrency: number }
  | { readonly level: 'subgraph'; readonly backend: string; readonly token: string };

export interface SystemStarted {
  readonly url: string;
  /** API token of an operator of the project `default`. */
  readonly token: string;
  readonly adminPassword: string;
  readonly databaseSocket: string;
  /** The lab's firewall, which is the backend `lab-firewall`. */
  readonly lab: Endpoint | undefined;
}

const callDeadlineMs = 30_000;
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const calls = new CallMaker(10);
const log = createLogger({ level: 'error', pretty: false });
const sessions = new Map<string, Transport>();
let system: AllInOne | undefined;

answerParent((order: SystemOrder): Promise<SystemStarted | LoopFigures | undefined> => {
  switch (order.do) {
    case 'start':
      return start(order.dataPath, order.withLab);
    case 'calls':
      return closedLoop(order, order.way.level === 'direct' ? directCall(order.way) : subgraphCall(order.way));
    case 'stop':
      return stop();
  }
});
// A profile is written at an orderly end.
process.once('SIGTERM', () => process.exit(0));

async function start(dataPath: string, withLab: boolean): Promise<SystemStarted> {
  const config = allInOneConfig({ flags: { 'listen.port': '0', 'log.level': 'error' } });
  const signal = new AbortController().signal;
  system = await startAllInOne({ config, dataPath, withLab, signal, stdout: nowhere });
  const [token, adminPassword] = await Promise.all(
    ['admin.token', 'admin.password'].map(async (name) => (await readFile(join(dataPath, name), 'utf8')).trim()),
  );
  return {
    url: system.process.url ?? '',
    token: token ?? '',
    adminPassword: adminPassword ?? '',
    databaseSocket: system.database.socketPath ?? '',
    lab: await labOf(system),
  };
}

async function labOf({ lab }: AllInOne): Promise<Endpoint | undefined> {
  if (lab === undefined) return undefined;
  const { host, port, hostKeySha256, username, privateKeyPath } = lab.firewall;
  const credentials = { username, privateKey: await readFile(privateKeyPath, 'utf8') };
  return { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials };
}

async function stop(): Promise<undefined> {
  for (const transport of sessions.values()) await transport.close();
  await system?.stop();
  return undefined;
}

/** What the relay sends, without the relay. */
function directCall({ endpoint, concurrency }: CallWay & { level: 'direct' }): () => Promise<void> {
  const add = linuxNftables.operations.get('setElement.add');
  if (add === undefined) throw new Error('the driver has no setElement.add');
  const place = JSON.stringify([endpoint, concurrency]);
  const transport = sessions.get(place) ?? createSshTransport(endpoint, { concurrency });
  sessions.set(place, transport);
  return async () => {
    const args = { family: 'inet', table: 'filter', set: 'blocked', address: calls.address() };
    const context = {
      operationId: newUuid(),
      backend: { transport: 'ssh', options: {}, softwareVersion: null },
    } as const;
    const sent = await transport.send(add.render(args, context), { deadlineMs: callDeadlineMs });
    if (!sent.ok) throw new Error(sent.failure.message);
    const { state } = add.interpret(sent.reply, args);
    if (state !== 'SUCCEEDED') throw new Error(`the call is ${state}: ${JSON.stringify(sent.reply)}`);
  };
}

/** The relay's resolvers, services, journal and sessions; without HTTP, admission and query plan. */
function subgraphCall({ backend, token }: CallWay & { level: 'subgraph' }): () => Promise<void> {
  const { relay, system: access } = running().process;
  if (relay === undefined || access === undefined) throw new Error('the roles system and relay were not started');
  const caller = access.authenticator.authenticate(token);
  const parsed = parse(document);
  return async () => {
    const context = { identity: (await caller) ?? null, requestId: newUuid(), loaders: new Map() };
    const variables = { input: calls.input(backend) };
    const { data, errors } = await executeOnSchema(relay.schema, { document: parsed, variables, context }, log);
    if (errors !== undefined) throw new Error(errors[0]?.message);
    checkSucceeded(data as unknown as CallData);
  };
}

function running(): AllInOne {
  if (system === undefined) throw new Error('the system was not started');
  return system;
}
