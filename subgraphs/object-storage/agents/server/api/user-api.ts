// Users' API beside S3: METHOD /-/CALL/CONTAINER/OBJECT with a token of any cluster, answered in JSON. It uses the same namespace, and
// shares the S3 server's connections, pace and limits.
import type { Caller } from '../../../engine/namespace/namespace.ts';
import { refuseUnknown } from '../../../engine/s3/accepted.ts';
import { projectHeader } from '../../../engine/s3/access-ports.ts';
import { readShortBody } from '../../../engine/s3/body.ts';
import { type Call, type Exchange, header, sendJson } from '../../../engine/s3/call.ts';
import { refuseNearest } from '../../../engine/s3/nearest.ts';
import { type S3Address, s3AddressOf } from '../../../engine/s3/s3-address.ts';
import type { Api, ApiExchange } from '../../../engine/s3/server.ts';
import { type Payload, payloadOf } from '../../../engine/s3/sigv4/payload.ts';
import { unsignedPayload } from '../../../rules/sigv4/canonical.ts';
import type { TokenAccess } from '../token-access.ts';
import type { ApiContext } from './api-context.ts';
import { type ApiOperation, operations } from './calls.ts';
import { ApiError, apiErrorOf } from './errors.ts';
import { type LoginCall, mostLoginBytes } from './login-call.ts';

interface UserApiOptions extends ApiContext {
  readonly tokens: Pick<TokenAccess, 'verify'>;
  readonly login: Pick<LoginCall, 'answer'>;
}

const mostTokenLength = 8_192;

export class UserApi implements Api {
  readonly #options: UserApiOptions;

  constructor(options: UserApiOptions) {
    this.#options = options;
  }

  async answer(exchange: ApiExchange): Promise<void> {
    const { request, context } = exchange;
    const [path = '', name = ''] = /^\/-\/([a-z_]{1,32})(?=[/?]|$)/.exec(request.url ?? '') ?? [];
    if (name === 'login') return this.#login(exchange);
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined)
      throw new ApiError(404, 'NO_SUCH_CALL', `The calls are login, ${Object.keys(operations).join(', ')}.`);
    mustBe(exchange, operation.method);
    const s3Address = s3AddressOf(afterCall(request.url ?? '', path));
    const caller = await this.#caller(exchange, s3Address.query.get('project'));
    exchange.admit(caller);
    checkNames(name, operation, s3Address);
    const call: Call = { ...exchange, context, caller, s3Address, payload: payloadIn(exchange) };
    if (operation.takesNearest !== true) refuseNearest(call);
    const { query = [], headers = [] } = operation.accepted ?? {};
    refuseUnknown(call, { query: [...query, 'project'], headers });
    await operation.answer(call, this.#options);
  }

  isFault(error: unknown): boolean {
    return apiErrorOf(error) === undefined;
  }

  async refuse(exchange: Exchange, error: unknown): Promise<void> {
    const { requestId } = exchange;
    const { status, code, message, headers } =
      apiErrorOf(error) ??
      new ApiError(500, 'INTERNAL_ERROR', `Internal error. The log has the details under request ${requestId}.`);
    await sendJson(exchange, status, { code, message, requestId }, headers);
  }

  async #login(exchange: ApiExchange): Promise<void> {
    mustBe(exchange, 'POST');
    // A connection without an authenticated caller gets no second request.
    exchange.response.setHeader('connection', 'close');
    const body = await readShortBody(exchange, mostLoginBytes);
    if (body === undefined)
      throw new ApiError(413, 'TOO_LARGE', `The body of a login has at most ${mostLoginBytes} bytes.`);
    const answer = await this.#options.login.answer(body, exchange.request.socket.remoteAddress ?? '');
    exchange.response.removeHeader('connection');
    exchange.identified();
    await sendJson(exchange, 200, answer, { 'cache-control': 'no-store' });
  }

  async #caller(exchange: ApiExchange, named: string | undefined): Promise<Caller> {
    const [, token = ''] = /^bearer +(\S+)$/i.exec(header(exchange, 'authorization') ?? '') ?? [];
    const given = header(exchange, projectHeader);
    if (given !== undefined && named !== undefined && given !== named)
      throw new ApiError(
        400,
        'INVALID_REQUEST',
        `The header ${projectHeader} and the parameter project name two projects: send one of them.`,
      );
    const project = given ?? named;
    try {
      const caller =
        token === '' || token.length > mostTokenLength ? undefined : await this.#options.tokens.verify(token, project);
      if (caller !== undefined) return caller;
    } catch (error) {
      exchange.response.setHeader('connection', 'close');
      throw error;
    }
    exchange.response.setHeader('connection', 'close');
    throw new ApiError(
      401,
      'BAD_TOKEN',
      token === ''
        ? 'Send the token of a login as Authorization: Bearer TOKEN.'
        : 'The token is not valid here, or has expired: log in again.',
    );
  }
}

/** As S3 takes it: a digest of the body is checked, and chunks are decoded. Throws S3Error. */
function payloadIn(exchange: Exchange): Payload {
  return payloadOf(header(exchange, 'x-amz-content-sha256') ?? unsignedPayload, undefined);
}

function mustBe({ request }: Exchange, method: string): void {
  if (request.method !== method)
    throw new ApiError(405, 'METHOD_NOT_ALLOWED', `Send this call by ${method}.`, { allow: method });
}

/** After the call, the path has S3's form: a container, an object, a query. */
function afterCall(url: string, path: string): string {
  const rest = url.slice(path.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function checkNames(name: string, { names }: ApiOperation, { bucket, key, query }: S3Address): void {
  const given = bucket === '' ? 'NOTHING' : key === '' ? 'CONTAINER' : 'OBJECT';
  if (given === names || (names === 'OBJECT OR ID' && given === (query.has('id') ? 'NOTHING' : 'OBJECT'))) return;
  const path = {
    ...{ NOTHING: '', CONTAINER: '/CONTAINER', OBJECT: '/CONTAINER/OBJECT' },
    'OBJECT OR ID': '/CONTAINER/OBJECT, or empty with ?id=',
  }[names];
  throw new ApiError(400, 'INVALID_REQUEST', `The path of this call is /-/${name}${path}.`);
}
