// The answer of a subgraph over HTTP: its result, or the meaning of its failure for the request and the process.
import type { FormattedExecutionResult } from 'graphql';
import { SilentError } from '../../platform/graph/pulse.ts';
import { isAway, isUnconnected } from '../../platform/net/origins.ts';

/** One answer for several callers. Each gets an object of its own, because the executor changes it. */
export class SubgraphAnswer {
  /** There is no data, and only errors that are the subgraph's own fault. Another process may be able to answer. */
  readonly saysUnavailable: boolean;
  readonly #text: string;
  #first: FormattedExecutionResult | undefined;

  /** Throws if it is not a result: an outside subgraph may answer anything. */
  constructor(text: string) {
    this.#text = text;
    this.#first = resultIn(text);
    this.saysUnavailable = saysUnavailable(this.#first);
  }

  take(): FormattedExecutionResult {
    const result = this.#first ?? (JSON.parse(this.#text) as FormattedExecutionResult);
    this.#first = undefined;
    return result;
  }
}

/** Errors of the caller have other codes, at every process. */
const ownFaults: ReadonlySet<unknown> = new Set(['UNAVAILABLE', 'INTERNAL', 'INTERNAL_SERVER_ERROR', undefined]);

function saysUnavailable({ data, errors = [] }: FormattedExecutionResult): boolean {
  if (errors.length === 0 || !Object.values(data ?? {}).every(isEmpty)) return false;
  return errors.every(({ extensions }) => ownFaults.has(extensions?.code));
}

/** The value of `_entities` when none could be read. */
function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.every((each) => each === null));
}

function resultIn(text: string): FormattedExecutionResult {
  const value: unknown = JSON.parse(text);
  const isObject = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each);
  const { data = null, errors = [] } = (
    isObject(value) ? value : { data: undefined, errors: value }
  ) as FormattedExecutionResult;
  const hasErrors = Array.isArray(errors) && errors.every((each) => isObject(each) && typeof each.message === 'string');
  if ((data === null || isObject(data)) && hasErrors && (data !== null || errors.length > 0))
    return value as FormattedExecutionResult;
  throw new Error(`the answer is not a GraphQL result: ${text.slice(0, 200)}`);
}

export class StatusError extends Error {
  readonly status: number;
  /** The subgraph states that it has not begun the request. A proxy does not know, and answers 503 for a lost connection as well. */
  readonly isNotExecuted: boolean;

  constructor(status: number, text: string) {
    super(`HTTP ${status}: ${text.slice(0, 200)}`);
    this.status = status;
    this.isNotExecuted = status === 503 && saysNotExecuted(text);
  }
}

function saysNotExecuted(text: string): boolean {
  try {
    return (JSON.parse(text) as { readonly executed?: unknown } | null)?.executed === false;
  } catch {
    return false;
  }
}

/** No process has begun the request, so it may be sent to another one, even if it is a mutation. */
export function isNotTaken(error: unknown): boolean {
  return isUnconnected(error) || (error instanceof StatusError && error.isNotExecuted);
}

/** The process can't answer now, but another one may. It may have accepted the request. */
export function isOfProcess(error: unknown): boolean {
  return error instanceof SilentError || (error instanceof StatusError && isAway(error.status));
}

/** The request is at fault, not the process. */
export function isOfRequest(error: unknown): boolean {
  return error instanceof StatusError && (error.status === 400 || error.status === 413);
}
