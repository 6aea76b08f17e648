// Creates, changes and deletes the entities of GSLB. It writes the desired state. In the same transaction it owes the evaluation
// of affected members and the planning of affected names.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { isDuplicateKey } from '../../../../platform/errors/database-errors.ts';
import { Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { addFaults, givenFields } from '../../../../platform/graph/described/input.ts';
import { readSpec } from '../../../../platform/graph/described/spec.ts';
import { caller, oneProject, requireAdmin, requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale } from '../../../../platform/input/refusals.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { type JsonObject, sameJson } from '../../../../platform/values/json.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { storedParameters } from '../../spec/check-parameters.ts';
import type { GslbKind } from '../../spec/kind.ts';
import {
  deleteEntity,
  type EntityRows,
  type EntityType,
  insertEntity,
  liveMonitor,
  lockEntity,
  readEntities,
  updateEntity,
} from './entity-store.ts';
import { type GslbQuotas, lockProject, takeQuota } from './project-store.ts';
import { columnsOf, settingsOf, storedSettings } from './shown-settings.ts';
import { asGiven, refusedAsGiven } from './tree-paths.ts';
import { poolUses } from './use-store.ts';

/** New pools, members and monitors of a new name. */
export interface PlannedTree {
  /** UUIDs of the new pools, in order. */
  readonly poolIds: readonly string[];
  write(tx: Transaction): Promise<void>;
}

export interface ServiceDependencies {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
  readonly egress: EgressPolicy;
  readonly sealer: Sealer;
  readonly quotas: GslbQuotas;
  /** Interval between batches of a checker. */
  readonly heartbeatMs: number;
}

interface CreateInput {
  readonly idempotencyKey?: string | null;
  readonly projectId?: string | null;
}

export interface NamedInput {
  readonly idempotencyKey?: string | null;
  readonly id: string;
  readonly expectedVersion?: number | null;
}

/** The place of an entity: its project or pool. */
interface Place {
  /** Undefined if it is new. */
  readonly id: string | undefined;
  /** Null for entities of administrators. */
  readonly projectId: string | null;
  /** Pool of a member. */
  readonly poolId?: string;
}

/** The special rules of one kind of entity. */
export interface Handler<Type extends EntityType = EntityType> {
  readonly kind: GslbKind & { readonly name: Type };
  /** Faults beyond the settings themselves. Runs before the transaction, and again in it. */
  check?(sql: Sql, check: InputCheck, settings: JsonObject, place: Place): Promise<void>;
  /** Whether a change counts the project's objects against a limit. It then takes the lock that the project's creations take. */
  readonly counts?: true;
  /** Runs in the transaction, before `check`. Locks the rows that `check` reads, so that they stay unchanged until the end. */
  hold?(tx: Transaction, settings: JsonObject): Promise<void>;
  /** UUID and project of the pool of a new member. */
  parent?(
    attempt: Attempt,
    context: RequestContext,
    input: object,
  ): Promise<{ readonly poolId: string; readonly projectId: string }>;
  /** For a new entity: derives input fields, and writes related rows first. */
  before?(
    check: InputCheck,
    input: object,
    place: Omit<Place, 'id'>,
  ): Promise<{ readonly input: object; readonly tree: PlannedTree | undefined }>;
  /** The settings that a person gave. Default: all of them. */
  given?(settings: JsonObject): JsonObject;
  /** Adds faults of input fields that are not settings. */
  checkInput?(check: InputCheck, input: object): void;
  /** Columns of input fields that are not settings. */
  columns?(
    tx: Transaction,
    input: object,
    row: { readonly id: string; readonly settings: JsonObject; readonly before: EntityRows[Type] | undefined },
  ): Promise<Readonly<Record<string, SqlValue>>>;
  /** Runs after the row was written, in its transaction. `before`: absent for a new entity. */
  written?(tx: Transaction, id: string, settings: JsonObject, before: EntityRows[Type] | undefined): Promise<void>;
  /** Replaces the usual deletion. Refuses while others use the entity. */
  remove?(tx: Transaction, row: EntityRows[Type]): Promise<void>;
}

type Outcome<Type extends EntityType> = Promise<MutationOutcome<EntityRows[Type]>>;

/** The mutations of one kind of entity. */
export class EntityService<Type extends EntityType> {
  readonly #dependencies: ServiceDependencies;
  readonly #handler: Handler<Type>;
  readonly #type: Type;

  constructor(dependencies: ServiceDependencies, handler: Handler<Type>) {
    this.#dependencies = dependencies;
    this.#handler = handler;
    this.#type = handler.kind.name;
  }

  create(context: RequestContext, input: CreateInput & object): Outcome<Type> {
    return this.run('Create', context, input, (attempt) => this.prepareCreate(attempt, context, input));
  }

  async prepareCreate(attempt: Attempt, context: RequestContext, input: CreateInput & object): Promise<Effect> {
    const { kind, parent } = this.#handler;
    const { check } = attempt;
    let place: Omit<Place, 'id'> = { projectId: null };
    if (kind.owner === 'ADMINISTRATOR') requireAdmin(caller(context));
    else if (parent !== undefined) place = await parent(attempt, context, input);
    else place = { projectId: oneProject(context.identity, input.projectId) };
    attempt.projectId = place.projectId;
    if (place.projectId !== null) requireRole(context.identity, place.projectId, 'MEMBER', 'this');
    const before = await this.#handler.before?.(check, input, place);
    const tree = before?.tree;
    const newPools = tree?.poolIds.length ?? 0;
    const own = new InputCheck();
    const write = await this.plan(own, { ...input, ...before?.input }, place, { isPartOfTree: tree !== undefined });
    check.errors.push(...own.errors.map((error) => asGiven(error, newPools)));
    check.throwIfAny();
    if (write === undefined) throw new Refusal(check.errors);
    return async (tx) => {
      await tree?.write(tx);
      const id = newUuid();
      await refusedAsGiven(newPools, () => write(tx, id));
      return id;
    };
  }

  /**
   * Checks the input of a new entity and adds its faults. Undefined if its settings have faults. Its pool or project need not exist yet.
   * `isPartOfTree`: whether its references do not exist yet either. They are then checked in the transaction.
   */
  async plan(
    check: InputCheck,
    input: object,
    place: Omit<Place, 'id'>,
    { isPartOfTree = false }: { readonly isPartOfTree?: boolean } = {},
  ): Promise<((tx: Transaction, id: string) => Promise<void>) | undefined> {
    const { checkInput, columns } = this.#handler;
    const { projectId, poolId } = place;
    checkInput?.(check, input);
    const settings = this.#read(check, this.#given(input, check));
    if (settings === undefined) return undefined;
    if (!isPartOfTree) await this.#handler.check?.(this.#dependencies.db, check, settings, { ...place, id: undefined });
    return async (tx, id) => {
      if (projectId !== null) await takeQuota(tx, projectId, this.#type as 'GslbPool', this.#dependencies.quotas);
      await this.#again(tx, settings, { ...place, id: undefined });
      await this.#taken(
        settings,
        insertEntity(tx, this.#type, {
          id,
          ...(projectId === null ? {} : { project_id: projectId }),
          ...(poolId === undefined ? {} : { pool_id: poolId }),
          ...columnsOf(this.#type, settings),
          ...(await columns?.(tx, input, { id, settings, before: undefined })),
        }),
      );
      await this.#handler.written?.(tx, id, settings, undefined);
    };
  }

  /** UUID of an entity in the project with the same name and settings as a new one. Undefined if there is none. Never one with credentials. */
  async equalTo(
    this: EntityService<'GslbMonitor'>,
    tx: Transaction,
    projectId: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<string | undefined> {
    const row = await liveMonitor(tx, projectId, String(input.name));
    if (row === undefined || row.credentialsSet) return undefined;
    const check = new InputCheck();
    const [wanted, present] = [this.#read(check, this.#given(input, check)), await this.#settings(tx, row)];
    return sameJson(wanted, this.#read(check, present)) ? row.id : undefined;
  }

  update(context: RequestContext, input: NamedInput & object): Outcome<Type> {
    return this.run('Update', context, input, (attempt) => this.prepareUpdate(attempt, context, input));
  }

  async prepareUpdate(attempt: Attempt, context: RequestContext, input: NamedInput & object): Promise<Effect> {
    const { checkInput, columns } = this.#handler;
    const { db } = this.#dependencies;
    const { check } = attempt;
    checkInput?.(check, input);
    const given = this.#given(input, check);
    const found = await this.find(attempt, context, input.id);
    const settings = this.#read(check, { ...(await this.#settings(db, found)), ...given });
    if (settings !== undefined) await this.#handler.check?.(db, check, settings, placeOf(found));
    check.throwIfAny();
    return async (tx) => {
      const { projectId } = placeOf(found);
      if (this.#handler.counts && projectId !== null) await lockProject(tx, projectId);
      const row = await this.lock(tx, input);
      const inside = new InputCheck();
      const before = await this.#settings(tx, row);
      const after = this.#read(inside, { ...before, ...given });
      inside.throwIfAny();
      if (after === undefined) throw new Refusal(inside.errors);
      await this.#again(tx, after, placeOf(row));
      const more = await columns?.(tx, input, { id: row.id, settings: after, before: row });
      // All other written values follow from the settings, except a secret.
      if (more?.secret === undefined && sameJson(after, this.#read(new InputCheck(), before))) return row.id;
      await this.#taken(after, updateEntity(tx, this.#type, row.id, { ...columnsOf(this.#type, after), ...more }));
      await this.#handler.written?.(tx, row.id, after, row);
      return row.id;
    };
  }

  delete(context: RequestContext, input: NamedInput & object): Outcome<Type> {
    return this.run('Delete', context, input, (attempt) => this.prepareDelete(attempt, context, input));
  }

  async prepareDelete(attempt: Attempt, context: RequestContext, input: NamedInput & object): Promise<Effect> {
    // A deleted zone leaves no row, and a repeated request must get its first answer.
    if (this.#type === 'DnsZone') {
      requireAdmin(caller(context));
      attempt.check.id('id', input.id, this.#type);
    } else await this.find(attempt, context, input.id);
    attempt.check.throwIfAny();
    return async (tx) => {
      const row = await this.lock(tx, input);
      if (this.#handler.remove === undefined) await deleteEntity(tx, this.#type, row.id);
      else await this.#handler.remove(tx, row);
      return row.id;
    };
  }

  /** Runs another mutation of the kind. `verb`: the end of its name, or the whole name. */
  run<Input extends { readonly idempotencyKey?: string | null } & object>(
    verb: string,
    context: RequestContext,
    input: Input,
    prepare: (attempt: Attempt) => Promise<Effect>,
  ): Outcome<Type> {
    const stem = `${this.#type.charAt(0).toLowerCase()}${this.#type.slice(1)}`;
    const name = verb.startsWith('gslb') ? verb : `${stem}${verb}`;
    return this.#dependencies.mutations.run({
      ...{ name, context, input, subject: this.#type, prepare },
      read: async (id) => (await readEntities(this.#dependencies.db, this.#type, [id])).get(id),
    });
  }

  /** Also finds a deleted entity: a repeated request is prepared again, and must get its first answer. */
  async find(attempt: Attempt, context: RequestContext, id: string, field = 'id'): Promise<EntityRows[Type]> {
    const type = this.#type;
    if (this.#handler.kind.owner === 'ADMINISTRATOR') {
      requireAdmin(caller(context));
      const uuid = attempt.check.id(field, id, type);
      const row = uuid === undefined ? undefined : (await readEntities(this.#dependencies.db, type, [uuid])).get(uuid);
      if (row !== undefined) return row;
      if (uuid !== undefined) attempt.check.fault(field, `there is no ${type} ${id}`, 'NOT_FOUND');
      throw new Refusal(attempt.check.errors);
    }
    const row = await visibleRow(context.identity, attempt.check, { type, id, field }, async (uuid) => {
      const found = (await readEntities(this.#dependencies.db, type, [uuid])).get(uuid);
      return found as (EntityRows[Type] & { readonly projectId: string }) | undefined;
    });
    attempt.projectId = row.projectId;
    requireRole(context.identity, row.projectId, 'MEMBER', 'this');
    return row;
  }

  /** Refuses NOT_FOUND if it is deleted, and STALE_VERSION for another version. */
  async lock(tx: Transaction, input: NamedInput, field = 'id'): Promise<EntityRows[Type]> {
    const uuid = new InputCheck().id('id', input.id, this.#type) ?? '';
    const row = await lockEntity(tx, this.#type, uuid);
    if (row === undefined)
      refuse('NOT_FOUND', `the ${this.#handler.kind.words[1]} was deleted`, { field: ['input', field] });
    refuseStale(input.expectedVersion, row);
    return row;
  }

  /** Check parameters in their stored form, with their check type. */
  #given(input: object, check: InputCheck): JsonObject {
    const given = givenFields(this.#handler.kind, input, check);
    const { parameters } = given;
    if (parameters === undefined) return given;
    if (parameters === null) return { ...given, parametersFor: null };
    return { ...given, ...storedParameters(parameters as JsonObject, { keepsDefaults: this.#type !== 'GslbMonitor' }) };
  }

  /** Reads settings under the names of a stored spec. */
  #read(check: InputCheck, given: JsonObject): JsonObject | undefined {
    const { kind } = this.#handler;
    const read = readSpec(kind, given);
    if (read.ok) return storedSettings(this.#type, read.spec);
    addFaults(check, kind, given, read.faults);
    return undefined;
  }

  async #again(tx: Transaction, settings: JsonObject, place: Place): Promise<void> {
    await this.#handler.hold?.(tx, settings);
    const check = new InputCheck();
    await this.#handler.check?.(tx, check, settings, place);
    check.throwIfAny();
  }

  async #settings(sql: Sql, row: EntityRows[Type]): Promise<JsonObject> {
    const settings = settingsOf(this.#type, row);
    if (this.#type !== 'Gslb') return this.#handler.given?.(settings) ?? settings;
    const uses = (await poolUses(sql, [row.id])).filter(({ fallback }) => !fallback);
    return settingsOf(
      this.#type,
      row,
      uses.map(({ poolId }) => poolId),
    );
  }

  async #taken(settings: JsonObject, write: Promise<void>): Promise<void> {
    try {
      await write;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      if (this.#type === 'Gslb')
        refuse('NAME_TAKEN', `the name ${String(settings.fqdn)} belongs to another GSLB: choose another name`, {
          field: ['input', 'fqdn'],
        });
      const { kind } = this.#handler;
      refuse('ALREADY_EXISTS', `${kind.words.join(' ')} named ${String(settings.name)} already exists`, {
        field: ['input', 'name'],
      });
    }
  }
}

function placeOf(row: EntityRows[EntityType]): Place {
  return {
    id: row.id,
    projectId: 'projectId' in row ? row.projectId : null,
    ...('poolId' in row ? { poolId: row.poolId } : {}),
  };
}
