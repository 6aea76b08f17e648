// How a subgraph reads data of other subgraphs from the graph: as a viewer of one project, by queries only (record 70). In a
// process with a gateway it asks that gateway. Elsewhere it asks gateways at their endpoint for subgraphs.
import { Pool } from 'undici';
import { z } from 'zod';
import type { CheckLogin } from '../caller/access.ts';
import { CodedError } from '../errors/errors.ts';
import type { MutualTls } from '../machines/tls.ts';
import type { Keyring } from '../secrets/keyring.ts';
import { loginAnswerShape } from './authenticator-routes.ts';
import { connectorOf } from './connector.ts';
import { Pulse } from './pulse.ts';
import { makeServiceToken } from './service-identity.ts';

interface GraphQuestion {
  /** UUID. Objects outside this project don't exist for the question. */
  readonly projectId: string;
  /** A query. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** Returns the answer's data. Throws if there is no data or if it is incomplete. */
export type AskGraph = (question: GraphQuestion) => Promise<Readonly<Record<string, unknown>>>;

export const questionPath = '/internal/question';
/** Where subgraphs have a login checked (platform/caller/access.ts). */
export const loginQuestionPath = '/internal/login';
/** A login belongs to no project. */
const noProject = '00000000-0000-0000-0000-000000000000';

const answerShape = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

/** The answer in the form in which a gateway gives it. */
export function dataOf(answer: unknown): Readonly<Record<string, unknown>> {
  const read = answerShape.safeParse(answer);
  const [error] = read.data?.errors ?? [];
  if (error !== undefined) throw new Error(`the graph does not answer: ${error.message.slice(0, 500)}`);
  if (read.data?.data == null) throw new Error('the graph does not answer: there is no data');
  return read.data.data;
}

interface RemoteGraphOptions {
  /** The subgraph that asks. */
  readonly subgraph: string;
  /** Origins of gateways, tried in turn. */
  readonly urls: readonly string[];
  readonly keyring: Keyring;
  readonly tls?: MutualTls;
}

const connectTimeoutMs = 3_000;
const deadlineMs = 10_000;
const mostAnswerBytes = 8 * 1024 * 1024;

/** Asks gateways in other processes. */
export class RemoteGraph {
  readonly #options: RemoteGraphOptions;
  readonly #places: readonly Place[];
  /** The one that answered last. */
  #at = 0;

  constructor(options: RemoteGraphOptions) {
    this.#options = options;
    const connect = connectorOf(options.tls, 'gateway', connectTimeoutMs);
    this.#places = options.urls
      .map((url) => new URL(url).origin)
      .map((origin) => ({ pool: new Pool(origin, { connections: 4, connect }), pulse: new Pulse(origin, connect) }));
  }

  readonly ask: AskGraph = async ({ projectId, query, variables, signal }) =>
    dataOf(await this.#ask({ path: questionPath, projectId, body: { query, variables } }, signal));

  readonly checkLogin: CheckLogin = async (credentials, origin, signal) => {
    const body = { credentials, origin };
    return loginAnswerShape.parse(await this.#ask({ path: loginQuestionPath, projectId: noProject, body }, signal));
  };

  async #ask(asked: Asked, signal: AbortSignal | undefined): Promise<unknown> {
    let fault: unknown;
    for (let tried = 0; tried < this.#places.length; tried += 1) {
      signal?.throwIfAborted();
      const place = this.#places[this.#at];
      try {
        if (place !== undefined) return await this.#askOne(place, asked, signal);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        fault = error;
        this.#at = (this.#at + 1) % this.#places.length;
      }
    }
    throw new CodedError('UNAVAILABLE', 'No gateway answers this subgraph.', {}, fault);
  }

  async close(): Promise<void> {
    await Promise.all(this.#places.flatMap(({ pool, pulse }) => [pool.destroy(), pulse.close()]));
  }

  async #askOne(
    { pool, pulse }: Place,
    { path, projectId, body: asked }: Asked,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const { keyring, subgraph } = this.#options;
    const deadline = AbortSignal.timeout(deadlineMs);
    const until = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const post = async (within: AbortSignal) => {
      const { statusCode, body } = await pool.request({
        ...{ path, method: 'POST', body: JSON.stringify(asked) },
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${makeServiceToken(keyring, { subgraph, projectId })}`,
        },
        signal: within,
      });
      return { statusCode, text: await boundedText(body) };
    };
    try {
      const others = this.#places.length > 1;
      const { statusCode, text } = await (others ? pulse.during({ misses: 1, signal: until }, post) : post(until));
      if (statusCode !== 200) throw new Error(`status ${statusCode}: ${text.slice(0, 200)}`);
      return JSON.parse(text);
    } catch (error) {
      throw new Unreachable('a gateway does not answer this subgraph', { cause: error });
    }
  }
}

interface Place {
  readonly pool: Pool;
  readonly pulse: Pulse;
}

interface Asked {
  readonly path: string;
  readonly projectId: string;
  readonly body: unknown;
}

class Unreachable extends Error {}

async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > mostAnswerBytes) throw new Error(`an answer of more than ${mostAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
