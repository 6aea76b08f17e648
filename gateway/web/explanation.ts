// POST /graphql/explain: the gateway's plan for an operation, and each limit with the operation's figure. Executes nothing.
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { presentError } from '../../platform/graph/execution.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import { InvalidGraphqlDocument } from '../access/invalid-document.ts';
import { callerIdentity } from '../http/caller-identity.ts';
import type { EndpointRequest } from '../http/endpoint-request.ts';
import type { GraphVersion } from '../versions/graph-version.ts';
import type { GraphVersions } from '../versions/graph-versions.ts';

export interface ExplainingParts {
  readonly versions: Pick<GraphVersions, 'use'>;
  readonly credentials: CredentialCache;
  readonly log: Logger;
}

type ExplanationRequest = Pick<EndpointRequest, 'headers' | 'requestId' | 'onIdentified' | 'body' | 'clientAddress'>;

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

async function explain({ versions, credentials }: ExplainingParts, request: ExplanationRequest) {
  const identity = await callerIdentity(credentials, request, 'Log in to see plans');
  return versions.use((version) => explainOn(version, identity, request));
}

async function explainOn(
  { operations, executor }: Pick<GraphVersion, 'operations' | 'executor'>,
  identity: Identity,
  request: ExplanationRequest,
) {
  const asked = question.safeParse(request.body);
  if (!asked.success)
    throw new CodedError(
      'INVALID_INPUT',
      'Send {"query": "…", "variables": {…}, "operationName": "…"} and nothing else.',
    );
  const { query, variables, operationName } = asked.data;
  const given = { query, variables: variables ?? {}, operationName: operationName ?? undefined };
  const examined = await operations.examine(given, identity, request.clientAddress);
  const { document, operation, key, hash, isPublished, limits, refusal } = examined;
  const context = { identity, requestId: request.requestId, loaders: new Map() };
  const whole = { key, document, operationName: given.operationName, variables: given.variables, context };
  return {
    operation: { kind: operation.operation, name: operation.name?.value ?? null, hash, isPublished },
    limits,
    refusal: refusal === undefined ? null : { message: refusal.message, ...refusal.extensions },
    plan: refusal === undefined ? await executor.explain(whole) : null,
  };
}
