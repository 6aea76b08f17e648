// `POST /-/login`: a user sends a name and a password, or an API token, and gets a token of this cluster, which every cluster accepts.
import { z } from 'zod';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { jsonIn } from '../../../../../platform/values/json.ts';
import type { KnownCluster } from '../../../engine/federation/federation-map.ts';
import { type LoginRefusal, loginAnswer, loginPath, mostLoginBytes } from '../../../wire/login-wire.ts';
import { NoServiceError, type ServiceClient } from '../service-client.ts';
import { ApiError } from './errors.ts';

interface LoginCallOptions {
  readonly controllers: Pick<ServiceClient, 'ask'>;
  readonly clusters: () => readonly KnownCluster[];
}

/** Concurrent logins of a server: each waits for the control plane. */
const mostLogins = 32;
const short = z.string().min(1).max(255);
const bodyShape = z.union([
  z.strictObject({ username: short, password: z.string().min(1).max(1_024), project: short.optional() }),
  z.strictObject({ token: z.string().min(1).max(4_096), project: short.optional() }),
]);

export { mostLoginBytes };

export class LoginCall {
  readonly #options: LoginCallOptions;
  #active = 0;

  constructor(options: LoginCallOptions) {
    this.#options = options;
  }

  /** `body`: as it was sent. Nothing of it is ever shown. Throws ApiError. */
  async answer(body: Buffer, address: string): Promise<object> {
    const sent = bodyShape.safeParse(jsonIn(body.toString('utf8')));
    if (!sent.success)
      throw new ApiError(
        400,
        'INVALID_REQUEST',
        'Send {"username", "password"} or {"token"} as JSON, optionally with "project".',
      );
    if (this.#active >= mostLogins)
      throw new ApiError(503, 'SLOW_DOWN', 'Too many logins at once: try again.', { 'retry-after': '1' });
    this.#active += 1;
    try {
      return await this.#logIn(sent.data, address);
    } finally {
      this.#active -= 1;
    }
  }

  async #logIn(sent: z.output<typeof bodyShape>, address: string): Promise<object> {
    const { controllers, clusters } = this.#options;
    const credentials = 'token' in sent ? { token: sent.token } : { name: sent.username, password: sent.password };
    const answer = await controllers
      .ask({ method: 'POST', path: loginPath, question: { credentials, address, project: sent.project } }, loginAnswer)
      .catch((error: unknown) => {
        if (!(error instanceof NoServiceError)) throw error;
        throw refusalOf({
          code: 'UNAVAILABLE',
          message: `this cluster cannot ask the control plane: ${error.message}. Tokens and access keys still work.`,
        });
      });
    if ('refused' in answer) throw refusalOf(answer.refused);
    const { token, expiresAt, user, grants } = answer;
    return {
      ...{ token, expiresAt, user },
      projects: grants.map(({ account, projectId, project, canWrite }) => ({
        ...{ name: project, id: encodeId('Project', projectId), account, canWrite },
      })),
      // The other clusters that accept the token.
      clusters: clusters().map(({ name, s3Urls }) => ({ name, urls: s3Urls })),
    };
  }
}

function refusalOf({ code, message, retryAfterMs = 5_000 }: LoginRefusal): ApiError {
  const retry = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  switch (code) {
    case 'BAD_CREDENTIALS':
      return new ApiError(401, code, message);
    case 'RATE_LIMITED':
      return new ApiError(429, code, message, retry);
    case 'NO_PROJECT':
      return new ApiError(403, code, message);
    case 'DRAINED':
    case 'UNAVAILABLE':
      return new ApiError(503, code, message, retry);
  }
}
