// A gateway over the two test subgraphs, in this process or over HTTP, with real clients.
import { type Client, createClient } from 'graphql-ws';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { createGateway, type Gateway, type GatewayOptions } from '../../../gateway/gateway.ts';
import type { SubgraphLocation } from '../../../gateway/supergraph/subgraph-location.ts';
import type { GraphSource } from '../../../gateway/versions/graph-version.ts';
import type { Authenticator } from '../../../platform/caller/access.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { type ServedSubgraph, serveSubgraph } from '../../../platform/graph/serve-subgraph.ts';
import type { Subgraph } from '../../../platform/graph/subgraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { type PublishedWorld, publishedSdl } from './published-subgraph.ts';
import { alphaSdl, betaSdl, makeSubgraphs, World } from './subgraphs.ts';

export type Mode = 'in-process' | 'HTTP';
export const modes: readonly Mode[] = ['in-process', 'HTTP'];

export function testIdentity(name: string, projects: Identity['projects'] = { p1: 'MEMBER' }): Identity {
  return { kind: 'user', id: `id-${name}`, name, admin: false, projects, credentialId: `credential-${name}` };
}

export class FakeAuthenticator implements Authenticator {
  readonly identities = new Map<string, Identity>();
  /** If true, calls fail. If it is an error, calls fail with it. */
  away: boolean | Error = false;
  calls = 0;

  async authenticate(bearer: string): Promise<Identity | undefined> {
    this.calls += 1;
    this.#mustBeHere();
    return this.identities.get(bearer);
  }

  async recheck(identity: Identity): Promise<Identity | undefined> {
    this.#mustBeHere();
    return [...this.identities.values()].find(({ credentialId }) => credentialId === identity.credentialId);
  }

  #mustBeHere(): void {
    if (this.away !== false) throw this.away === true ? new Error('away') : this.away;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  readonly body: any;
}

const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
const supergraphSdls = new Map<string, string>();

/** Each supergraph is composed once. */
function supergraphOf(sdls: ReadonlyMap<string, string>): string {
  const names = [...sdls.keys()].join();
  const sdl = supergraphSdls.get(names) ?? composeSupergraph(sdls);
  supergraphSdls.set(names, sdl);
  return sdl;
}

export class TestGateway {
  readonly world = new World();
  readonly authenticator = new FakeAuthenticator();
  readonly keys = testPair('gateway');
  readonly mode: Mode;
  readonly published: PublishedWorld | undefined;
  /** Deadlines of queries, by the subgraph's name. */
  readonly deadlinesMs = new Map<string, number>();
  gateway!: Gateway;
  registry = new Registry();
  #served = new Map<string, ServedSubgraph>();
  #locations: readonly SubgraphLocation[] = [];
  #clients: Client[] = [];
  /** The sockets opened by each client. */
  readonly sockets = new Map<Client, readonly WebSocket[]>();

  /** `published`: the graph also has the subgraph with published operations. */
  constructor(mode: Mode, published?: PublishedWorld) {
    this.mode = mode;
    this.published = published;
    this.authenticator.identities.set('token-ann', testIdentity('ann'));
    this.authenticator.identities.set('token-bob', testIdentity('bob'));
    this.authenticator.identities.set('token-eve', testIdentity('eve', { p2: 'VIEWER' }));
  }

  /** The graph with changed or added SDL, for a reload. */
  graph(changes: Readonly<Record<string, string>> = {}, added: readonly SubgraphLocation[] = []): GraphSource {
    const sdls = new Map([
      ['alpha', alphaSdl],
      ['beta', betaSdl],
      ...(this.published === undefined ? [] : ([['published', publishedSdl]] as const)),
      ...Object.entries(changes),
    ]);
    return { supergraphSdl: composeSupergraph(sdls), subgraphs: [...this.#locations, ...added] };
  }

  /** Serves a subgraph in addition to the others, until the end. */
  async serve(subgraph: Subgraph): Promise<ServedSubgraph> {
    const { publicKeys } = this.keys;
    const served = await serveSubgraph({ subgraph, host: '127.0.0.1', port: 0, publicKeys, log });
    this.#served.set(subgraph.name, served);
    return served;
  }

  async start(options: Partial<GatewayOptions> = {}): Promise<this> {
    const sdls = new Map([
      ['alpha', alphaSdl],
      ['beta', betaSdl],
    ]);
    const subgraphs = Object.values(makeSubgraphs(this.world));
    if (this.published !== undefined) {
      sdls.set('published', publishedSdl);
      subgraphs.push(this.published.subgraph());
    }
    if (this.mode === 'HTTP') for (const subgraph of subgraphs) await this.serve(subgraph);
    this.#locations = subgraphs.map((subgraph) => {
      const served = this.#served.get(subgraph.name);
      const queryDeadlineMs = this.deadlinesMs.get(subgraph.name) ?? 60_000;
      return served === undefined
        ? { subgraph, queryDeadlineMs }
        : { name: subgraph.name, urls: [served.url], queryDeadlineMs };
    });
    this.gateway = await createGateway({
      supergraphSdl: supergraphOf(sdls),
      subgraphs: this.#locations,
      authenticator: this.authenticator,
      signingKeys: this.keys.signingKeys,
      log,
      registry: this.registry,
      program: { version: '1.2.3', commit: 'c0ffee' },
      filteredFeeds: ['kindChanges'],
      staticFolder: '/nonexistent',
      host: '127.0.0.1',
      port: 0,
      ...options,
      limits: { publicFields: ['Mutation.login'], ...options.limits },
    });
    return this;
  }

  served(name: string): ServedSubgraph {
    const served = this.#served.get(name);
    if (served === undefined) throw new Error(`${name} is not served`);
    return served;
  }

  /** Kills the subgraph that owns the stream. */
  async killAlpha(): Promise<void> {
    if (this.mode === 'in-process') return this.world.log.down();
    await this.served('alpha').stop();
  }

  async restartAlpha(): Promise<void> {
    if (this.mode === 'in-process') return this.world.log.up();
    const { port } = this.served('alpha');
    const { alpha } = makeSubgraphs(this.world);
    this.#served.set(
      'alpha',
      await serveSubgraph({ subgraph: alpha, host: '127.0.0.1', port, publicKeys: this.keys.publicKeys, log }),
    );
  }

  async post(
    body: unknown,
    token: string | undefined = 'token-ann',
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await request(`${this.gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.body.text();
    let parsed: unknown = text;
    try {
      parsed = JSON.parse(text);
    } catch {}
    return { status: response.statusCode, headers: response.headers, body: parsed };
  }

  async get(
    search: Record<string, string>,
    token = 'token-ann',
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await request(`${this.gateway.url}/graphql?${new URLSearchParams(search)}`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    return { status: response.statusCode, headers: response.headers, body: await response.body.json() };
  }

  query(query: string, variables?: Record<string, unknown>, token?: string): Promise<Answer> {
    return this.post({ query, ...(variables === undefined ? {} : { variables }) }, token);
  }

  client(token = 'token-ann', options: Partial<Parameters<typeof createClient>[0]> = {}): Client {
    const opened: WebSocket[] = [];
    const client = createClient({
      url: `${this.gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocol: string) {
          super(url, protocol);
          this.on('error', () => {});
          opened.push(this);
        }
      },
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
      ...options,
    });
    this.#clients.push(client);
    this.sockets.set(client, opened);
    return client;
  }

  async metric(name: string): Promise<number> {
    const values = (await this.registry.getSingleMetric(name)?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  /** Closes every socket that a test left open. */
  async endClients(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map(async (client) => client.dispose()));
    await until(async () => (await this.metric('tidegate_gateway_sockets')) === 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map(async (client) => client.dispose()));
    // Undefined if it failed to start.
    await (this.gateway as Gateway | undefined)?.stop();
    for (const served of this.#served.values()) await served.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Collects the items of a subscription. */
export class Collector {
  // biome-ignore lint/suspicious/noExplicitAny: items are looked into freely
  readonly items: any[] = [];
  error: unknown;
  done = false;
  cancel: () => void;

  constructor(
    client: Client,
    query: string,
    variables?: Record<string, unknown>,
    extensions?: Record<string, unknown>,
  ) {
    this.cancel = client.subscribe(
      { query, ...(variables === undefined ? {} : { variables }), ...(extensions === undefined ? {} : { extensions }) },
      {
        next: (result) => this.items.push(result),
        error: (error) => {
          this.error = error;
          this.done = true;
        },
        complete: () => {
          this.done = true;
        },
      },
    );
  }

  /** Ids of the things received so far, without checkpoints. */
  get ids(): string[] {
    return this.items.flatMap(({ data }) => {
      const item = Object.values(data ?? {})[0] as { thing?: { id: string } | null } | undefined;
      return item?.thing == null ? [] : [item.thing.id];
    });
  }
}
