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
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../platform/mutation.ts';
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
import { canonicalFingerprint, checkCertificate, checkHostKey } from './backend-input.ts';
import type { BackendReads } from './backend-reads.ts';
import {
  type BackendChange,
  countLiveMappings,
  insertBackend,
  lockBackend,
  replaceCredentials,
  replaceLabels,
} from './backend-store.ts';
import { closedCircuit } from './circuit.ts';
import { sealCredentials } from './credentials.ts';

export interface BackendServiceOptions {
  readonly reads: BackendReads;
  readonly mutations: Mutations;
  readonly sealer: Sealer;
  readonly wake: Wake;
  readonly drivers: ReadonlyMap<string, Driver>;
  /** What becomes of the mappings that live on a backend when it is deleted. */
  readonly orphan: (tx: Transaction, wake: Wake, backendId: string) => Promise<void>;
}

export class BackendService {
  readonly #reads: BackendReads;
  readonly #mutations: Mutations;
  readonly #sealer: Sealer;
  readonly #wake: Wake;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #orphan: BackendServiceOptions['orphan'];

  constructor(options: BackendServiceOptions) {
    this.#reads = options.reads;
    this.#mutations = options.mutations;
    this.#sealer = options.sealer;
    this.#wake = options.wake;
    this.#drivers = options.drivers;
    this.#orphan = options.orphan;
  }

  create(context: RequestContext, input: BackendCreateInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendCreate', context, input, async (attempt) => {
      const draft = draftOf(attempt.check, input, this.#drivers);
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
      checkUpdateFor(attempt.check, input, this.#drivers.get(row.driver));
      attempt.check.throwIfAny();
      return (tx) => this.#update(tx, row.id, input);
    });
  }

  acceptHostKey(context: RequestContext, input: BackendHostKeyAcceptInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendHostKeyAccept', context, input, async (attempt) => {
      const { check } = attempt;
      checkHostKey(check, input.hostKeySha256, true);
      const row = await this.#find(attempt, context, input.id);
      check.throwIfAny();
      const change = { hostKeySha256: input.hostKeySha256, ...nothingPresented, ...closedCircuit };
      return (tx) => this.#change(tx, row.id, () => change, `host key ${input.hostKeySha256} accepted`);
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
      check.throwIfAny();
      const certificateSha256 = canonicalFingerprint(input.certificateSha256);
      const change = { certificateSha256, ...nothingPresented, ...closedCircuit };
      const reason = `certificate ${certificateSha256} accepted`;
      return (tx) => this.#change(tx, row.id, () => change, reason);
    });
  }

  closeCircuit(context: RequestContext, input: BackendCircuitCloseInput): Promise<MutationOutcome<BackendView>> {
    return this.#run('backendCircuitClose', context, input, async (attempt) => {
      const row = await this.#find(attempt, context, input.id);
      return (tx) => this.#change(tx, row.id, () => closedCircuit, `closed by ${context.identity?.name}`);
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
    const id = newUuid();
    const sealed = sealCredentials(this.#sealer, id, credentials);
    await refuseTaken('backend', row.name, insertBackend(tx, { ...row, id, projectId }, labels, sealed));
    await appendStatus(tx, relayEvents, [registeredEvent({ id, projectId })], this.#wake);
    return id;
  }

  async #update(tx: Transaction, id: string, input: BackendUpdateInput): Promise<string> {
    if (input.labels != null) await replaceLabels(tx, id, input.labels);
    if (input.credentials != null)
      await replaceCredentials(tx, id, sealCredentials(this.#sealer, id, input.credentials));
    return this.#change(tx, id, (row) => {
      refuseStale(input.expectedVersion, row.version);
      return changeOf(input, this.#drivers.get(row.driver));
    });
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
    reason: string | null = null,
  ): Promise<string> {
    const row = await lockBackend(tx, id);
    if (row === undefined || row.provisioningStatus === 'DELETED')
      refuse('NOT_FOUND', 'the backend was deleted', { field: ['input', 'id'] });
    await changeBackend(tx, this.#wake, row, decide(row), reason);
    return id;
  }

  /** The backend that the caller may change, also a deleted one: a repeated backendDelete gets its first answer. */
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
