// The client side of the authentication port over HTTP: a gateway without a database asks the system subgraph's process.
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { z } from 'zod';
import type { Authenticator, CheckLogin } from '../access.ts';
import { CodedError } from '../errors.ts';
import type { Identity } from '../identity.ts';
import type { SigningKeys } from '../secrets/key-pairs.ts';
import { authenticatePath, checkLoginPath, loginAnswerShape, recheckPath } from './authenticator-routes.ts';
import { identityHeader, identityShape, signIdentity } from './signed-identity.ts';
import { connectorOf, type MutualTls } from './tls.ts';

const connectTimeoutMs = 3000;
const answerShape = z.object({ identity: identityShape.nullable() });

export interface RemoteAuthenticatorOptions {
  /** Origin of the process, for example https://system.internal:4101. */
  readonly url: string;
  /** Name of the subgraph served there. */
  readonly subgraph: string;
  readonly signingKeys: SigningKeys;
  readonly tls?: MutualTls;
  readonly deadlineMs?: number;
}

export class RemoteAuthenticator implements Authenticator {
  readonly #pool: Pool;
  readonly #subgraph: string;
  readonly #signingKeys: SigningKeys;
  readonly #deadlineMs: number;

  constructor(options: RemoteAuthenticatorOptions) {
    this.#pool = new Pool(options.url, {
      connections: 8,
      connect: connectorOf(options.tls, options.subgraph, connectTimeoutMs),
    });
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
    await this.#pool.destroy();
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
    const claims = { identity: null, requestId: randomUUID() };
    const body = JSON.stringify(question);
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    let text: string;
    let status: number;
    try {
      const response = await this.#pool.request({
        path,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [identityHeader]: signIdentity(this.#signingKeys, claims, { audience: this.#subgraph, body }),
        },
        body,
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      status = response.statusCode;
      text = await response.body.text();
    } catch (error) {
      throw new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again.", {}, error);
    }
    const answer = status === 200 ? shape.safeParse(JSON.parse(text)) : undefined;
    if (answer?.success !== true)
      throw new CodedError(
        'UNAVAILABLE',
        "The credential can't be checked at the moment; try again.",
        {},
        `HTTP ${status}`,
      );
    return answer.data;
  }
}
