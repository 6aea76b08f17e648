// Creates, changes and deletes the objects of GSLB. What it writes is wanted: in the same transaction, members that are judged anew and
// names that are planned anew are owed.
import { caller, oneProject, requireAdmin, requireRole, visibleRow } from '../../../platform/authorise.ts';
import type { Database, Sql, SqlValue, Transaction } from '../../../platform/database/database.ts';
import { isDuplicateKey } from '../../../platform/database/errors.ts';
import { Refusal, refuse } from '../../../platform/errors.ts';
import { addFaults, givenFields } from '../../../platform/graph/described/input.ts';
import { readSpec } from '../../../platform/graph/described/spec.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { refuseStale } from '../../../platform/refusals.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import {
  deleteObject,
  insertObject,
  lockObject,
  type ObjectRows,
  type ObjectType,
  readObjects,
  updateObject,
} from '../conductor/object-store.ts';
import { type GslbQuotas, takeQuota } from '../conductor/project-store.ts';
import { poolUses } from '../conductor/use-store.ts';
import type { GslbKind } from '../parts/kind.ts';
import { columnsOf, settingsOf } from './shown-settings.ts';

export interface ServiceParts {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
  readonly egress: EgressPolicy;
  readonly sealer: Sealer;
  readonly quotas: GslbQuotas;
  /** How often a checker is heard. */
  readonly heartbeatMs: number;
}

export interface CreateInput {
  readonly idempotencyKey?: string | null;
  readonly projectId?: string | null;
}

export interface NamedInput {
  readonly idempotencyKey?: string | null;
  readonly id: string;
  readonly expectedVersion?: number | null;
}

/** Where an object is, or is to be. */
export interface Place {
  /** Undefined: it is new. */
  readonly id: string | undefined;
  /** Null: an administrator's. */
  readonly projectId: string | null;
  /** Of a member. */
  readonly poolId?: string;
}

/** What is particular to a kind of object. */
export interface Handler<Type extends ObjectType = ObjectType> {
  readonly kind: GslbKind & { readonly name: Type };
  /** Faults beyond the settings themselves. Run before the transaction, and again in it. */
  check?(sql: Sql, check: InputCheck, settings: JsonObject, place: Place): Promise<void>;
  /** In the transaction, before `check`: holds what it reads, so that it stays so until the end. */
  hold?(tx: Transaction, settings: JsonObject): Promise<void>;
  /** The UUID of the pool of a new member, and its project. */
  parent?(
    attempt: Attempt,
    context: RequestContext,
    input: object,
  ): Promise<{ readonly poolId: string; readonly projectId: string }>;
  /** What a person set of the settings; default: all of it. */
  given?(settings: JsonObject): JsonObject;
  /** Faults of what is in the input beside the settings. */
  checkInput?(check: InputCheck, input: object): void;
  /** Columns for what is in the input beside the settings. */
  columns?(
    tx: Transaction,
    input: object,
    row: { readonly id: string; readonly settings: JsonObject; readonly before: ObjectRows[Type] | undefined },
  ): Promise<Readonly<Record<string, SqlValue>>>;
  /** After the row is written, in its transaction. `before`: absent for a new one. */
  written?(tx: Transaction, id: string, settings: JsonObject, before: ObjectRows[Type] | undefined): Promise<void>;
  /** In place of the usual deletion; refuses where others use it. */
  remove?(tx: Transaction, row: ObjectRows[Type]): Promise<void>;
}

type Outcome<Type extends ObjectType> = Promise<MutationOutcome<ObjectRows[Type]>>;

/** The mutations of one kind of object. */
export class ObjectService<Type extends ObjectType> {
  readonly #parts: ServiceParts;
  readonly #handler: Handler<Type>;
  readonly #type: Type;

  constructor(parts: ServiceParts, handler: Handler<Type>) {
    this.#parts = parts;
    this.#handler = handler;
    this.#type = handler.kind.name;
  }

  create(context: RequestContext, input: CreateInput & object): Outcome<Type> {
    const { kind, parent, checkInput, columns } = this.#handler;
    const { db } = this.#parts;
    return this.run('Create', context, input, async (attempt) => {
      const { check } = attempt;
      checkInput?.(check, input);
      const settings = this.#read(check, givenFields(kind, input, check));
      let place: Omit<Place, 'id'> = { projectId: null };
      if (kind.owner === 'ADMINISTRATOR') requireAdmin(caller(context));
      else if (parent !== undefined) place = await parent(attempt, context, input);
      else place = { projectId: oneProject(context.identity, input.projectId) };
      attempt.projectId = place.projectId;
      if (place.projectId !== null) requireRole(context.identity, place.projectId, 'MEMBER', 'this');
      if (settings !== undefined) await this.#handler.check?.(db, check, settings, { ...place, id: undefined });
      check.throwIfAny();
      if (settings === undefined) throw new Refusal(check.errors);
      return async (tx) => {
        const id = newUuid();
        const { projectId, poolId } = place;
        if (projectId !== null) await takeQuota(tx, projectId, this.#type as 'GslbPool', this.#parts.quotas);
        await this.#again(tx, settings, { ...place, id: undefined });
        await this.#taken(
          settings,
          insertObject(tx, this.#type, {
            id,
            ...(projectId === null ? {} : { project_id: projectId }),
            ...(poolId === undefined ? {} : { pool_id: poolId }),
            ...columnsOf(this.#type, settings),
            ...(await columns?.(tx, input, { id, settings, before: undefined })),
          }),
        );
        await this.#handler.written?.(tx, id, settings, undefined);
        return id;
      };
    });
  }

  update(context: RequestContext, input: NamedInput & object): Outcome<Type> {
    const { kind, checkInput, columns } = this.#handler;
    const { db } = this.#parts;
    return this.run('Update', context, input, async (attempt) => {
      const { check } = attempt;
      checkInput?.(check, input);
      const given = givenFields(kind, input, check);
      const found = await this.find(attempt, context, input.id);
      const settings = this.#read(check, { ...(await this.#settings(db, found)), ...given });
      if (settings !== undefined) await this.#handler.check?.(db, check, settings, placeOf(found));
      check.throwIfAny();
      return async (tx) => {
        const row = await this.lock(tx, input);
        const inside = new InputCheck();
        const after = this.#read(inside, { ...(await this.#settings(tx, row)), ...given });
        inside.throwIfAny();
        if (after === undefined) throw new Refusal(inside.errors);
        await this.#again(tx, after, placeOf(row));
        const more = await columns?.(tx, input, { id: row.id, settings: after, before: row });
        await this.#taken(after, updateObject(tx, this.#type, row.id, { ...columnsOf(this.#type, after), ...more }));
        await this.#handler.written?.(tx, row.id, after, row);
        return row.id;
      };
    });
  }

  delete(context: RequestContext, input: NamedInput & object): Outcome<Type> {
    return this.run('Delete', context, input, async (attempt) => {
      // Of a zone nothing stays, and a repeated request must get its first answer.
      if (this.#type === 'DnsZone') {
        requireAdmin(caller(context));
        attempt.check.id('id', input.id, this.#type);
      } else await this.find(attempt, context, input.id);
      attempt.check.throwIfAny();
      return async (tx) => {
        const row = await this.lock(tx, input);
        if (this.#handler.remove === undefined) await deleteObject(tx, this.#type, row.id);
        else await this.#handler.remove(tx, row);
        return row.id;
      };
    });
  }

  /** Another mutation of the kind. `verb`: the end of its name, or all of it. */
  run<Input extends { readonly idempotencyKey?: string | null } & object>(
    verb: string,
    context: RequestContext,
    input: Input,
    prepare: (attempt: Attempt) => Promise<Effect>,
  ): Outcome<Type> {
    const stem = `${this.#type.charAt(0).toLowerCase()}${this.#type.slice(1)}`;
    const name = verb.startsWith('gslb') ? verb : `${stem}${verb}`;
    return this.#parts.mutations.run({
      ...{ name, context, input, subject: this.#type, prepare },
      read: async (id) => (await readObjects(this.#parts.db, this.#type, [id])).get(id),
    });
  }

  /** Also a deleted one: a repeated request is prepared again, and must get its first answer. */
  async find(attempt: Attempt, context: RequestContext, id: string, field = 'id'): Promise<ObjectRows[Type]> {
    const type = this.#type;
    if (this.#handler.kind.owner === 'ADMINISTRATOR') {
      requireAdmin(caller(context));
      const uuid = attempt.check.id(field, id, type);
      const row = uuid === undefined ? undefined : (await readObjects(this.#parts.db, type, [uuid])).get(uuid);
      if (row !== undefined) return row;
      if (uuid !== undefined) attempt.check.fault(field, `there is no ${type} ${id}`, 'NOT_FOUND');
      throw new Refusal(attempt.check.errors);
    }
    const row = await visibleRow(context.identity, attempt.check, { type, id, field }, async (uuid) => {
      const found = (await readObjects(this.#parts.db, type, [uuid])).get(uuid);
      return found as (ObjectRows[Type] & { readonly projectId: string }) | undefined;
    });
    attempt.projectId = row.projectId;
    requireRole(context.identity, row.projectId, 'MEMBER', 'this');
    return row;
  }

  /** Refuses NOT_FOUND one that is deleted, STALE_VERSION another version. */
  async lock(tx: Transaction, input: NamedInput, field = 'id'): Promise<ObjectRows[Type]> {
    const uuid = new InputCheck().id('id', input.id, this.#type) ?? '';
    const row = await lockObject(tx, this.#type, uuid);
    if (row === undefined)
      refuse('NOT_FOUND', `the ${this.#handler.kind.words[1]} was deleted`, { field: ['input', field] });
    refuseStale(input.expectedVersion, row.version);
    return row;
  }

  #read(check: InputCheck, given: JsonObject): JsonObject | undefined {
    const { kind } = this.#handler;
    const read = readSpec(kind, given);
    if (read.ok) return read.spec;
    addFaults(check, kind, given, read.faults);
    return undefined;
  }

  async #again(tx: Transaction, settings: JsonObject, place: Place): Promise<void> {
    await this.#handler.hold?.(tx, settings);
    const check = new InputCheck();
    await this.#handler.check?.(tx, check, settings, place);
    check.throwIfAny();
  }

  async #settings(sql: Sql, row: ObjectRows[Type]): Promise<JsonObject> {
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

function placeOf(row: ObjectRows[ObjectType]): Place {
  return {
    id: row.id,
    projectId: 'projectId' in row ? row.projectId : null,
    ...('poolId' in row ? { poolId: row.poolId } : {}),
  };
}
