// Address for queries of subgraphs in other processes. It is separate from the public endpoint, and accepts only subgraphs' short-lived identity
// (platform/graph/service-identity.ts). Users' credentials are not valid here, and subgraphs' identities are not valid elsewhere.
import { z } from 'zod';
import type { Authenticator, CheckLogin } from '../../platform/caller/access.ts';
import { loginQuestionPath, questionPath } from '../../platform/graph/ask-graph.ts';
import { loginQuestionShape } from '../../platform/graph/authenticator-routes.ts';
import { HttpError, parseJson, readBody } from '../../platform/graph/http-body.ts';
import { InternalServer, sendJson } from '../../platform/graph/internal-server.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { MutualTls } from '../../platform/machines/tls.ts';
import { bearerOf } from '../access/bearer.ts';
import type { Questions } from '../versions/questions.ts';

interface QuestionServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls?: MutualTls;
  /** Names of the subgraphs: the roles of the machines that may connect. */
  readonly subgraphs: readonly string[];
  readonly authenticator: Authenticator;
  readonly questions: Questions;
  /** If absent, no logins are checked here. */
  readonly checkLogin?: CheckLogin | undefined;
  readonly log: Logger;
}

const mostBodyBytes = 256 * 1024;
const deadlineMs = 10_000;

const questionShape = z.object({ query: z.string(), variables: z.record(z.string(), z.unknown()).nullish() });

export function questionServer(options: QuestionServerOptions): InternalServer {
  const { authenticator, questions, subgraphs, checkLogin } = options;
  return new InternalServer({
    ...options,
    name: 'the gateway',
    roles: subgraphs,
    async answer(request, response) {
      const isLogin = request.url === loginQuestionPath && checkLogin !== undefined;
      if (request.method !== 'POST' || (request.url !== questionPath && !isLogin))
        throw new HttpError(404, 'No such path.');
      const bearer = bearerOf(request.headers.authorization);
      const deadline = AbortSignal.timeout(deadlineMs);
      const identity = bearer === undefined ? undefined : await authenticator.authenticate(bearer, deadline);
      if (identity?.kind !== 'service') throw new HttpError(401, 'Only a subgraph may ask here.');
      const sent = parseJson(await readBody(request, mostBodyBytes));
      if (isLogin) {
        const login = loginQuestionShape.safeParse(sent);
        if (!login.success) throw new HttpError(400, z.prettifyError(login.error));
        return sendJson(response, 200, await checkLogin(login.data.credentials, login.data.origin, deadline));
      }
      const body = questionShape.safeParse(sent);
      if (!body.success) throw new HttpError(400, z.prettifyError(body.error));
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, deadline]);
      const { query, variables } = body.data;
      sendJson(response, 200, await questions.ask({ identity, query, variables: variables ?? {}, signal }));
    },
  });
}
