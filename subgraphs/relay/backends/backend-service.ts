// The registry of backends: registers, changes and deletes them. Each is one database transaction at the mutation's edge.
import type {
  BackendCertificateAcceptInput,
  BackendCircuitCloseInput,
  BackendCreateInput,
  BackendDeleteInput,
  BackendHostKeyAcceptInput,
  BackendUpdateInput,
} from '../../../generated/graph/relay.ts';
import { oneProject, requireRole, visibleRow } from '../../../platform/authorise.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { refuseDeletedProject } from '../../../platform/projects.ts';
import { refuseStale, refuseTaken } from '../../../platform/refusals.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { Driver } from '../drivers/driver.ts';
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
import { type BackendChange, countLiveMappings, insertBackend, lockBackend, replaceLabels } from './backend-store.ts';
import { changeWithSecrets, type GivenSecrets } from './change-with-secrets.ts';
import { closedCircuit } from './circuit.ts';
import { sealCredentials } from './credentials.ts';

export interface BackendServiceOptions {
  readonly reads: BackendReads;
  readonly mutations: Mutations;
  readonly sealer: Sealer;
  readonly wake: Wake;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly egress: EgressPolicy;
  /** What happens to the mappings of a deleted backend. */
  readonly orphan: (tx: Transaction, wake: Wake, backendId: string) => Promise<void>;
}

export class BackendService {
  readonly #reads: BackendReads;
  readonly #mutations: Mutations;
  readonly #sealer: Sealer;
  readonly #wake: Wake;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #egress: EgressPolicy;
  readonly #orphan: BackendServiceOptions['orphan'];

  constructor(options: BackendServiceOptions) {
    this.#reads = options.reads;
    this.#mutations = options.mutations;
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
      return (tx) => this.#insert(tx, projectId, draft);
    });
  }

  update(context: RequestContext, input: BackendUpdateInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendUpdate', context, input, async (attempt) => {
      checkUpdate(attempt.check, input);
      const row = await this.#find(attempt, context, input.id);
      checkUpdateFor(attempt.check, input, row, this.#drivers.get(row.driver), this.#egress);
      attempt.check.throwIfAny();
      const reason = acceptedReason(input);
      return (tx) => this.#update(tx, row.id, input, reason);
    });
  }

  acceptHostKey(context: RequestContext, input: BackendHostKeyAcceptInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendHostKeyAccept', context, input, async (attempt) => {
      const { check } = attempt;
      checkHostKey(check, input.hostKeySha256, true);
      const row = await this.#find(attempt, context, input.id);
      this.#checkCredentials(check, input, row);
      const change = { hostKeySha256: input.hostKeySha256, ...nothingPresented, ...closedCircuit };
      return (tx) => this.#change(tx, row.id, () => change, { given: input, reason: acceptedReason(input) });
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
      return (tx) => this.#change(tx, row.id, () => change, { given: input, reason: acceptedReason(input) });
    });
  }

  closeCircuit(context: RequestContext, input: BackendCircuitCloseInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendCircuitClose', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input.id);
      return (tx) => this.#change(tx, row.id, () => closedCircuit, { reason: `closed by ${context.identity?.name}` });
    });
  }

  delete(context: RequestContext, input: BackendDeleteInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendDelete', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input.id);
      return (tx) => this.#delete(tx, row.id, input);
    });
  }

  async #insert(tx: Transaction, projectId: string, draft: BackendDraft): Promise<string> {
    const { row, labels, credentials } = draft;
    await refuseDeletedProject(tx, projectId);
    const id = newUuid();
    const backend = { ...row, id, projectId };
    const sealed = sealCredentials(this.#sealer, backend, credentials);
    await refuseTaken('backend', row.name, insertBackend(tx, backend, labels, sealed));
    await appendStatus(tx, relayEvents, [registeredEvent({ id, projectId })], this.#wake);
    return id;
  }

  async #update(tx: Transaction, id: string, input: BackendUpdateInput, reason: string | null): Promise<string> {
    const decide = (row: BackendRow) => {
      refuseStale(input.expectedVersion, row.version);
      return changeOf(input, this.#drivers.get(row.driver));
    };
    await this.#change(tx, id, decide, { given: input, reason });
    if (input.labels != null) await replaceLabels(tx, id, input.labels);
    return id;
  }

  async #delete(tx: Transaction, id: string, input: BackendDeleteInput): Promise<string> {
    await this.#change(tx, id, (row) => {
      refuseStale(input.expectedVersion, row.version);
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

  async #change(
    tx: Transaction,
    id: string,
    decide: (row: BackendRow) => BackendChange,
    options: { readonly given?: GivenSecrets; readonly reason?: string | null } = {},
  ): Promise<string> {
    const row = await lockBackend(tx, id);
    if (row === undefined || row.provisioningStatus === 'DELETED')
      refuse('NOT_FOUND', 'the backend was deleted', { field: ['input', 'id'] });
    const change = await changeWithSecrets(tx, {
      ...{ row, change: decide(row), given: options.given ?? {} },
      ...{ sealer: this.#sealer, driver: this.#drivers.get(row.driver) },
    });
    await changeBackend(tx, this.#wake, row, change, options.reason ?? null);
    return id;
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

  #run(
    name: string,
    context: RequestContext,
    input: { readonly idempotencyKey?: string | null } & object,
    prepare: (attempt: Attempt) => Promise<Effect>,
  ): Promise<MutationOutcome<BackendView>> {
    const read = (id: string) => this.#reads.byId(id);
    return this.#mutations.run({ name, context, input, subject: 'Backend', prepare, read });
  }
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
