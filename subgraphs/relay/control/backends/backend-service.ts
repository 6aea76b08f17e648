// The registry of backends: registers, changes and deletes them. Each is one database transaction at the mutation's edge.
import { isDeepStrictEqual } from 'node:util';
import type {
  BackendCertificateAcceptInput,
  BackendCircuitCloseInput,
  BackendCreateInput,
  BackendDeleteInput,
  BackendHostKeyAcceptInput,
  BackendReplayLiftInput,
  BackendUpdateInput,
} from '../../../../generated/graph/relay.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { mutationsOf } from '../../../../platform/edge/mutations-of.ts';
import { refuseDeletedProject } from '../../../../platform/edge/projects.ts';
import { invariant, refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { oneProject, requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale, refuseTaken } from '../../../../platform/input/refusals.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { liftTimelines, lockTimelines } from '../../../../platform/restore/timelines.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { Driver } from '../../drivers/driver.ts';
import { relayEvents } from '../events.ts';
import type { BackendRow, BackendView } from './backend.ts';
import {
  type BackendDraft,
  changeOf,
  checkUpdate,
  checkUpdateFor,
  draftOf,
  nothingPresented,
} from './backend-draft.ts';
import { changeBackend, registeredEvent } from './backend-events.ts';
import { canonicalFingerprint, checkCertificate, checkCredentials, checkHostKey } from './backend-input.ts';
import type { BackendReads } from './backend-reads.ts';
import {
  type BackendChange,
  countLiveMappings,
  insertBackend,
  lastOfTimeline,
  lockBackend,
  replaceLabels,
} from './backend-store.ts';
import { changeWithSecrets, type GivenSecrets } from './change-with-secrets.ts';
import { closedCircuit } from './circuit.ts';
import { sealCredentials } from './credentials.ts';
import { identitiesOf, moveIdentities, refuseTakenDevice } from './device-identity.ts';

interface BackendServiceOptions {
  readonly reads: BackendReads;
  readonly mutations: Mutations;
  readonly sealer: Sealer;
  readonly wake: Wake;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly egress: EgressPolicy;
  /** Orphans the mappings of a deleted backend. */
  readonly orphan: (tx: Transaction, wake: Wake, backendId: string) => Promise<void>;
}

export class BackendService {
  readonly #reads: BackendReads;
  readonly #run;
  readonly #sealer: Sealer;
  readonly #wake: Wake;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #egress: EgressPolicy;
  readonly #orphan: BackendServiceOptions['orphan'];

  constructor(options: BackendServiceOptions) {
    this.#reads = options.reads;
    this.#run = mutationsOf<BackendView>(options.mutations, 'Backend', (id) => options.reads.byId(id));
    this.#sealer = options.sealer;
    this.#wake = options.wake;
    this.#drivers = options.drivers;
    this.#egress = options.egress;
    this.#orphan = options.orphan;
  }

  create(context: RequestContext, input: BackendCreateInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendCreate', context, input, async (attempt) => {
      const draft = draftOf(attempt.check, input, this.#drivers, this.#egress);
      const projectId = oneProject(context.identity, input.projectId);
      attempt.projectId = projectId;
      requireRole(context.identity, projectId, 'OPERATOR', 'backendCreate');
      refuseSeparation(context, input);
      return (tx) => this.#insert(tx, context, projectId, draft);
    });
  }

  update(context: RequestContext, input: BackendUpdateInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendUpdate', context, input, async (attempt) => {
      checkUpdate(attempt.check, input);
      const row = await this.#find(attempt, context, input.id);
      checkUpdateFor(attempt.check, input, row, this.#drivers.get(row.driver), this.#egress);
      attempt.check.throwIfAny();
      refuseSeparation(context, input);
      const reason = acceptedReason(input);
      return (tx) => this.#update(tx, context, row.id, input, reason);
    });
  }

  acceptHostKey(context: RequestContext, input: BackendHostKeyAcceptInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendHostKeyAccept', context, input, async (attempt) => {
      const { check } = attempt;
      checkHostKey(check, input.hostKeySha256, true);
      const row = await this.#find(attempt, context, input.id);
      this.#checkCredentials(check, input, row);
      const change = { hostKeySha256: input.hostKeySha256, ...nothingPresented, ...closedCircuit };
      return (tx) => this.#change(tx, context, row.id, () => change, { given: input, reason: acceptedReason(input) });
    });
  }

  acceptCertificate(
    context: RequestContext,
    input: BackendCertificateAcceptInput,
  ): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendCertificateAccept', context, input, async (attempt) => {
      const { check } = attempt;
      checkCertificate(check, input.certificateSha256, true);
      const row = await this.#find(attempt, context, input.id);
      this.#checkCredentials(check, input, row);
      const certificateSha256 = canonicalFingerprint(input.certificateSha256);
      const change = { certificateSha256, ...nothingPresented, ...closedCircuit };
      return (tx) => this.#change(tx, context, row.id, () => change, { given: input, reason: acceptedReason(input) });
    });
  }

  closeCircuit(context: RequestContext, input: BackendCircuitCloseInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendCircuitClose', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input.id);
      return (tx) =>
        this.#change(tx, context, row.id, () => closedCircuit, { reason: `closed by ${context.identity?.name}` });
    });
  }

  liftReplay(context: RequestContext, input: BackendReplayLiftInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendReplayLift', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input.id);
      return (tx) => this.#liftReplay(tx, context, row.id, `lifted by ${context.identity?.name}`);
    });
  }

  delete(context: RequestContext, input: BackendDeleteInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendDelete', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input.id);
      return (tx) => this.#delete(tx, context, row.id, input);
    });
  }

  async #insert(
    tx: Transaction,
    { identity }: RequestContext,
    projectId: string,
    draft: BackendDraft,
  ): Promise<string> {
    const { row, labels, credentials } = draft;
    await refuseDeletedProject(tx, projectId);
    const id = newUuid();
    const backend = { ...row, id, projectId };
    const sealed = sealCredentials(this.#sealer, backend, credentials);
    await refuseTaken('backend', row.name, insertBackend(tx, backend, labels, sealed));
    const driver = this.#drivers.get(row.driver);
    invariant(driver !== undefined, 'the driver of a draft is known');
    const registered = { ...backend, provisioningStatus: 'ENABLED', serial: null } as const;
    const holder = await moveIdentities(tx, id, new Map(), identitiesOf(registered, driver));
    if (holder !== undefined) refuseTakenDevice(holder, identity);
    await appendStatus(tx, relayEvents, [registeredEvent({ id, projectId })], this.#wake);
    return id;
  }

  async #update(
    tx: Transaction,
    context: RequestContext,
    id: string,
    input: BackendUpdateInput,
    reason: string | null,
  ): Promise<string> {
    const { labels, credentials, dropCredentials } = input;
    await lockBackend(tx, id);
    const others = labels != null && (await replaceLabels(tx, id, labels));
    const isSecret = credentials != null || dropCredentials === true;
    const decide = (row: BackendRow) => {
      refuseStale(input.expectedVersion, row);
      const change = changeOf(input, this.#drivers.get(row.driver), row);
      return others || isSecret || Object.keys(change).length > 0 ? change : undefined;
    };
    return this.#change(tx, context, id, decide, { given: input, reason });
  }

  async #delete(tx: Transaction, context: RequestContext, id: string, input: BackendDeleteInput): Promise<string> {
    await this.#change(tx, context, id, (row) => {
      refuseStale(input.expectedVersion, row);
      return { provisioningStatus: 'DELETED' };
    });
    const live = (await countLiveMappings(tx, [id])).get(id) ?? 0;
    if (live > 0 && input.orphanMappings !== true)
      refuse('HAS_MAPPINGS', `the backend has ${live} live mappings: remove them, or set orphanMappings`, {
        field: ['input', 'id'],
      });
    await this.#orphan(tx, this.#wake, id);
    return id;
  }

  /** The last backend ends the timeline's consequences for all, also for backends that are created later. */
  async #liftReplay(tx: Transaction, context: RequestContext, id: string, reason: string): Promise<string> {
    await lockTimelines(tx);
    await this.#change(tx, context, id, (row) => ({ replayLiftedEpoch: row.timeline }), { reason });
    if (await lastOfTimeline(tx, id)) await liftTimelines(tx, this.#wake, reason);
    return id;
  }

  async #change(
    tx: Transaction,
    { identity }: RequestContext,
    id: string,
    decide: (row: BackendRow) => BackendChange | undefined,
    options: { readonly given?: GivenSecrets; readonly reason?: string | null } = {},
  ): Promise<string> {
    const row = await lockBackend(tx, id);
    if (row === undefined || row.provisioningStatus === 'DELETED')
      refuse('NOT_FOUND', 'the backend was deleted', { field: ['input', 'id'] });
    const driver = this.#drivers.get(row.driver);
    const wanted = decide(row);
    if (wanted === undefined) return id;
    const decided = await this.#identify(tx, identity, { row, change: wanted, driver });
    const change = await changeWithSecrets(tx, {
      ...{ row, change: decided, given: options.given ?? {} },
      ...{ sealer: this.#sealer, driver },
    });
    await changeBackend(tx, this.#wake, row, change, options.reason ?? null);
    return id;
  }

  /**
   * The change, with its effect on the backend's device identity. An administrator may have confirmed that two backends have no
   * object in common. A change of address, proof or scope that does not repeat this ends it. Refuses DEVICE_TAKEN.
   */
  async #identify(
    tx: Transaction,
    identity: Identity | null,
    {
      row,
      change,
      driver,
    }: { readonly row: BackendRow; readonly change: BackendChange; readonly driver: Driver | undefined },
  ): Promise<BackendChange> {
    if (driver === undefined) return change;
    const after = { ...row, ...change } as BackendRow;
    const isElsewhere = !isDeepStrictEqual(
      identitiesOf({ ...row, separateObjects: false }, driver),
      identitiesOf({ ...after, separateObjects: false }, driver),
    );
    const ends = row.separateObjects && isElsewhere && change.separateObjects === undefined;
    const separateObjects = after.separateObjects && !ends;
    // Another device has another serial, which the next check reads.
    const unread = isElsewhere ? { serial: null } : {};
    const identities = identitiesOf({ ...after, ...unread, separateObjects }, driver);
    const holder = await moveIdentities(tx, row.id, identitiesOf(row, driver), identities);
    if (holder !== undefined) refuseTakenDevice(holder, identity);
    return { ...change, ...unread, ...(ends ? { separateObjects } : {}) };
  }

  /** Checks credentials that come with a new proof of identity. Refuses with all faults of the input. */
  #checkCredentials(check: InputCheck, { credentials }: GivenSecrets, { driver }: BackendView): void {
    if (credentials != null) checkCredentials(check, credentials, this.#drivers.get(driver));
    check.throwIfAny();
  }

  /** A backend that the caller may change, including deleted ones: a repeated backendDelete gets its first answer. */
  async #find(attempt: Attempt, { identity }: RequestContext, id: string): Promise<BackendView> {
    const named = { type: 'Backend', id };
    const row = await visibleRow(identity, attempt.check, named, (uuid) => this.#reads.byId(uuid));
    attempt.projectId = row.projectId;
    requireRole(identity, row.projectId, 'OPERATOR', 'this');
    return row;
  }
}

/** Only an administrator can confirm that two backends have no object in common, because no other user may see all backends. */
function refuseSeparation(
  { identity }: RequestContext,
  { separateObjects }: { separateObjects?: boolean | null },
): void {
  if (separateObjects !== true || identity?.admin === true) return;
  refuse('FORBIDDEN', 'only administrators may set separateObjects', { field: ['input', 'separateObjects'] });
}

/** For the status event. */
function acceptedReason(input: {
  readonly hostKeySha256?: string | null;
  readonly certificateSha256?: string | null;
}): string | null {
  const { hostKeySha256, certificateSha256 } = input;
  const accepted = [
    ...(hostKeySha256 == null ? [] : [`host key ${hostKeySha256}`]),
    ...(certificateSha256 == null ? [] : [`certificate ${canonicalFingerprint(certificateSha256)}`]),
  ];
  return accepted.length === 0 ? null : `${accepted.join(' and ')} accepted`;
}
