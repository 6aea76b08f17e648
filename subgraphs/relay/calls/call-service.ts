// The path of a relayed call: check, choose the backend, journal, send, wait. What is refused here has had no effect and has
// not used its idempotency key.
import { audit } from '../../../platform/audit.ts';
import type { Commits } from '../../../platform/commits.ts';
import type { Database } from '../../../platform/database/database.ts';
import { CommitUncertainError } from '../../../platform/database/errors.ts';
import { CodedError, Refusal, refuse } from '../../../platform/errors.ts';
import {
  DuplicateKeyFound,
  hashRequest,
  type KeyScope,
  readKey,
  refuseInProgress,
} from '../../../platform/idempotency.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId, newUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { Logger } from '../../../platform/log.ts';
import { toUserErrors } from '../../../platform/mutation.ts';
import { projectsOf, requireRole } from '../access.ts';
import type { BackendRow } from '../backends/backend.ts';
import { passage } from '../backends/circuit.ts';
import { contextOf, driverOf } from '../backends/endpoint.ts';
import { selectBackend } from '../backends/selector.ts';
import { cmpReferenceOf, objectHash } from '../cmp-reference.ts';
import { validateArguments } from '../drivers/arguments.ts';
import type { Driver, RenderContext } from '../drivers/driver.ts';
import { transportOf } from '../drivers/options.ts';
import type { BackendManager } from '../holding/backend-manager.ts';
import type { CallEnd } from '../holding/completions.ts';
import { type DeviceReader, refuseUnusable } from '../holding/device-reader.ts';
import { ObjectClaimedError, readClaim, unsettledMessage } from '../journal/claim-store.ts';
import { type Journal, MustWaitError } from '../journal/journal.ts';
import { countPending, readOperation } from '../journal/operation-store.ts';
import type { VerdictRecorder } from '../journal/verdict-recorder.ts';
import { type AcceptedCall, type CallResult, desiredOf, wireText } from '../model/operation.ts';
import { isEnded, isUnsettled } from '../model/states.ts';
import type { RelaySettings } from '../settings.ts';
import { argumentFaults, type CallRequest, checkCallInput, notSupported } from './call-request.ts';
import type { EndWaiter } from './end-waiter.ts';
import { deviceCheck } from './read-service.ts';

export interface CallServiceOptions {
  readonly db: Database;
  readonly commits: Commits;
  readonly journal: Journal;
  readonly manager: BackendManager;
  readonly recorder: VerdictRecorder;
  readonly reader: DeviceReader;
  readonly waiter: EndWaiter;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly settings: RelaySettings;
  readonly log: Logger;
}

const defaultWaitMs = 30_000;
const nothing = { operation: null, wireCall: null, deviceCheck: null, userErrors: [], commit: null } as const;

/** What is known of a request when it is refused: enough to see whether its key was used before. */
interface Progress {
  projectId: string | null;
}

export class CallService {
  readonly #options: CallServiceOptions;
  /** PENDING rows being inserted, by backend: they count for the queue's limit. */
  readonly #entering = new Map<string, number>();
  #draining = false;

  constructor(options: CallServiceOptions) {
    this.#options = options;
  }

  /** From now on new calls are refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Refusals come back as `userErrors`. Throws CodedError OUTCOME_NOT_RECORDED, and bugs. */
  async call(context: RequestContext, request: CallRequest): Promise<CallResult> {
    const progress: Progress = { projectId: null };
    try {
      return await this.#call(context, request, progress);
    } catch (error) {
      if (error instanceof Refusal) return this.#refused(context, request, progress, error);
      const userErrors = toUserErrors(error);
      if (userErrors === undefined) throw error;
      return { ...nothing, userErrors };
    }
  }

  /** A request that was taken before gets its operation, whatever stands against a new one now. */
  async #refused(
    context: RequestContext,
    request: CallRequest,
    progress: Progress,
    refusal: Refusal,
  ): Promise<CallResult> {
    let final = refusal;
    try {
      const taken = await this.#taken(request, progress);
      if (taken !== undefined) return taken;
    } catch (error) {
      if (error instanceof CodedError) throw error;
      // The key was used with another input: that is what is wrong. A lost database changes nothing in the refusal.
      if (error instanceof Refusal) final = error;
    }
    await this.#auditRefusal(context, request, progress, final);
    return { ...nothing, userErrors: final.errors };
  }

  async #call(context: RequestContext, request: CallRequest, progress: Progress): Promise<CallResult> {
    const check = new InputCheck();
    checkCallInput(check, request);
    check.throwIfAny();
    // For the token of whatever this comes to: see Commits.token.
    await this.#options.commits.timeline();
    const visible = projectsOf(context.identity, request.input.projectId);
    if (visible !== 'all' && visible.length === 1) progress.projectId = visible[0] ?? null;
    return (await this.#callHeld(context, request, visible)) ?? this.#callFresh(context, request, progress);
  }

  /**
   * As #callFresh, without a read of the backend: it is one that this process holds. Undefined: nothing was done, and what
   * stood against it may come of a row that is out of date.
   */
  async #callHeld(
    context: RequestContext,
    request: CallRequest,
    projects: 'all' | readonly string[],
  ): Promise<CallResult | undefined> {
    if (request.selector === null || request.input.dryRun === true) return undefined;
    const backend = this.#options.manager.known(request.selector, projects);
    if (backend === undefined) return undefined;
    try {
      const call = await this.#prepare(context, request, backend, this.#selected(request), backend.version);
      await this.#refuseNow(call, backend);
      return await this.#dispatch(call, request, (waitMs) => this.#sendNow(call, backend, waitMs));
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  async #callFresh(context: RequestContext, request: CallRequest, progress: Progress): Promise<CallResult> {
    const { backend, ...known } = await this.#target(context, request);
    progress.projectId = backend.projectId;
    const call = await this.#prepare(context, request, backend, known, null);
    if (request.input.dryRun === true) return this.#dryRun(call, backend);
    await this.#refuseNow(call, backend);
    return this.#dispatch(
      call,
      request,
      async (waitMs) => (await this.#sendNow(call, backend, waitMs)) ?? this.#enqueue(call, backend, waitMs),
    );
  }

  /** What stands against any call now. */
  async #refuseNow(call: AcceptedCall, backend: BackendRow): Promise<void> {
    refuseUnusable(backend, call.wire, this.#options.settings);
    if (this.#draining) refuse('UNAVAILABLE', 'this relay is shutting down: send it again', { retryAfterMs: 500 });
    if (this.#options.recorder.full)
      refuse('UNAVAILABLE', 'too many outcomes wait for the database: no new calls are taken', { retryAfterMs: 5_000 });
    await this.#refuseUncertainReplay(call);
  }

  async #target(context: RequestContext, request: CallRequest) {
    const target = await request.target();
    if (target.by === 'mapping') return target;
    const known = this.#selected(request);
    const selection = { projectId: request.input.projectId, backend: target.selector, cmp: known.cmp };
    return { backend: await selectBackend(this.#options.db, context.identity, selection), ...known };
  }

  #selected({ input }: CallRequest) {
    return { cmp: cmpReferenceOf(input.cmpObject), object: null, shared: input.shared === true };
  }

  async #prepare(
    context: RequestContext,
    request: CallRequest,
    backend: BackendRow,
    known: Pick<AcceptedCall, 'cmp' | 'shared'> & { readonly object: AcceptedCall['object'] | null },
    backendVersion: number | null,
  ): Promise<AcceptedCall> {
    const { input } = request;
    requireRole(context.identity, backend.projectId, 'MEMBER', request.action);
    const driver = driverOf(this.#options.drivers, backend);
    const plan = request.plan(driver);
    const operation = driver.operations.get(plan.operation) ?? notSupported(driver, plan.operation);
    if (operation.effect === 'READ' || operation.object === undefined)
      refuse('NOT_SUPPORTED', `${operation.name} changes nothing: use relayRead`, { field: ['input', 'operation'] });
    const checked = validateArguments(operation, plan.arguments);
    if (!checked.ok) throw new Refusal(argumentFaults(plan, checked.faults));
    if (operation.category === 'INIT' && !backend.allowInit)
      refuse('INIT_NOT_ALLOWED', `${operation.name} sets a backend up, which ${backend.name} does not allow`, {
        field: ['input', 'operation'],
      });
    if (input.force === true) requireRole(context.identity, backend.projectId, 'OPERATOR', 'force');
    const key = input.idempotencyKey ?? null;
    if (operation.effect === 'NON_IDEMPOTENT' && key === null && input.dryRun !== true)
      refuse('KEY_REQUIRED', `${operation.name} is not idempotent: send an idempotencyKey`, {
        field: ['input', 'idempotencyKey'],
      });
    const id = newUuid();
    const object = known.object ?? operation.object(checked.args);
    const { epoch } = await this.#options.commits.timeline();
    return {
      id,
      projectId: backend.projectId,
      backendId: backend.id,
      name: operation.name,
      object,
      objectHash: objectHash(object),
      effect: operation.effect,
      mapping: operation.mapping ?? null,
      desired: desiredOf(operation, checked.args),
      cmp: known.cmp,
      shared: known.shared,
      forced: input.force === true,
      requestId: context.requestId,
      operation,
      args: checked.args,
      wire: operation.render(checked.args, { operationId: id, backend: contextOf(driver, backend) }),
      deadlineMs: Math.min(input.deadlineMs ?? backend.deadlineMs, backend.deadlineMs),
      backendVersion,
      key: key === null ? null : keyScope(request, backend.projectId, key),
      requestedBy: context.identity?.name ?? '',
      timeline: epoch,
      identity: context.identity,
      action: request.action,
      input,
    };
  }

  async #dryRun(call: AcceptedCall, backend: BackendRow): Promise<CallResult> {
    const { reader } = this.#options;
    const checked = await deviceCheck(reader, { ...call, backend, context: this.#contextOf(call, backend) });
    return { ...nothing, wireCall: wireText(call.wire), deviceCheck: checked };
  }

  #contextOf(call: AcceptedCall, backend: BackendRow): RenderContext {
    return { operationId: call.id, backend: contextOf(driverOf(this.#options.drivers, backend), backend) };
  }

  /** After a failover that lost writes it can't be told whether an unseen key was used before. */
  async #refuseUncertainReplay(call: AcceptedCall): Promise<void> {
    const { commits, db } = this.#options;
    if (call.operation.effect !== 'NON_IDEMPOTENT' || !(await commits.timeline()).lossy) return;
    if (call.key !== null && (await readKey(db, call.key)).kind !== 'free') return;
    refuse('REPLAY_UNCERTAIN', 'a failover lost writes: whether this call was made before is not known', {
      field: ['input', 'idempotencyKey'],
    });
  }

  /** As `way` does it; a key that was used before gives its operation. */
  async #dispatch<Result>(
    call: AcceptedCall,
    request: CallRequest,
    way: (waitMs: number) => Promise<Result>,
  ): Promise<Result | CallResult> {
    const waitMs = request.input.waitMs ?? defaultWaitMs;
    try {
      return await way(waitMs);
    } catch (error) {
      if (!(error instanceof DuplicateKeyFound) || call.key === null) throw error;
      return (await this.#ofKey(call.key, waitMs)) ?? refuseInProgress();
    }
  }

  /** Undefined: it can't be sent at once, and nothing was written. */
  async #sendNow(call: AcceptedCall, backend: BackendRow, waitMs: number): Promise<CallResult | undefined> {
    const { manager, journal, waiter, settings } = this.#options;
    const holder = await manager.hold(backend);
    const open = passage(backend, settings.circuitRetryMs) !== 'PASS';
    const ticket = open ? undefined : await holder?.ticket(call.objectHash, transportOf(call.wire));
    if (holder === undefined || ticket === undefined) return undefined;
    const windowFromMs = performance.now();
    const mark = { id: call.id, state: 'SENT', version: 1 } as const;
    let commitId: string;
    try {
      ({ commitId } = await journal.accept(call, { deadlineMs: call.deadlineMs, lease: ticket.lease }));
    } catch (error) {
      if (error instanceof CommitUncertainError) holder.uncertain(call, mark, ticket);
      else holder.giveBack(ticket);
      // Waits in the queue instead: for whoever holds the backend now, or for a dead process's call to be recovered.
      if (error instanceof MustWaitError) return undefined;
      if (error instanceof ObjectClaimedError && !isUnsettled(error.state)) return undefined;
      if (error instanceof ObjectClaimedError) refuse('UNSETTLED_PREDECESSOR', unsettledMessage(error));
      throw error;
    }
    const end = await waiter.atMost(waitMs, holder.launch({ ...call, subject: call, mark, windowFromMs }, ticket));
    return this.#result(call.id, end, commitId);
  }

  async #enqueue(call: AcceptedCall, backend: BackendRow, waitMs: number): Promise<CallResult> {
    const { db, journal, waiter, settings } = this.#options;
    const claim = await readClaim(db, call.backendId, call.objectHash);
    if (claim !== undefined && isUnsettled(claim.state) && !call.forced)
      refuse('UNSETTLED_PREDECESSOR', unsettledMessage(claim));
    const leave = await this.#enter(backend);
    const waiting = waiter.forEnd(call.id, waitMs);
    try {
      const { commitId } = await journal.accept(call, { deadlineMs: settings.queueTimeoutMs });
      leave();
      const result = await this.#result(call.id, await waiting.end, commitId);
      if (result.operation?.state === 'PENDING') this.#options.manager.get(backend.id)?.queue.promise(call.id);
      return result;
    } finally {
      leave();
      waiting.stop();
    }
  }

  /** A place in the queue, or BUSY. Rows on their way into the queue count as if they were in it. */
  async #enter(backend: BackendRow): Promise<() => void> {
    const place = (this.#entering.get(backend.id) ?? 0) + 1;
    this.#entering.set(backend.id, place);
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      const rest = (this.#entering.get(backend.id) ?? 1) - 1;
      if (rest > 0) this.#entering.set(backend.id, rest);
      else this.#entering.delete(backend.id);
    };
    try {
      const waiting = await countPending(this.#options.db, backend.id);
      if (waiting + place > backend.queueLimit)
        refuse('BUSY', `${waiting} calls wait for backend ${backend.name}, whose limit is ${backend.queueLimit}`, {
          field: ['input', 'backend'],
          retryAfterMs: 1_000,
        });
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** The operation of a key that was used before, as it now stands. */
  async #ofKey(key: KeyScope, waitMs: number): Promise<CallResult | undefined> {
    const { db, waiter } = this.#options;
    const found = await readKey(db, key);
    if (found.kind === 'conflict')
      refuse('KEY_CONFLICT', 'this idempotencyKey was used with another input: use a new key for a new request', {
        field: ['input', 'idempotencyKey'],
      });
    if (found.kind !== 'call') return undefined;
    const waiting = waiter.forEnd(found.callId, waitMs);
    try {
      const row = await readOperation(db, found.callId);
      const end = row !== undefined && isEnded(row.state) ? undefined : await waiting.end;
      return await this.#result(found.callId, end, null);
    } finally {
      waiting.stop();
    }
  }

  async #taken(request: CallRequest, progress: Progress): Promise<CallResult | undefined> {
    const key = request.input.idempotencyKey;
    if (key == null || progress.projectId === null || request.input.dryRun === true) return undefined;
    return this.#ofKey(keyScope(request, progress.projectId, key), request.input.waitMs ?? defaultWaitMs);
  }

  /** The operation as it stands. `commitId`: of the last write that this request itself made. */
  async #result(id: string, end: CallEnd | undefined, commitId: string | null): Promise<CallResult> {
    const { db, commits } = this.#options;
    if (end?.verdict !== undefined && end.recorded === undefined) {
      const { state, result, error } = end.verdict;
      throw new CodedError(
        'OUTCOME_NOT_RECORDED',
        `the outcome of the call is ${state}, and the journal could not be written yet: it is tried again`,
        {
          outcome: {
            operationId: encodeId('Operation', id),
            state,
            result: result ?? null,
            deviceError: error ?? null,
          },
        },
      );
    }
    const recorded = end?.recorded;
    const known = recorded?.kind === 'written' ? recorded.row : undefined;
    const operation = known ?? (await readOperation(db, id)) ?? null;
    if (recorded !== undefined && recorded.kind !== 'never-sent')
      return { ...nothing, operation, commit: { token: commits.token(recorded.commitId) } };
    const ended = operation !== null && isEnded(operation.state);
    // Written by another request or process: a mark of our own comes after it, so that its replication covers it.
    const mark = ended || commitId === null ? await db.transaction((tx) => commits.record(tx)) : commitId;
    return { ...nothing, operation, commit: { token: commits.token(mark) } };
  }

  async #auditRefusal(
    context: RequestContext,
    request: CallRequest,
    progress: Progress,
    error: Refusal,
  ): Promise<void> {
    const { db, log } = this.#options;
    await audit(db, {
      identity: context.identity,
      action: request.action,
      projectId: progress.projectId,
      outcome: 'REFUSED',
      code: error.errors[0]?.code ?? 'INVALID_INPUT',
      requestId: context.requestId,
      details: request.input,
    }).catch((cause: unknown) => log.error({ err: cause, mutation: request.action }, 'a refusal could not be audited'));
  }
}

function keyScope(request: CallRequest, projectId: string, key: string): KeyScope {
  return { scope: projectId, operation: request.action, key, requestHash: hashRequest(request.input) };
}
