// POST /graphql/explain: what the gateway would do with an operation, and each limit beside what the operation has of it. Executes nothing.
import type { Logger } from 'pino';
import { z } from 'zod';
import { CodedError } from '../../platform/edge/errors.ts';
import type { Identity } from '../../platform/edge/identity.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { bearerOf } from '../access/bearer.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import { InvalidGraphqlDocument, type Operations } from '../access/operations.ts';
import type { Executor } from '../supergraph/executor.ts';
import type { EndpointRequest } from './graphql-endpoint.ts';

export interface ExplainingParts {
  readonly operations: Operations;
  readonly executor: Executor;
  readonly credentials: CredentialCache;
  readonly log: Logger;
}

type ExplanationRequest = Pick<EndpointRequest, 'headers' | 'requestId' | 'onIdentified' | 'body'>;

const question = z.strictObject({
  query: z.string().min(1),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  BUSY: 503,
};

/** The HTTP status and the JSON of the answer, in GraphQL's shape: `data` or `errors`. */
export async function explanationOf(parts: ExplainingParts, request: ExplanationRequest) {
  try {
    return { status: 200, answer: { data: await explain(parts, request) } };
  } catch (error) {
    if (error instanceof InvalidGraphqlDocument) return { status: 400, answer: { errors: error.faults } };
    const shown = presentError(error, request.requestId, parts.log);
    return { status: statuses[String(shown.extensions?.code)] ?? 400, answer: { errors: [shown] } };
  }
}

async function explain({ operations, executor, credentials }: ExplainingParts, request: ExplanationRequest) {
  const identity = await identityOf(credentials, request);
  const asked = question.safeParse(request.body);
  if (!asked.success)
    throw new CodedError(
      'INVALID_INPUT',
      'Send {"query": "…", "variables": {…}, "operationName": "…"} and nothing else.',
    );
  const { query, variables, operationName } = asked.data;
  const given = { query, variables: variables ?? {}, operationName: operationName ?? undefined };
  const { document, operation, key, hash, isPublished, limits, refusal } = operations.examine(given, identity);
  const context = { identity, requestId: request.requestId, loaders: new Map() };
  const whole = { key, document, operationName: given.operationName, variables: given.variables, context };
  return {
    operation: { kind: operation.operation, name: operation.name?.value ?? null, hash, isPublished },
    limits,
    refusal: refusal === undefined ? null : { message: refusal.message, ...refusal.extensions },
    plan: refusal === undefined ? await executor.explain(whole) : null,
  };
}

async function identityOf(credentials: CredentialCache, request: ExplanationRequest): Promise<Identity> {
  const bearer = bearerOf(request.headers.get('authorization'));
  let identity: Identity | undefined;
  try {
    identity = bearer === undefined ? undefined : await credentials.identify(bearer);
  } catch (cause) {
    throw new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again.", {}, cause);
  }
  if (identity === undefined)
    throw new CodedError(
      'UNAUTHENTICATED',
      'Plans are shown to those who are logged in: send the header "Authorization: Bearer …".',
    );
  request.onIdentified?.();
  return identity;
}
