// The registry of backends: registers, changes and deletes them. Each is one database transaction at the mutation's edge.
import type {
  BackendCertificateAcceptInput,
  BackendCircuitCloseInput,
  BackendCreateInput,
  BackendDeleteInput,
  BackendHostKeyAcceptInput,
  BackendUpdateInput,
} from '../../../generated/graph/relay.ts';
import type { CommitToken } from '../../../platform/commits.ts';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { isDuplicateKey } from '../../../platform/database/errors.ts';
import { Refusal, refuse, type UserError } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { allows, type RequestContext, type Role } from '../../../platform/identity.ts';
import { decodeUuid, newUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import { type Mutations, toUserErrors } from '../../../platform/mutation.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import { maySee, oneProject, requireRole } from '../../../platform/authorise.ts';
import type { Driver } from '../drivers/driver.ts';
import type { BackendRow } from './backend.ts';
import { backendEvent, changeBackend } from './backend-events.ts';
import {
  canonicalFingerprint,
  checkCaCertificates,
  checkCertificate,
  checkCredentials,
  checkHostKey,
  checkLabels,
  checkLimits,
  checkName,
  checkOptions,
  checkSite,
  defaultLimits,
  usualPort,
  withDefaults,
} from './backend-input.ts';
import {
  type BackendChange,
  countLiveMappings,
  insertBackend,
  lockBackend,
  readBackend,
  replaceCredentials,
  replaceLabels,
} from './backend-store.ts';
import { sealCredentials } from './credentials.ts';

export interface BackendResult {
  readonly backend: BackendRow | null;
  readonly userErrors: readonly UserError[];
  readonly commit: CommitToken | null;
}

export interface BackendServiceOptions {
  readonly db: Database;
  readonly mutations: Mutations;
  readonly sealer: Sealer;
  readonly wake: Wake;
  readonly drivers: ReadonlyMap<string, Driver>;
  /** What becomes of the mappings that live on a backend when it is deleted. */
  readonly orphan: (tx: Transaction, wake: Wake, backendId: string) => Promise<void>;
}

type AnyInput = { readonly idempotencyKey?: string | null } & object;

export class BackendService {
  readonly #db: Database;
  readonly #mutations: Mutations;
  readonly #sealer: Sealer;
  readonly #wake: Wake;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #orphan: BackendServiceOptions['orphan'];

  constructor(options: BackendServiceOptions) {
    this.#db = options.db;
    this.#mutations = options.mutations;
    this.#sealer = options.sealer;
    this.#wake = options.wake;
    this.#drivers = options.drivers;
    this.#orphan = options.orphan;
  }

  create(context: RequestContext, input: BackendCreateInput): Promise<BackendResult> {
    return this.#edge('backendCreate', context, input, async () => {
      const driver = this.#checkCreate(input);
      const projectId = oneProject(context.identity, input.projectId);
      requireRole(context.identity, projectId, 'OPERATOR', 'backendCreate');
      return { projectId, effect: (tx) => this.#insert(tx, projectId, driver, input) };
    });
  }

  update(context: RequestContext, input: BackendUpdateInput): Promise<BackendResult> {
    return this.#edge('backendUpdate', context, input, async () => {
      const check = new InputCheck();
      check.idempotencyKey(input.idempotencyKey);
      checkSite(check, input.site);
      checkLabels(check, input.labels);
      if (input.host != null) check.host('host', input.host);
      if (input.port != null) check.port('port', input.port);
      checkLimits(check, input.limits);
      const row = await this.#find(context, input.id, 'OPERATOR', check);
      const driver = this.#drivers.get(row.driver);
      if (input.credentials != null) checkCredentials(check, input.credentials, driver);
      checkCaCertificates(check, input.caCertificates);
      if (driver !== undefined && input.options != null) checkOptions(check, input.options, driver);
      check.throwIfAny();
      return { projectId: row.projectId, effect: (tx) => this.#update(tx, row.id, input) };
    });
  }

  acceptHostKey(context: RequestContext, input: BackendHostKeyAcceptInput): Promise<BackendResult> {
    return this.#edge('backendHostKeyAccept', context, input, async () => {
      const check = new InputCheck();
      check.idempotencyKey(input.idempotencyKey);
      checkHostKey(check, input.hostKeySha256, true);
      const row = await this.#find(context, input.id, 'OPERATOR', check);
      check.throwIfAny();
      const change = { hostKeySha256: input.hostKeySha256, ...nothingPresented, ...closedCircuit };
      return {
        projectId: row.projectId,
        effect: (tx) => this.#change(tx, row.id, () => change, `host key ${input.hostKeySha256} accepted`),
      };
    });
  }

  acceptCertificate(context: RequestContext, input: BackendCertificateAcceptInput): Promise<BackendResult> {
    return this.#edge('backendCertificateAccept', context, input, async () => {
      const check = new InputCheck();
      check.idempotencyKey(input.idempotencyKey);
      checkCertificate(check, input.certificateSha256, true);
      const row = await this.#find(context, input.id, 'OPERATOR', check);
      check.throwIfAny();
      const certificateSha256 = canonicalFingerprint(input.certificateSha256);
      const change = { certificateSha256, ...nothingPresented, ...closedCircuit };
      const reason = `certificate ${certificateSha256} accepted`;
      return { projectId: row.projectId, effect: (tx) => this.#change(tx, row.id, () => change, reason) };
    });
  }

  closeCircuit(context: RequestContext, input: BackendCircuitCloseInput): Promise<BackendResult> {
    return this.#edge('backendCircuitClose', context, input, async () => {
      const check = new InputCheck();
      check.idempotencyKey(input.idempotencyKey);
      const row = await this.#find(context, input.id, 'OPERATOR', check);
      check.throwIfAny();
      return {
        projectId: row.projectId,
        effect: (tx) => this.#change(tx, row.id, () => closedCircuit, `closed by ${context.identity?.name}`),
      };
    });
  }

  delete(context: RequestContext, input: BackendDeleteInput): Promise<BackendResult> {
    return this.#edge('backendDelete', context, input, async () => {
      const check = new InputCheck();
      check.idempotencyKey(input.idempotencyKey);
      const row = await this.#find(context, input.id, 'OPERATOR', check);
      check.throwIfAny();
      return { projectId: row.projectId, effect: (tx) => this.#delete(tx, row.id, input) };
    });
  }

  #checkCreate(input: BackendCreateInput): Driver {
    const check = new InputCheck();
    check.idempotencyKey(input.idempotencyKey);
    checkName(check, 'name', input.name);
    const driver = this.#drivers.get(input.driver);
    if (driver === undefined)
      check.fault(
        'driver',
        `there is no driver ${JSON.stringify(input.driver.slice(0, 80))}; there are: ${[...this.#drivers.keys()].join(', ')}`,
      );
    checkSite(check, input.site);
    checkLabels(check, input.labels);
    check.host('host', input.host);
    if (input.port != null) check.port('port', input.port);
    checkLimits(check, input.limits);
    checkHostKey(check, input.hostKeySha256);
    checkCertificate(check, input.certificateSha256);
    checkCaCertificates(check, input.caCertificates);
    if (driver !== undefined) checkOptions(check, input.options ?? {}, driver);
    checkCredentials(check, input.credentials, driver);
    check.throwIfAny();
    if (driver === undefined) throw new Refusal(check.errors);
    return driver;
  }

  async #insert(tx: Transaction, projectId: string, driver: Driver, input: BackendCreateInput) {
    const id = newUuid();
    const limits = withoutNulls(input.limits);
    const options = withDefaults(input.options ?? {}, driver);
    try {
      await insertBackend(tx, {
        id,
        projectId,
        name: input.name,
        family: driver.family,
        driver: driver.name,
        site: input.site ?? null,
        host: input.host,
        port: input.port ?? usualPort(driver, options),
        ...defaultLimits,
        ...limits,
        cryptoProfile: input.cryptoProfile ?? 'MODERN',
        allowInit: input.allowInit ?? false,
        hostKeySha256: input.hostKeySha256 ?? null,
        certificateSha256: input.certificateSha256 == null ? null : canonicalFingerprint(input.certificateSha256),
        caCertificates: input.caCertificates ?? null,
        options: JSON.stringify(options),
      });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      refuse('ALREADY_EXISTS', `a backend named ${input.name} exists in this project`, { field: ['input', 'name'] });
    }
    await replaceLabels(tx, id, input.labels ?? []);
    await replaceCredentials(tx, id, sealCredentials(this.#sealer, id, input.credentials));
    const event = backendEvent({ id, projectId, version: 0 }, 'backend.provisioningStatus', null, 'ENABLED', null);
    await appendStatus(tx, [event], this.#wake);
    return id;
  }

  async #update(tx: Transaction, id: string, input: BackendUpdateInput): Promise<string> {
    if (input.labels != null) await replaceLabels(tx, id, input.labels);
    if (input.credentials != null)
      await replaceCredentials(tx, id, sealCredentials(this.#sealer, id, input.credentials));
    return this.#change(tx, id, (row) => {
      checkVersion(row, input.expectedVersion);
      const elsewhere = ['host', 'port', 'credentials', 'caCertificates', 'options'].some(
        (field) => input[field as keyof BackendUpdateInput] != null,
      );
      return {
        ...withoutNulls({
          site: input.site,
          host: input.host,
          port: input.port,
          cryptoProfile: input.cryptoProfile,
          allowInit: input.allowInit,
          caCertificates: input.caCertificates,
        }),
        ...(input.options == null
          ? {}
          : { options: JSON.stringify(withDefaults(input.options, this.#drivers.get(row.driver))) }),
        ...withoutNulls(input.limits),
        ...(input.enabled == null ? {} : { provisioningStatus: input.enabled ? 'ENABLED' : 'DISABLED' }),
        // What made it open may be mended now.
        ...(elsewhere ? { ...closedCircuit, ...nothingPresented } : {}),
      };
    });
  }

  async #delete(tx: Transaction, id: string, input: BackendDeleteInput): Promise<string> {
    await this.#change(tx, id, (row) => {
      checkVersion(row, input.expectedVersion);
      return { provisioningStatus: 'DELETED' };
    });
    const live = (await countLiveMappings(tx, [id])).get(id) ?? 0;
    if (live > 0 && input.orphanMappings !== true)
      refuse('HAS_MAPPINGS', `${live} mappings live on this backend: remove them, or set orphanMappings`, {
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

  /**
   * The backend of a global id, as the caller may see it, also a deleted one: a repeated backendDelete gets its first
   * answer. Refuses NOT_FOUND, then FORBIDDEN.
   */
  async #find(context: RequestContext, id: string, role: Role, check: InputCheck): Promise<BackendRow> {
    const uuid = decodeUuid('Backend', id);
    const row = uuid === undefined ? undefined : await readBackend(this.#db, uuid);
    if (row === undefined || !maySee(context.identity, row.projectId)) {
      check.fault('id', `no Backend has the id ${JSON.stringify(id.slice(0, 80))}`, 'NOT_FOUND');
      throw new Refusal(check.errors);
    }
    if (!allows(context.identity, row.projectId, role)) requireRole(context.identity, row.projectId, role, 'this');
    return row;
  }

  /** Checks first, outside of any transaction; then the mutation's one transaction. */
  async #edge<Input extends AnyInput>(
    name: string,
    context: RequestContext,
    input: Input,
    prepare: () => Promise<{ projectId: string; effect: (tx: Transaction) => Promise<string> }>,
  ): Promise<BackendResult> {
    let prepared: { projectId: string; effect: (tx: Transaction) => Promise<string> } | Refusal;
    try {
      prepared = await prepare();
    } catch (error) {
      if (!(error instanceof Refusal)) {
        const userErrors = toUserErrors(error);
        if (userErrors === undefined) throw error;
        return { backend: null, userErrors, commit: null };
      }
      prepared = error;
    }
    const refusal = prepared instanceof Refusal ? prepared : undefined;
    const ready = prepared instanceof Refusal ? undefined : prepared;
    const { result, userErrors, commit } = await this.#mutations.run({
      name,
      context,
      // A refused request leaves its key alone.
      input: refusal === undefined ? input : { ...input, idempotencyKey: null },
      projectId: ready?.projectId ?? null,
      effect: async (tx) => {
        if (ready === undefined) throw refusal ?? new Error('nothing was prepared');
        const id = await ready.effect(tx);
        return { result: id, subject: { type: 'Backend', id } };
      },
    });
    const backend = result === null ? null : ((await readBackend(this.#db, result)) ?? null);
    return { backend, userErrors, commit };
  }
}

const nothingPresented = { presentedKind: null, presentedSha256: null } as const;
const closedCircuit = { circuitState: 'CLOSED', circuitReason: null } as const;

function checkVersion(row: BackendRow, expected: number | null | undefined): void {
  if (expected == null || expected === row.version) return;
  refuse('STALE_VERSION', `the backend is at version ${row.version}, not ${expected}: read it again`, {
    field: ['input', 'expectedVersion'],
  });
}

type WithoutNulls<T> = { [Field in keyof T]?: NonNullable<T[Field]> };

function withoutNulls<T extends object>(value: T | null | undefined): WithoutNulls<T> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, member]) => member != null)) as WithoutNulls<T>;
}
