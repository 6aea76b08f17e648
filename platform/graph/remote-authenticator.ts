// The client side of the authentication port over HTTP: a gateway without a database asks the system subgraph's process.
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { z } from 'zod';
import type { Authenticator, CheckLogin } from '../access.ts';
import { CodedError } from '../errors.ts';
import type { Identity } from '../identity.ts';
import type { SigningKeys } from '../secrets/key-pairs.ts';
import { authenticatePath, checkLoginPath, loginAnswerShape, recheckPath } from './authenticator-routes.ts';
import { Origins } from './origins.ts';
import { identityHeader, identityShape, signIdentity } from './signed-identity.ts';
import { connectorOf, type MutualTls } from './tls.ts';

const connectTimeoutMs = 3000;
const answerShape = z.object({ identity: identityShape.nullable() });

export interface RemoteAuthenticatorOptions {
  /** Origins of processes, for example https://system.internal:4101: one is asked until it fails, then the next. */
  readonly urls: readonly [string, ...string[]];
  /** Name of the subgraph served there. */
  readonly subgraph: string;
  readonly signingKeys: SigningKeys;
  readonly tls?: MutualTls;
  readonly deadlineMs?: number;
}

export class RemoteAuthenticator implements Authenticator {
  readonly #pools: Origins<Pool>;
  readonly #all: readonly Pool[];
  readonly #subgraph: string;
  readonly #signingKeys: SigningKeys;
  readonly #deadlineMs: number;

  constructor(options: RemoteAuthenticatorOptions) {
    const connect = connectorOf(options.tls, options.subgraph, connectTimeoutMs);
    const poolAt = (url: string) => new Pool(url, { connections: 8, connect });
    const [first, ...others] = options.urls;
    const pools: [Pool, ...Pool[]] = [poolAt(first), ...others.map(poolAt)];
    this.#pools = new Origins(pools);
    this.#all = pools;
    this.#subgraph = options.subgraph;
    this.#signingKeys = options.signingKeys;
    this.#deadlineMs = options.deadlineMs ?? 5000;
  }

  authenticate(bearer: string, signal?: AbortSignal): Promise<Identity | undefined> {
    return this.#identity(authenticatePath, { bearer }, signal);
  }

  recheck(identity: Identity, signal?: AbortSignal): Promise<Identity | undefined> {
    return this.#identity(recheckPath, { identity }, signal);
  }

  readonly checkLogin: CheckLogin = (credentials, origin, signal) =>
    this.#ask(checkLoginPath, { credentials, origin }, loginAnswerShape, signal);

  async close(): Promise<void> {
    await Promise.all(this.#all.map((pool) => pool.destroy()));
  }

  async #identity(path: string, question: unknown, signal: AbortSignal | undefined): Promise<Identity | undefined> {
    return (await this.#ask(path, question, answerShape, signal)).identity ?? undefined;
  }

  async #ask<Answer>(
    path: string,
    question: unknown,
    shape: z.ZodType<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    const until = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    let fault: unknown;
    // A question changes nothing: another process is asked if the first one may have heard it, too.
    for (let tried = 0; tried < this.#pools.count && !until.aborted; tried += 1) {
      const pool = this.#pools.current;
      const answer = await this.#post(pool, path, question, until).catch((error: unknown) => {
        fault = error;
        if (signal?.aborted !== true) this.#pools.leave(pool);
      });
      if (answer === undefined) continue;
      const read = answer.status === 200 ? shape.safeParse(JSON.parse(answer.text)) : undefined;
      if (read?.success === true) return read.data;
      fault = `HTTP ${answer.status}`;
      break;
    }
    throw new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again.", {}, fault);
  }

  async #post(
    pool: Pool,
    path: string,
    question: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const claims = { identity: null, requestId: randomUUID() };
    const body = JSON.stringify(question);
    const response = await pool.request({
      path,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [identityHeader]: signIdentity(this.#signingKeys, claims, { audience: this.#subgraph, body }),
      },
      ...{ body, signal },
    });
    return { status: response.statusCode, text: await response.body.text() };
  }
}
