// The path of a relayed call, as a sequence of values: admitted, chosen, prepared, taken, answered. A refusal on the way has had
// no effect and has not used up the idempotency key.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { DuplicateKeyFound, findScope, refuseInProgress } from '../../../../platform/edge/idempotency.ts';
import { type Mutations, toUserErrors } from '../../../../platform/edge/mutation.ts';
import { CommitUncertainError, isUnavailable } from '../../../../platform/errors/database-errors.ts';
import { CodedError, Refusal } from '../../../../platform/errors/errors.ts';
import type { Driver } from '../../drivers/driver.ts';
import { projectsWithRole } from '../backends/selector.ts';
import type { BackendManager } from '../holding/backend-manager.ts';
import type { DeviceReader } from '../holding/device-reader.ts';
import { mappedObjectOf } from '../mappings/mapping.ts';
import { liveMappings } from '../mappings/mapping-store.ts';
import { objectHash } from '../model/backend-object.ts';
import { type CallResult, shownOf } from '../model/operation.ts';
import type { SecretArguments } from '../model/secret-arguments.ts';
import { type AdmittedCall, admit } from './admit.ts';
import { type CallAnswers, nothing } from './answer.ts';
import type { CallRequest } from './call-request.ts';
import { type ChosenCall, choose, chooseHeld } from './choose.ts';
import { keyScope, namedObject, neededRole, offered, type PreparedCall, prepare, waitMsOf } from './prepare.ts';
import { deviceCheck } from './read-service.ts';
import type { CallTaker, TakenCall } from './take.ts';

/**
 * The input of a refused call for the audit trail. Nobody has checked its arguments: a secret under a name that the driver does
 * not declare would be kept in clear. So only their names are kept.
 */
function withArgumentNames(input: CallRequest['input'] & { readonly arguments?: unknown }): unknown {
  const { arguments: args } = input;
  if (args === undefined || args === null) return input;
  return { ...input, arguments: typeof args === 'object' && !Array.isArray(args) ? Object.keys(args) : [] };
}

interface CallServiceOptions {
  readonly db: Database;
  /** For the audit of refusals. */
  readonly mutations: Pick<Mutations, 'auditRefusal'>;
  readonly manager: BackendManager;
  readonly reader: DeviceReader;
  readonly taker: CallTaker;
  readonly answers: CallAnswers;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly opener: SecretArguments;
}

export class CallService {
  readonly #options: CallServiceOptions;

  constructor(options: CallServiceOptions) {
    this.#options = options;
  }

  /** From now on new calls are refused. */
  drain(): void {
    this.#options.taker.drain();
  }

  /** Refusals come back as `userErrors`. Throws CodedError OUTCOME_NOT_RECORDED, and bugs. */
  async call(context: RequestContext, request: CallRequest): Promise<CallResult> {
    const { db, manager, taker, answers } = this.#options;
    // The project, as far as it is known, and the projects that it may be.
    let projectId: string | null = null;
    let projects: AdmittedCall['projects'] = [];
    try {
      const admitted = admit(context, request);
      ({ projectId, projects } = admitted);
      const sent = await this.#takeHeld(admitted);
      if (sent !== undefined) return await answers.of(sent);
      const chosen = await choose(db, admitted);
      ({ projectId } = chosen);
      const prepared = await this.#prepared(chosen);
      if (request.input.dryRun === true) return await this.#dryRun(prepared);
      const result = await answers.of(await taker.take(prepared));
      if (result.operation?.state === 'PENDING') manager.get(prepared.backendId)?.queue.promise(prepared.id);
      return result;
    } catch (error) {
      return await this.#otherwise(context, request, { projectId, projects }, error);
    }
  }

  /** The short path, for a backend that this process holds. Undefined if nothing was done, perhaps because its row is outdated. */
  async #takeHeld(admitted: AdmittedCall): Promise<TakenCall | undefined> {
    const { manager, taker } = this.#options;
    const chosen = chooseHeld(manager, admitted);
    if (chosen === undefined) return undefined;
    try {
      return await taker.takeNow(await this.#prepared(chosen));
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  /** A call that changes a mapped object recognises it by what the mapping says. */
  async #prepared(chosen: ChosenCall): Promise<PreparedCall> {
    const { db, drivers, opener } = this.#options;
    const call = offered(chosen, drivers);
    const { recognised } = call.operation;
    const object = recognised && chosen.mapping === null ? namedObject(call) : undefined;
    if (object === undefined) return prepare(chosen, call, opener);
    const mappings = await liveMappings(db, chosen.backend.id, objectHash(object));
    const mapping = mappings.find(({ operationId }) => operationId !== null) ?? mappings[0];
    return prepare(chosen, call, opener, mapping && recognised?.(mappedObjectOf(mapping)));
  }

  async #dryRun(call: PreparedCall): Promise<CallResult> {
    const check = await deviceCheck(this.#options.reader, call);
    return { ...nothing, wireCall: shownOf(call).wireCall, deviceCheck: check };
  }

  /** The answer for a call that was not taken now. A call that was taken before with this key gives its operation. */
  async #otherwise(
    context: RequestContext,
    request: CallRequest,
    { projectId, projects }: Pick<AdmittedCall, 'projectId' | 'projects'>,
    cause: unknown,
  ): Promise<CallResult> {
    const { mutations } = this.#options;
    const refused = cause instanceof Refusal;
    let error = cause;
    if (refused || cause instanceof DuplicateKeyFound) {
      try {
        const before = await this.#takenBefore(context, request, projectId === null ? projects : [projectId]);
        if (before !== undefined) return before;
        if (!refused) refuseInProgress();
      } catch (later) {
        if (later instanceof CodedError) throw later;
        // The key was used with another input: that is the fault to report. A lost database does not change a refusal, and does
        // not undo the call that was made with this key.
        if (later instanceof Refusal) error = later;
        else if (!refused) error = isUnavailable(later) ? new CommitUncertainError(later) : later;
      }
    }
    const userErrors = toUserErrors(error);
    if (userErrors === undefined) throw error;
    if (error instanceof Refusal) {
      const { identity, requestId, callerRequestId } = context;
      const { action } = request;
      const details = withArgumentNames(request.input);
      const record = { identity, action, projectId, requestId, callerRequestId, details };
      await mutations.auditRefusal(record, userErrors);
    }
    return { ...nothing, userErrors };
  }

  /** Also undefined if the caller may not make the call, because the key must not reveal a result that the caller has no right to. */
  async #takenBefore(
    { identity }: RequestContext,
    request: CallRequest,
    projects: AdmittedCall['projects'],
  ): Promise<CallResult | undefined> {
    const { db, answers, opener } = this.#options;
    if (keyScope(request, '', opener) === null || request.input.dryRun === true) return undefined;
    const allowed = await projectsWithRole(db, identity, projects, neededRole(request).role);
    const key = keyScope(request, allowed[0] ?? '', opener);
    if (key === null || allowed.length === 0) return undefined;
    if (allowed.length === 1) return answers.ofKey(key, waitMsOf(request));
    const scope = await findScope(db, key, allowed);
    return scope === undefined ? undefined : answers.ofKey({ ...key, scope }, waitMsOf(request));
  }
}
