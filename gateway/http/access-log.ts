// The access log: one line for each request of the public endpoint. It has neither variables nor texts of operations, and no query
// strings, which may contain both.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { RequestTimes } from '../supergraph/request-times.ts';
import type { Admission, EndpointResponse } from './endpoint-request.ts';
import { targetOf } from './request-target.ts';

interface Entry {
  readonly times: RequestTimes;
  answer: Pick<EndpointResponse, 'kind' | 'admission'> | undefined;
}

const longestText = 200;

export class AccessLog {
  readonly #log: Logger;
  readonly #entries = new WeakMap<ServerResponse, Entry>();

  /** Its lines are written at every `log.level`. */
  constructor(log: Logger) {
    this.#log = log.child({}, { level: 'info' });
  }

  begin(response: ServerResponse): void {
    this.#entries.set(response, { times: new RequestTimes(), answer: undefined });
  }

  timesOf(response: ServerResponse): RequestTimes | undefined {
    return this.#entries.get(response)?.times;
  }

  answered(response: ServerResponse, answer: EndpointResponse): void {
    const entry = this.#entries.get(response);
    if (entry !== undefined) entry.answer = answer;
  }

  /** The answer was handed to the connection, or the client has left. */
  end(request: IncomingMessage, response: ServerResponse, requestId: string): void {
    const entry = this.#entries.get(response);
    if (entry === undefined) return;
    this.#entries.delete(response);
    const { times, answer } = entry;
    const isExecuted = answer?.admission?.admitted !== undefined && answer.kind !== 'subscription';
    if (isExecuted) times.done('serialise');
    const line = {
      ...{ requestId, method: request.method, path: targetOf(request.url).path.slice(0, longestText) },
      status: response.headersSent ? response.statusCode : null,
      ...callerIn(answer?.admission),
      ...operationIn(answer),
      ...{ ms: times.totalMs, parts: times.parts },
      bytes: Number(response.getHeader('content-length') ?? 0),
    };
    this.#log.info(line, 'request');
  }
}

/** Ids only. Empty without a login. */
function callerIn(admission: Admission | undefined): object {
  const identity = admission?.request.identity;
  return identity == null ? {} : { caller: identity.kind, callerId: identity.id };
}

/** Empty for a request without a valid operation. */
function operationIn(answer: Entry['answer']): object {
  const admitted = answer?.admission?.admitted;
  if (admitted === undefined) return {};
  const { operation, hash } = admitted;
  return { kind: answer?.kind, operation: operation.name?.value.slice(0, longestText) ?? null, hash };
}
