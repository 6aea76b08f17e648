// One attempt of a firewall mutation through the gateway, and its answer under the retry contract (docs/errors.md).

import { firewallName } from '../../measure/lab-firewall.ts';
import { decodeUuid } from '../../platform/values/ids.ts';

/** One intended change of a CMP, with one idempotency key for all its requests. */
export interface CallRequest {
  /** It is also the external id of its CMP object. */
  readonly key: string;
  readonly kind: 'rule' | 'element';
  /** It determines the rule's name or the element's address. */
  readonly number: number;
}

export type Reply =
  | { readonly kind: 'ended'; readonly state: 'SUCCEEDED' | 'FAILED' | 'UNKNOWN'; readonly operationId: string }
  /** Send the same key again. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly why: string }
  /** An answer that the contract does not allow here. */
  | { readonly kind: 'unexpected'; readonly what: string };

interface CallAnswer {
  readonly operation: {
    readonly id: string;
    readonly state: string;
    readonly deviceError: { readonly code: string; readonly message: string } | null;
  } | null;
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly retry: string;
    readonly retryAfterMs: number | null;
  }[];
}

interface GraphAnswer {
  readonly data?: { readonly call: CallAnswer | null } | null;
  readonly errors?:
    | undefined
    | readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

const fields = 'operation { id state deviceError { code message } } userErrors { code message retry retryAfterMs }';
const documents = {
  rule: `mutation ($input: FirewallRuleCreateInput!) { call: firewallRuleCreate(input: $input) { ${fields} } }`,
  element: `mutation ($input: FirewallAddressSetElementAddInput!) { call: firewallAddressSetElementAdd(input: $input) { ${fields} } }`,
};

/** Short, so that a client soon notices a silent call and repeats it. */
const waitMs = 1_000;
const usualDeadlineMs = 20_000;
/** The `why` of a request without an answer at the client's deadline. */
export const noAnswer = 'no answer';
const pauseMs = 100;
const lostParts = new Set([
  'UNAVAILABLE',
  'DISK_FULL',
  'SUBGRAPH_UNAVAILABLE',
  'OUTCOME_UNCERTAIN',
  'OUTCOME_NOT_RECORDED',
  'OUTCOME_NOT_READ',
]);

export class GatewayClient {
  readonly #url: string;
  readonly #token: string;
  readonly #deadlineMs: number;

  constructor(options: { readonly url: string; readonly token: string; readonly deadlineMs?: number }) {
    this.#url = options.url;
    this.#token = options.token;
    this.#deadlineMs = options.deadlineMs ?? usualDeadlineMs;
  }

  async send(request: CallRequest, signal: AbortSignal): Promise<Reply> {
    const answer = await this.#post(documents[request.kind], { input: inputOf(request) }, signal);
    return 'kind' in answer ? answer : read(answer);
  }

  /** Undefined if it was answered without errors. */
  async query(query: string, signal: AbortSignal): Promise<Reply | undefined> {
    const answer = await this.#post(query, {}, signal);
    if ('kind' in answer) return answer;
    return answer.errors === undefined ? undefined : readFailure(answer);
  }

  async #post(query: string, variables: object, signal: AbortSignal): Promise<GraphAnswer | Reply> {
    try {
      const response = await fetch(`${this.#url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#deadlineMs)]),
      });
      return (await response.json()) as GraphAnswer;
    } catch (error) {
      // In tests, errors are of other classes than those of the platform's `fetch`.
      const { name, message, cause } = error as Error & { readonly cause?: { readonly code?: string } };
      if (name === 'SyntaxError') return { kind: 'unexpected', what: `not an answer in JSON: ${message}` };
      const why = name === 'TimeoutError' ? noAnswer : `network: ${cause?.code ?? message}`;
      return { kind: 'again', afterMs: pauseMs, why };
    }
  }
}

function inputOf({ key, kind, number }: CallRequest): object {
  const common = { idempotencyKey: key, backend: { name: firewallName }, waitMs };
  const cmpObject = { namespace: 'trials', type: 'call', externalId: key };
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  if (kind === 'element') return { ...common, cmpObject, set: 'blocked', address };
  return { ...common, cmpObject, name: key, source: { address }, action: 'DROP' };
}

/** The contract: lost parts, refusals marked for retry, and calls that were never sent are repeated with the same key. */
export function read({ data, errors }: GraphAnswer): Reply {
  const call = data?.call;
  if (call == null) return readFailure({ errors });
  const [refusal] = call.userErrors;
  if (refusal !== undefined) {
    if (!refusal.retry.startsWith('SAME_KEY'))
      return { kind: 'unexpected', what: `${refusal.code}: ${refusal.message}` };
    return { kind: 'again', afterMs: refusal.retryAfterMs ?? pauseMs, why: refusal.code };
  }
  const { operation } = call;
  const operationId = decodeUuid('RelayOperation', operation?.id ?? '');
  if (operation === null || operationId === undefined)
    return { kind: 'unexpected', what: 'neither operation nor error' };
  switch (operation.state) {
    case 'SUCCEEDED':
    case 'UNKNOWN':
      return { kind: 'ended', state: operation.state, operationId };
    case 'FAILED':
      if (operation.deviceError?.code === 'NOT_SENT') return { kind: 'again', afterMs: pauseMs, why: 'NOT_SENT' };
      return { kind: 'ended', state: 'FAILED', operationId };
    default:
      return { kind: 'again', afterMs: pauseMs, why: operation.state };
  }
}

function readFailure({ errors }: Pick<GraphAnswer, 'errors'>): Reply {
  const code = errors?.[0]?.extensions?.code ?? 'none';
  if (lostParts.has(code)) return { kind: 'again', afterMs: pauseMs, why: code };
  return { kind: 'unexpected', what: `${code}: ${errors?.[0]?.message}` };
}
