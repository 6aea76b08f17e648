// The command line's client for a cluster of object storage: users' calls under /-/ at one of its servers.

import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { z } from 'zod';
import { jsonIn } from '../platform/values/json.ts';
import { CommandFailure, exitCodes, Interruption } from './failures.ts';

interface ClusterClientOptions {
  /** The cluster's name, or the caller's word for it. */
  readonly name: string;
  /** URLs of its servers for users, tried in turn until one answers. */
  readonly urls: readonly string[];
  /** Absent for the login. */
  readonly token?: string;
  /** One of the token's projects. */
  readonly project?: string | undefined;
  readonly signal: AbortSignal;
}

interface ClusterCall {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called again for each server that is tried. */
  readonly body?: () => Readable | string;
}

interface ClusterAnswer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

const connectMs = 5_000;
/** Deadline without any progress. */
const silentMs = 120_000;
const mostAnswerBytes = 64 * 1024 * 1024;
const refusalShape = z.object({ code: z.string(), message: z.string() });

export class ClusterClient {
  readonly #options: ClusterClientOptions;
  readonly #pools: readonly Pool[];

  constructor(options: ClusterClientOptions) {
    this.#options = options;
    const bounds = { connections: 4, connect: { timeout: connectMs }, headersTimeout: silentMs, bodyTimeout: silentMs };
    this.#pools = options.urls.map((url) => new Pool(new URL(url).origin, bounds));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  /** An answer's JSON with this shape. Throws CommandFailure. */
  async json<Answer>(call: ClusterCall, shape: z.ZodType<Answer>): Promise<Answer> {
    const { body } = await this.stream(call);
    const read = shape.safeParse(jsonIn(await boundedText(body)));
    if (!read.success)
      throw new CommandFailure(
        `${this.#options.name} answered with something else: check the address`,
        exitCodes.unreachable,
      );
    return read.data;
  }

  /** Discards the response body. Throws CommandFailure. */
  async done(call: ClusterCall): Promise<void> {
    const { body } = await this.stream(call);
    await boundedText(body);
  }

  /** An answer that is read as it comes. Throws CommandFailure. */
  async stream({ method, path, headers, body }: ClusterCall): Promise<ClusterAnswer> {
    const { name, urls, token, project, signal } = this.#options;
    if (urls.length === 0)
      throw new CommandFailure(
        `nobody knows where ${name} serves users: give its URL with --cluster`,
        exitCodes.unreachable,
      );
    const faults: string[] = [];
    for (const [at, pool] of this.#pools.entries()) {
      try {
        const sent = body?.();
        const answer = await pool.request({
          ...{ method, path, signal, ...(sent === undefined ? {} : { body: sent }) },
          headers: {
            ...headers,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(project === undefined ? {} : { 'x-tidegate-project': encodeURI(project) }),
          },
        });
        if (answer.statusCode >= 300) throw this.#refusal(answer.statusCode, await boundedText(answer.body));
        return { headers: answer.headers, body: answer.body };
      } catch (error) {
        if (error instanceof CommandFailure) throw error;
        if (signal.aborted) throw new Interruption();
        const { code, message } = error as NodeJS.ErrnoException;
        faults.push(`${urls[at]}: ${code ?? message}`);
        // A request that may have arrived is not repeated, because it could take effect twice.
        if (!neverArrived.has(code ?? '')) break;
      }
    }
    throw new CommandFailure(
      `${name} can't be reached (${faults.join('; ')}): try another one with --cluster`,
      exitCodes.unreachable,
    );
  }

  #refusal(status: number, text: string): CommandFailure {
    const read = refusalShape.safeParse(jsonIn(text));
    if (!read.success)
      return new CommandFailure(
        `the answer (HTTP ${status}) does not come from a cluster of object storage: check the address`,
        exitCodes.unreachable,
      );
    const { code, message } = read.data;
    const hint = hints[code];
    return new CommandFailure(`${code}: ${message}${hint === undefined ? '' : `\n${hint}`}`);
  }
}

const neverArrived: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const hints: Readonly<Record<string, string>> = {
  BAD_TOKEN: 'Log in again: tidegate login --cluster NAME',
  ISOLATED: 'Use another cluster: --cluster NAME',
  NO_QUORUM: 'Nothing happened: try again, or another cluster with --cluster NAME',
};

async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > mostAnswerBytes) throw new CommandFailure(`the answer is larger than ${mostAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
