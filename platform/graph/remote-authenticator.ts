// The client side of the authentication port over HTTP: a gateway without a database asks the system subgraph's process.
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { z } from 'zod';
import type { Authenticator, CheckLogin } from '../caller/access.ts';
import { currentCaller } from '../caller/caller.ts';
import type { Identity } from '../caller/identity.ts';
import { CodedError } from '../errors/errors.ts';
import type { MutualTls } from '../machines/tls.ts';
import { isAway, Origins } from '../net/origins.ts';
import type { SigningKeys } from '../secrets/key-pairs.ts';
import { jsonIn } from '../values/json.ts';
import { authenticatePath, busyShape, checkLoginPath, loginAnswerShape, recheckPath } from './authenticator-routes.ts';
import { connectorOf } from './connector.ts';
import { Pulse } from './pulse.ts';
import { identityHeader, identityShape, signIdentity } from './signed-identity.ts';

const connectTimeoutMs = 1500;
/** More than the gateway's concurrent checks of unknown credentials. */
const connections = 64;
const answerShape = z.object({ identity: identityShape.nullable() });

interface Place {
  readonly pool: Pool;
  readonly pulse: Pulse;
}

interface RemoteAuthenticatorOptions {
  /** Origins of processes, for example https://system.internal:4101: one is asked until it fails, then the next. */
  readonly urls: readonly [string, ...string[]];
  /** Name of the subgraph served there. */
  readonly subgraph: string;
  readonly signingKeys: SigningKeys;
  readonly tls?: MutualTls;
  readonly deadlineMs?: number;
}

export class RemoteAuthenticator implements Authenticator {
  readonly #places: Origins<Place>;
  readonly #all: readonly Place[];
  readonly #subgraph: string;
  readonly #signingKeys: SigningKeys;
  readonly #deadlineMs: number;

  constructor(options: RemoteAuthenticatorOptions) {
    const connect = connectorOf(options.tls, options.subgraph, connectTimeoutMs);
    const placeAt = (url: string) => ({
      pool: new Pool(url, { connections, connect }),
      pulse: new Pulse(url, connect),
    });
    const [first, ...others] = options.urls;
    const places: [Place, ...Place[]] = [placeAt(first), ...others.map(placeAt)];
    this.#places = new Origins(places);
    this.#all = places;
    this.#subgraph = options.subgraph;
    this.#signingKeys = options.signingKeys;
    this.#deadlineMs = options.deadlineMs ?? 5000;
  }

  authenticate(bearer: string, signal?: AbortSignal): Promise<Identity | undefined> {
    return this.#identity(authenticatePath, { bearer, caller: currentCaller() }, signal);
  }

  recheck(identity: Identity, signal?: AbortSignal): Promise<Identity | undefined> {
    return this.#identity(recheckPath, { identity }, signal);
  }

  readonly checkLogin: CheckLogin = (credentials, origin, signal) =>
    this.#ask(checkLoginPath, { credentials, origin }, loginAnswerShape, signal);

  async close(): Promise<void> {
    await Promise.all(this.#all.flatMap(({ pool, pulse }) => [pool.destroy(), pulse.close()]));
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
    // A question changes nothing, so it is safe to ask another process even if the first one may have received it.
    for (let tried = 0; tried < this.#places.count && !until.aborted; tried += 1) {
      const place = this.#places.current;
      const answer = await this.#postAt(place, path, question, until).catch((error: unknown) => {
        fault = error;
      });
      const read = answer?.status === 200 ? shape.safeParse(jsonIn(answer.text)) : undefined;
      if (read?.success === true) return read.data;
      if (answer !== undefined) {
        fault = `HTTP ${answer.status}`;
        const refused = answer.status === 503 ? busyShape.safeParse(jsonIn(answer.text)) : undefined;
        // It has waited for the database, as the others would.
        if (refused?.success === true)
          throw new CodedError('BUSY', refused.data.error, { retryAfterMs: refused.data.retryAfterMs });
        if (answer.status !== 200 && !isAway(answer.status)) break;
      }
      if (signal?.aborted !== true) this.#places.leave(place);
    }
    throw new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again.", {}, fault);
  }

  /** One that answers nothing is given up before the deadline, if there is another. */
  #postAt(place: Place, path: string, question: unknown, until: AbortSignal) {
    const post = (signal: AbortSignal) => this.#post(place.pool, path, question, signal);
    return this.#places.count === 1 ? post(until) : place.pulse.during({ misses: 1, signal: until }, post);
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
