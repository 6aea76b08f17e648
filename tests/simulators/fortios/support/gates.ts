// Simulated FortiGates for a test, stopped after it, and simple clients for them.

import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { afterEach } from '@jest/globals';
import ssh2, { type ClientChannel } from 'ssh2';
import { FortiGate, type FortiGateOptions } from '../../../../simulators/fortios/fortigate.ts';

const cleanups: (() => Promise<void> | void)[] = [];

/** Call this before the tests of a file. The devices that a test starts end after it. */
export function useGates(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
}

export async function startGate(options: FortiGateOptions = {}): Promise<FortiGate> {
  const gate = await FortiGate.start(options);
  cleanups.push(() => gate.stop());
  return gate;
}

interface RestReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON body, or empty. */
  // biome-ignore lint/suspicious/noExplicitAny: replies of every shape, looked into by tests only
  readonly body: any;
}

interface RestCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
}

export async function call(gate: FortiGate, path: string, { method = 'GET', headers = {}, json, form }: RestCall = {}) {
  const agent = new Agent({ ca: gate.https.certificate.cert });
  const body = json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json);
  const sent = request({ host: gate.host, port: gate.https.port, agent, path, method, headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  const isJson = String(response.headers['content-type']).includes('json');
  const reply: RestReply = {
    status: response.statusCode,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : {},
  };
  return reply;
}

/** A caller with the API token `token` of a gate. */
export function withToken(gate: FortiGate) {
  const headers = { authorization: 'Bearer token' };
  return (method: string, path: string, json?: unknown) =>
    call(gate, `/api/v2${path}`, { method, headers, ...(json === undefined ? {} : { json }) });
}

/** The cookies and the CSRF token of a login. */
export function sessionHeaders(reply: RestReply): { readonly cookie: string; readonly csrf: string } {
  const pairs = (reply.headers['set-cookie'] ?? []).map((line) => line.split(';')[0] ?? '');
  const csrf = pairs.find((pair) => /^ccsrf/.test(pair))?.split('=')[1] ?? '';
  return { cookie: pairs.join('; '), csrf: csrf.replaceAll('"', '') };
}

interface CliClient {
  /** Types a line and returns the output up to and including the next prompt. */
  type(line: string): Promise<string>;
  /** Types without Enter, and waits until the output ends with this. */
  press(keys: string, until: RegExp): Promise<string>;
  readonly channel: ClientChannel;
  readonly client: ssh2.Client;
}

const prompt = /(?:^|\n)[\w-]+ (?:\([^)]*\) )?# $/;

export async function cli(gate: FortiGate, { password = 'secret', rows = 200 } = {}): Promise<CliClient> {
  const client = new ssh2.Client();
  cleanups.push(() => void client.end());
  const ready = once(client, 'ready');
  client.on('error', () => {});
  client.connect({ host: gate.host, port: gate.ssh.port, username: 'admin', password });
  await ready;
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell({ rows, cols: 200 }, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const press = (keys: string, until: RegExp): Promise<string> => {
    let seen = '';
    return new Promise((resolve) => {
      const listen = (chunk: Buffer): void => {
        seen += chunk.toString('utf8');
        const text = seen.replaceAll('\r\n', '\n');
        if (!until.test(text)) return;
        channel.off('data', listen);
        resolve(text);
      };
      channel.on('data', listen);
      if (keys !== '') channel.write(keys);
    });
  };
  await press('', prompt);
  return { client, channel, press, type: (line) => press(`${line}\n`, prompt) };
}
