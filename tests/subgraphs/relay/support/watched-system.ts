// A running system that records all its output: its log at the most verbose level, answers, streams, command output,
// tables and Redis.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Client, createClient } from 'graphql-ws';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { createLogger, type Logger } from '../../../../platform/log/log.ts';
import { runCommand } from '../../../cli/commands/run-command.ts';
import { type RunningSystem, runningSystem } from '../../../support/product/running-system.ts';
import { dumpDatabase, type Exhibit } from './secret-hunt.ts';
import { inputTypeOf } from './typed-inputs.ts';

export interface Answer {
  readonly backend?: { readonly id: string } | null;
  readonly operation?: { readonly id: string; readonly state: string } | null;
  readonly mapping?: { readonly id: string } | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

const health = 'health { softwareVersion serial message } circuit { state reason } hostKeySha256';
const call = 'state result wireCall arguments deviceError { code message } evidence { note }';
const streams: Readonly<Record<string, string>> = {
  statusChanges: 'cursor change { kind subjectId from to reason requestId }',
  relayOperationChanges: `cursor operation { ${call} }`,
  backendChanges: `cursor backend { name operatingStatus ${health} options caCertificates }`,
};

export class WatchedSystem {
  readonly exhibits: Exhibit[] = [];
  readonly log: Logger;
  #system: RunningSystem | undefined;
  #sockets: Client | undefined;
  #keys = 0;

  private constructor() {
    const destination = new Writable({
      write: (chunk, _encoding, done) => {
        this.exhibits.push({ where: 'log', text: String(chunk) });
        done();
      },
    });
    this.log = createLogger({ level: 'trace', pretty: false, destination });
  }

  /** Starts all roles and checks backends twice a second. */
  static async start(): Promise<WatchedSystem> {
    const watched = new WatchedSystem();
    const settings = { roles: 'gateway,system,relay,worker', 'relay.checkIntervalMs': '500' };
    watched.#system = await runningSystem({ log: watched.log, settings });
    await watched.#follow();
    return watched;
  }

  get system(): RunningSystem {
    if (this.#system === undefined) throw new Error('not started');
    return this.#system;
  }

  async adminPassword(): Promise<string> {
    return (await readFile(join(this.system.folder, 'accounts', 'admin.password'), 'utf8')).trim();
  }

  freshKey(): string {
    this.#keys += 1;
    return `key-${this.#keys}`;
  }

  show(where: string, text: string): void {
    this.exhibits.push({ where, text });
  }

  /** Sends any body, and records the answer. `data` is undefined if the answer is not JSON. */
  async post(body: unknown, token = this.system.token): Promise<{ readonly data: unknown; readonly text: string }> {
    const response = await fetch(this.system.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    this.show('answer', text);
    this.show('headers of an answer', JSON.stringify([...response.headers]));
    try {
      return { ...(JSON.parse(text) as { data: unknown }), text };
    } catch {
      return { data: undefined, text };
    }
  }

  /** Throws on a top-level error. */
  async mutate(mutation: string, input: object, fields: string): Promise<Answer> {
    const root = `${mutation}(input: $input) { ${fields} userErrors { code message field } }`;
    const { data, text } = await this.post({
      query: `mutation ($input: ${inputTypeOf(mutation)}!) { root: ${root} }`,
      variables: { input },
    });
    const answer = (data as { root?: Answer } | null | undefined)?.root;
    if (answer === undefined) throw new Error(text);
    return answer;
  }

  /** The access token of a login, which is not recorded. */
  async login(name: string, password: string): Promise<string> {
    const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
    const response = await fetch(this.system.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input: { name, password } } }),
    });
    return ((await response.json()) as { data: { login: { accessToken: string } } }).data.login.accessToken;
  }

  /** Runs a command of the program; returns its exit code. */
  async command(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
    const { exitCode, stdout, stderr } = await runCommand(args, { env });
    this.show(`tidegate ${args.slice(0, 2).join(' ')}`, `${stdout}${stderr}`);
    return exitCode;
  }

  tables(): Promise<Exhibit[]> {
    return dumpDatabase(this.system.database.connection);
  }

  /** Every key, as stored. */
  async redis(): Promise<Exhibit[]> {
    const redis = new Redis({ path: this.system.database.redisPath });
    try {
      const found: Exhibit[] = [];
      for await (const names of redis.scanStream({ count: 1_000 }))
        for (const name of names as string[]) {
          const value = await redis.dumpBuffer(name);
          found.push({ where: `Redis ${name}`, text: `${name} ${value?.toString('latin1')}` });
        }
      return found;
    } finally {
      redis.disconnect();
    }
  }

  async stop(): Promise<void> {
    await this.#sockets?.dispose();
    await this.system.stop();
  }

  /** Every stream, from beginning to end. */
  async #follow(): Promise<void> {
    const sockets = createClient({
      ...{ url: this.system.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 },
      connectionParams: { authorization: `Bearer ${this.system.token}` },
    });
    this.#sockets = sockets;
    for (const [stream, fields] of Object.entries(streams))
      await new Promise<void>((resolve, reject) =>
        sockets.subscribe(
          { query: `subscription { ${stream} { ${fields} } }` },
          {
            next: (item) => {
              if (item.errors !== undefined) reject(new Error(JSON.stringify(item.errors)));
              this.show(`stream ${stream}`, JSON.stringify(item));
              resolve();
            },
            error: reject,
            complete: () => undefined,
          },
        ),
      );
  }
}
