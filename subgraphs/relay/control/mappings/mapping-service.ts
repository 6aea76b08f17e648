// Mutations of mappings other than calls: adopts an existing object, shares it, verifies that it is still in its desired state,
// and forgets it. None of these changes the backend.
import type {
  MappingAdoptInput,
  MappingForgetInput,
  MappingShareInput,
  MappingUnshareInput,
  MappingVerifyInput,
} from '../../../../generated/graph/relay.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { isNothingChanged, together } from '../../../../platform/database/statement-batch.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { mutationsOf } from '../../../../platform/edge/mutations-of.ts';
import { isDuplicateKey } from '../../../../platform/errors/database-errors.ts';
import { Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { projectsOf, requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale } from '../../../../platform/input/refusals.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { Driver, JsonObject } from '../../drivers/driver.ts';
import type { OperationState } from '../../rules/states.ts';
import type { BackendRow } from '../backends/backend.ts';
import { readBackend } from '../backends/backend-store.ts';
import type { Devices } from '../backends/devices.ts';
import { driverOf } from '../backends/endpoint.ts';
import { checkSelector, projectsWithRole, selectBackend } from '../backends/selector.ts';
import { type RelayEvent, relayEvents } from '../events.ts';
import { objectHash } from '../model/backend-object.ts';
import { type CmpReference, checkCmpReference, cmpReferenceOf } from '../model/cmp-reference.ts';
import { readableOf, type SecretArguments } from '../model/secret-arguments.ts';
import { type Difference, differences } from './differences.ts';
import { cmpObjectOfMapping, type MappingRow, mappedObjectOf } from './mapping.ts';
import type { MappingReads } from './mapping-reads.ts';
import {
  type Found,
  insertMapping,
  isAsBefore,
  liveMappings,
  type NewMapping,
  readMapping,
  updateMapping,
  writeShared,
  writeVerification,
} from './mapping-store.ts';
import { nameFault } from './object-name.ts';
import { ObjectViewer } from './object-viewer.ts';

/** The inputs that name a mapping. */
type MappingIdInput = MappingVerifyInput | MappingForgetInput;

interface MappingServiceOptions {
  readonly db: Database;
  readonly reads: MappingReads;
  readonly mutations: Mutations;
  readonly wake: Wake;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly devices: Devices;
  readonly opener: SecretArguments;
  /** Locks the object's claim until the transaction ends. Returns the call that has the claim. */
  readonly lockObject: (
    tx: Transaction,
    object: { readonly backendId: string; readonly objectHash: string },
  ) => Promise<Claim | undefined>;
  /** Under that lock: whether a call that took the claim after `at` has ended. */
  readonly endedSince: (
    tx: Transaction,
    object: { readonly backendId: string; readonly objectHash: string },
    at: Date,
  ) => Promise<boolean>;
}

interface Claim {
  readonly state: OperationState;
}

/** The part of an event about the change itself. */
type Told = RelayEvent extends infer Event
  ? Event extends RelayEvent
    ? Pick<Event, 'kind' | 'from' | 'to' | 'reason'>
    : never
  : never;

export class MappingService {
  readonly #options: MappingServiceOptions;
  readonly #run;
  readonly #viewer: ObjectViewer;

  constructor(options: MappingServiceOptions) {
    this.#options = options;
    this.#run = mutationsOf<MappingRow>(options.mutations, 'Mapping', (id) => options.reads.byId(id));
    this.#viewer = new ObjectViewer(options.devices);
  }

  /** Maps an existing backend object to a CMP object; its current state becomes the desired one. */
  adopt(context: RequestContext, input: MappingAdoptInput): Promise<MutationOutcome<MappingRow>> {
    return this.#run('mappingAdopt', context, input, async (attempt) => {
      const { db } = this.#options;
      const { identity } = context;
      const cmp = checkAdopt(attempt.check, input);
      const selection = { projectId: input.projectId, backend: input.backend, cmp };
      let backend: BackendRow;
      try {
        backend = await selectBackend(db, identity, selection);
      } catch (refusal) {
        // A repetition is answered all the same: it could select its backend then.
        const projects = await projectsWithRole(db, identity, projectsOf(identity, input.projectId), 'MEMBER');
        const madeIn = refusal instanceof Refusal ? await attempt.madeIn(projects) : undefined;
        if (madeIn === undefined) throw refusal;
        attempt.projectId = madeIn;
        return { look: () => Promise.reject(refusal) };
      }
      attempt.projectId = backend.projectId;
      requireRole(identity, backend.projectId, 'MEMBER', 'mappingAdopt');
      return {
        look: async () => {
          const { row, begunAt } = await this.#adopted(backend, cmp, input);
          return (tx) => this.#adopt(tx, row, begunAt);
        },
      };
    });
  }

  /**
   * The mapping of the device's object with that name, and when the look at the object began. Refuses NOT_FOUND when there is none,
   * and OBJECT_BUSY.
   */
  async #adopted(
    backend: BackendRow,
    cmp: CmpReference,
    input: MappingAdoptInput,
  ): Promise<{ readonly row: NewMapping; readonly begunAt: Date }> {
    const driver = driverOf(this.#options.drivers, backend);
    const { resource, scope, objectKey: key, uuid = null } = input;
    const object = { resource, scope, key };
    const fault = nameFault(driver, { ...object, uuid });
    if (fault !== undefined)
      refuse('INVALID_INPUT', `not the name that driver ${driver.name} gives a ${resource}: ${fault}`, {
        field: ['input', 'objectKey'],
      });
    const begunAt = await this.#begin({ backendId: backend.id, objectHash: objectHash(object) });
    const { seen, reader } = await this.#viewer.look(backend, driver, { ...object, uuid });
    if (seen.finding === 'ABSENT')
      refuse('NOT_FOUND', `${backend.name} has no ${resource} ${key} in ${scope}`, { field: ['input', 'objectKey'] });
    const place = { backendId: backend.id, objectHash: objectHash(object) };
    const row: NewMapping = {
      id: newUuid(),
      projectId: backend.projectId,
      namespace: cmp.namespace,
      cmpType: cmp.type,
      cmpId: cmp.externalId,
      role: cmp.role,
      backendId: backend.id,
      resource,
      scope,
      objectKey: key,
      objectHash: place.objectHash,
      uuid: seen.uuid ?? uuid,
      shared: input.shared === true,
      state: 'ACTIVE',
      desired: JSON.stringify(this.#options.opener.hashedValues(seen.values, reader, place)),
      operationId: null,
      lastOperationId: null,
    };
    return { row, begunAt };
  }

  /** The database's time, when no call has the object. A call that takes it later also ends later. */
  #begin(object: { readonly backendId: string; readonly objectHash: string }): Promise<Date> {
    const { db, lockObject } = this.#options;
    return db.transaction(async (tx) => {
      refuseBusy(await lockObject(tx, object));
      const [row] = await tx.query<{ at: Date }>('SELECT NOW(3) AS at');
      if (row === undefined) throw new Error('the database has no time');
      return row.at;
    });
  }

  async #adopt(tx: Transaction, row: NewMapping, begunAt: Date): Promise<string> {
    const { lockObject, endedSince } = this.#options;
    refuseBusy(await lockObject(tx, row));
    if (await endedSince(tx, row, begunAt))
      refuse('OBJECT_BUSY', 'a call changed this object while it was looked at: send the request again', {
        retryAfterMs: 100,
      });
    await refuseOwned(tx, row);
    try {
      await together(tx, (batch) => [insertMapping(batch, row)]);
    } catch (error) {
      if (isDuplicateKey(error)) refuseMapped(row, 'another CMP object');
      if (isNothingChanged(error)) refuse('NOT_FOUND', 'the backend was deleted', { field: ['input', 'backend'] });
      throw error;
    }
    const told = { kind: 'mapping.state', from: null, to: 'ACTIVE', reason: 'adopted' } as const;
    await this.#tell(tx, { ...row, version: 0 }, told);
    return row.id;
  }

  share(context: RequestContext, input: MappingShareInput): Promise<MutationOutcome<MappingRow>> {
    return this.#setShared('mappingShare', context, input, true);
  }

  unshare(context: RequestContext, input: MappingUnshareInput): Promise<MutationOutcome<MappingRow>> {
    return this.#setShared('mappingUnshare', context, input, false);
  }

  /** Sets whether several CMP objects may own the backend object. */
  #setShared(
    name: 'mappingShare' | 'mappingUnshare',
    context: RequestContext,
    input: MappingShareInput,
    shared: boolean,
  ): Promise<MutationOutcome<MappingRow>> {
    return this.#run(name, context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input, name);
      const { expectedVersion } = input;
      return async (tx) => {
        const claim = await this.#options.lockObject(tx, row);
        const now = await this.#live(tx, row.id);
        refuseStale(expectedVersion, now);
        const others = (await liveMappings(tx, now.backendId, now.objectHash)).filter(({ id }) => id !== now.id);
        if (!shared && others.length > 0)
          refuse('ALREADY_MAPPED', `${others.length} other CMP objects also own it: forget their mappings first`, {
            field: ['input', 'id'],
          });
        if (now.shared === shared) return now.id;
        // The call may belong to another CMP object that will share the mapping.
        if (!shared) refuseBusy(claim);
        if (!(await writeShared(tx, now, shared))) refuseChanged();
        const reason = shared ? 'shared' : 'no longer shared';
        await this.#tell(tx, now, { kind: 'mapping.changed', from: now.state, to: now.state, reason });
        return now.id;
      };
    });
  }

  /** Checks, by one read, whether the backend object is still in its desired state, and stores the finding. */
  verify(context: RequestContext, input: MappingVerifyInput): Promise<MutationOutcome<MappingRow>> {
    return this.#run('mappingVerify', context, input, async (attempt) => {
      const { db, drivers } = this.#options;
      const row = await this.#find(attempt, context, input, 'mappingVerify');
      return {
        look: async () => {
          if (row.state === 'DELETED' || row.state === 'ORPHAN')
            refuse('WRONG_STATE', `the mapping is ${row.state}, so there is nothing to verify`, {
              field: ['input', 'id'],
            });
          const backend = await readBackend(db, row.backendId);
          if (backend === undefined) refuse('NOT_FOUND', 'the backend was deleted', { field: ['input', 'id'] });
          const found = await this.#compare(backend, driverOf(drivers, backend), row);
          return (tx) => this.#keep(tx, row, found);
        },
      };
    });
  }

  async #keep(tx: Transaction, row: MappingRow, seen: Omit<Found, 'state'>): Promise<string> {
    // No call is under way or unsettled: only another object's id had cast a doubt on it.
    const isSettled =
      row.state === 'UNVERIFIED' &&
      seen.result === 'MATCHES' &&
      (await this.#options.lockObject(tx, row)) === undefined;
    const found: Found = { ...seen, state: isSettled ? 'ACTIVE' : null };
    // If a call has changed it in the meantime, the finding is worthless.
    if (!(await writeVerification(tx, row, found))) refuseChanged();
    const { result, diff } = found;
    const paths = diff === null ? null : (JSON.parse(diff) as Difference[]).map(({ path }) => path).join(', ');
    const told = { kind: 'mapping.verification', from: row.verifyResult, to: result, reason: paths } as const;
    if (isAsBefore(row, found)) return row.id;
    await this.#tell(
      tx,
      row,
      isSettled ? { kind: 'mapping.state', from: row.state, to: 'ACTIVE', reason: 'verified' } : told,
    );
    return row.id;
  }

  /** Ends the mapping and leaves the backend object alone. */
  forget(context: RequestContext, input: MappingForgetInput): Promise<MutationOutcome<MappingRow>> {
    return this.#run('mappingForget', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input, 'mappingForget');
      return async (tx) => {
        const claim = await this.#options.lockObject(tx, row);
        const now = await this.#live(tx, row.id);
        refuseBusy(claim);
        const { lastOperationId } = now;
        await together(tx, (batch) => [updateMapping(batch, now, { state: 'DELETED', lastOperationId })]);
        await this.#tell(tx, now, { kind: 'mapping.state', from: now.state, to: 'DELETED', reason: 'forgotten' });
        return now.id;
      };
    });
  }

  async #compare(backend: BackendRow, driver: Driver, row: MappingRow): Promise<Omit<Found, 'state'>> {
    const { operationId } = row;
    const object = { resource: row.resource, ...mappedObjectOf(row) };
    const { seen, reader } = await this.#viewer.look(backend, driver, object);
    if (seen.finding === 'ABSENT') return { result: 'MISSING', diff: null, uuid: null };
    // Earlier versions kept values under free names as they are.
    const kept = row.desired === null ? null : readableOf(JSON.parse(row.desired) as JsonObject, reader);
    const wanted = kept === null ? null : this.#options.opener.hashedValues(kept, { freeForm: reader.freeForm }, row);
    const values = this.#options.opener.hashedValues(seen.values, reader, row, wanted ?? {});
    const all = wanted === null ? [] : differences(wanted, values, reader);
    // Somebody deleted it and made another one with that name.
    const hasOtherId = row.uuid !== null && seen.uuid !== undefined && seen.uuid !== row.uuid;
    // The device gave it a new id, for example after a reboot. The mark of the call that made it proves that it is the same object.
    const isSame = operationId !== null && seen.operationId === operationId;
    if (hasOtherId && !isSame) all.unshift({ path: 'uuid', wanted: row.uuid, found: seen.uuid ?? null });
    // The call that made it was settled by a person, who did not give the device's id.
    const hasFirstId = row.uuid === null && (isSame || seen.operationId === undefined);
    const newId = hasFirstId || (hasOtherId && isSame) ? (seen.uuid ?? null) : null;
    return all.length === 0
      ? { result: 'MATCHES', diff: null, uuid: newId }
      : { result: 'DRIFTED', diff: JSON.stringify(all), uuid: newId };
  }

  async #find(
    attempt: Attempt,
    { identity }: RequestContext,
    input: MappingIdInput,
    what: string,
  ): Promise<MappingRow> {
    const named = { type: 'Mapping', id: input.id };
    const row = await visibleRow(identity, attempt.check, named, (uuid) => this.#options.reads.byId(uuid));
    attempt.projectId = row.projectId;
    attempt.check.throwIfAny();
    requireRole(identity, row.projectId, 'MEMBER', what);
    return row;
  }

  async #live(tx: Transaction, id: string): Promise<MappingRow> {
    const now = await readMapping(tx, id, 'FOR UPDATE');
    if (now === undefined || now.state === 'DELETED')
      refuse('WRONG_STATE', 'the mapping is DELETED', { field: ['input', 'id'] });
    return now;
  }

  async #tell(tx: Transaction, row: NewMapping & Pick<MappingRow, 'version'>, what: Told): Promise<void> {
    const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
    const event = { ...subject, ...what, cmpObject: cmpObjectOfMapping(row) };
    await appendStatus(tx, relayEvents, [event], this.#options.wake);
  }
}

function checkAdopt(check: InputCheck, input: MappingAdoptInput): CmpReference {
  checkSelector(check, input.backend, input.cmpObject);
  checkCmpReference(check, input.cmpObject);
  const wants = 'a kind of object of the driver, for example rule';
  check.text('resource', input.resource, { required: true, min: 1, max: 63, pattern: /^[a-z0-9-]+$/, wants });
  check.text('scope', input.scope, { required: true, max: 255 });
  check.text('objectKey', input.objectKey, { required: true, min: 1, max: 512 });
  check.text('uuid', input.uuid, { min: 1, max: 255 });
  check.throwIfAny();
  return cmpReferenceOf(input.cmpObject);
}

/** While a call on the object is under way, or its outcome is unknown, its mappings belong to that call. */
function refuseBusy(claim: Claim | undefined): void {
  if (claim === undefined) return;
  refuse('OBJECT_BUSY', `a call on this object is ${claim.state}: wait for it, or settle it`, {
    retryAfterMs: 1_000,
  });
}

async function refuseOwned(
  tx: Transaction,
  row: {
    readonly backendId: string;
    readonly objectHash: string;
    readonly shared: boolean;
    readonly objectKey: string;
    readonly resource: string;
  },
): Promise<void> {
  const live = await liveMappings(tx, row.backendId, row.objectHash);
  const [first] = live;
  if (first === undefined || (row.shared && live.every(({ shared }) => shared))) return;
  refuseMapped(row, `${first.namespace}/${first.cmpType}/${first.cmpId}`);
}

function refuseMapped(row: { readonly resource: string; readonly objectKey: string }, owner: string): never {
  refuse('ALREADY_MAPPED', `${row.resource} ${row.objectKey} already belongs to ${owner}`, {
    field: ['input', 'cmpObject'],
  });
}

function refuseChanged(): never {
  refuse('STALE_VERSION', 'the mapping was changed in the meantime: send the request again', {
    field: ['input', 'id'],
  });
}
