// The server of `tidegate check-client`: for each row an endpoint like the product's, and two addresses at which the client program gets its tasks
// and reports results (docs/check-client.md).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FailureRow } from '../../clients/failure-table/row.ts';
import { requireOneHost } from '../../platform/net/one-host.ts';
import { CheckRun, type RowVerdict } from './check-run.ts';
import type { Report } from './judge.ts';
import { bearerOf, bodyOf, type Played } from './messages.ts';
import { playRequest } from './play-request.ts';
import { PlayedGraph } from './played-graph.ts';
import { serveRowSockets } from './row-sockets.ts';

interface CheckServer {
  /** Origin of the server, without a path. */
  readonly origin: string;
  /** Resolves with the verdicts when all rows were tried, or when the client asks for no more. */
  readonly ended: Promise<readonly RowVerdict[]>;
  close(): Promise<void>;
}

interface CheckServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly rows: readonly FailureRow[];
  readonly onVerdict: (verdict: RowVerdict) => void;
}

/** Rejects if the port is not available. */
export async function startCheckServer({ host, port, rows, onVerdict }: CheckServerOptions): Promise<CheckServer> {
  const graph = await PlayedGraph.read();
  const run = new CheckRun({ graph, rows, onVerdict });
  const elsewhere = createServer((request, response) => {
    run.cameElsewhere(bearerOf(request) !== undefined);
    response.writeHead(404).end();
  });
  const server = createServer();
  for (const each of [server, elsewhere]) requireOneHost(each);
  await Promise.all([listen(server, host, port), listen(elsewhere, host, 0)]);
  const origin = originOf(server, host);
  const playedAt = (path: string): Played | undefined => {
    const row = /^\/rows\/([a-z0-9-]+)\/graphql$/.exec(path)?.[1];
    const world = row === undefined ? undefined : run.worldOf(row);
    return world && { graph, world, elsewhere: `${originOf(elsewhere, host)}/graphql` };
  };
  const sockets = serveRowSockets(server, ({ url }) => playedAt(urlOf(origin, url).pathname));
  server.on('request', (request, response) => {
    respond({ run, origin, playedAt, rows }, request, response).catch((error: unknown) => {
      if (!response.headersSent) send(response, 400, { error: (error as Error).message });
      else response.destroy();
    });
  });
  return {
    origin,
    ended: run.ended,
    async close() {
      run.stop();
      sockets.close();
      await Promise.all([shut(server), shut(elsewhere)]);
    },
  };
}

interface Responding {
  readonly run: CheckRun;
  readonly origin: string;
  readonly playedAt: (path: string) => Played | undefined;
  readonly rows: readonly FailureRow[];
}

async function respond(
  { run, origin, playedAt, rows }: Responding,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = urlOf(origin, request.url);
  const played = playedAt(url.pathname);
  if (played !== undefined) return playRequest(played, url, request, response);
  const asked = `${request.method} ${url.pathname}`;
  if (asked === 'GET /') return send(response, 200, { rows: rows.length, verdicts: run.verdicts });
  if (asked === 'GET /next') return send(response, 200, run.next(origin) ?? { done: true });
  if (asked !== 'POST /report')
    return send(response, 404, {
      error: `There is no ${asked}: GET /next returns the task, and POST /report accepts its result.`,
    });
  const { task, ...report } = (await bodyOf(request)) as Report & { readonly task?: unknown };
  const faults = run.report(task, readReport(report));
  if (faults === undefined) return send(response, 409, { error: 'That is not the present task: GET /next has it.' });
  send(response, 200, { faults });
}

/** Throws if the body is not a report. */
function readReport({ outcome, saw, gaveUp, ...more }: Report & Readonly<Record<string, unknown>>): Report {
  const [unknown] = Object.keys(more);
  if (unknown !== undefined)
    throw new Error(`A report has no ${JSON.stringify(unknown)}: it has task, outcome, saw, gaveUp.`);
  if (outcome !== undefined && typeof outcome !== 'string') throw new Error('"outcome" is a text.');
  if (gaveUp != null && typeof gaveUp !== 'string') throw new Error('"gaveUp" is a code or null.');
  if (saw !== undefined && !(Array.isArray(saw) && saw.every((each) => typeof each === 'string')))
    throw new Error('"saw" is a list of texts.');
  return {
    ...(outcome === undefined ? {} : { outcome }),
    ...(saw === undefined ? {} : { saw }),
    gaveUp: gaveUp ?? null,
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
}

function urlOf(origin: string, path = '/'): URL {
  return new URL(path.startsWith('/') ? `${origin}${path}` : origin);
}

function originOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Gives the last message time to arrive.
    server.close(() => resolve());
    setImmediate(() => server.closeAllConnections());
  });
}
