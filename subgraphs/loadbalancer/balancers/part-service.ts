// Creates, changes and deletes the parts of load balancers: one implementation for all kinds. Each change is one transaction under the
// lock of the load balancer.
import { requireRole, visibleRow } from '../../../platform/authorise.ts';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { Refusal, refuse } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId, newUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import { refuseStale } from '../../../platform/refusals.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type Quotas, quotaOfPart } from '../model/quotas.ts';
import { wordsOf } from '../parts/graph-text.ts';
import type { MemberAddresses } from '../parts/member-addresses.ts';
import { addFaults, givenFields } from '../parts/part-input.ts';
import { type PartKind, type PartName, type PartSpec, partNames } from '../parts/part-kind.ts';
import { readSpec, referencesOf } from '../parts/part-spec.ts';
import { partKinds } from '../parts/parts.ts';
import { type BalancerRow, readBalancer } from '../stores/balancer-store.ts';
import { liveCertificates } from '../stores/certificate-store.ts';
import { changeBalancer } from '../stores/change-balancer.ts';
import {
  countParts,
  deleteParts,
  insertParts,
  lockPart,
  type NewPart,
  type PartRow,
  readChildren,
  readParts,
  referencesTo,
  setReferences,
  updatePart,
} from '../stores/part-store.ts';

export interface PartServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
  readonly quotas: Quotas;
  readonly memberAddresses: MemberAddresses;
}

interface KeyedInput {
  readonly idempotencyKey?: string | null;
}
interface NamedInput extends KeyedInput {
  readonly id: string;
  readonly expectedVersion?: number | null;
}
type Outcome = Promise<MutationOutcome<PartRow>>;

export class PartService {
  readonly #db: Database;
  readonly #wake: Wake;
  readonly #mutations: Mutations;
  readonly #quotas: Quotas;
  readonly #memberAddresses: MemberAddresses;

  constructor(options: PartServiceOptions) {
    this.#db = options.db;
    this.#wake = options.wake;
    this.#mutations = options.mutations;
    this.#quotas = options.quotas;
    this.#memberAddresses = options.memberAddresses;
  }

  create(context: RequestContext, name: PartName, input: KeyedInput): Outcome {
    const kind = partKinds[name];
    return this.#run(context, name, 'Create', input, async (attempt) => {
      const { check } = attempt;
      const given = givenFields(kind, input, check);
      const read = readSpec(kind, given);
      if (!read.ok) addFaults(check, kind, given, read.faults);
      else this.#memberAddresses.check(check, kind, read.spec);
      const parent = await this.#findParent(attempt, context, kind, input);
      check.throwIfAny();
      if (!read.ok) throw new Refusal(check.errors);
      const { spec } = read;
      return (tx) =>
        this.#change(tx, parent.loadBalancerId, (row, generation) =>
          this.#insert(tx, kind, row, parent.id, spec, generation),
        );
    });
  }

  update(context: RequestContext, name: PartName, input: NamedInput): Outcome {
    const kind = partKinds[name];
    return this.#run(context, name, 'Update', input, async (attempt) => {
      const given = givenFields(kind, input, attempt.check);
      const found = await this.#find(attempt, context, name, input.id);
      this.#changed(kind, found.spec, given, attempt.check);
      return (tx) =>
        this.#change(tx, found.loadBalancerId, async (row, generation) => {
          const part = await this.#lock(tx, name, input);
          const check = new InputCheck();
          const spec = this.#changed(kind, part.spec, given, check);
          await this.#write(tx, kind, row, { ...part, spec, generation });
          return part.id;
        });
    });
  }

  delete(context: RequestContext, name: PartName, input: NamedInput): Outcome {
    return this.#run(context, name, 'Delete', input, async (attempt) => {
      const found = await this.#find(attempt, context, name, input.id);
      return (tx) =>
        this.#change(tx, found.loadBalancerId, async (_, generation) => {
          const part = await this.#lock(tx, name, input);
          const ids = await withDescendants(tx, part);
          await refuseInUse(tx, ids, wordsOf(name));
          await deleteParts(tx, ids, generation);
          return part.id;
        });
    });
  }

  /** Until the deadline the member's sessions go on; it gets no new ones. Null: it gets new ones again. */
  drain(
    context: RequestContext,
    input: NamedInput & { readonly deadlineMs?: number | null; readonly drain?: boolean | null },
  ): Outcome {
    return this.#run(context, 'Member', 'Drain', input, async (attempt) => {
      attempt.check.integer('deadlineMs', input.deadlineMs, { min: 0, max: 86_400_000 });
      const found = await this.#find(attempt, context, 'Member', input.id);
      return (tx) =>
        this.#change(tx, found.loadBalancerId, async (_, generation) => {
          const part = await this.#lock(tx, 'Member', input);
          const pool = (await readParts(tx, [part.parentId])).get(part.parentId);
          const drainMs = input.deadlineMs ?? Number(pool?.spec.drainMs);
          const drainUntil = input.drain === false ? null : await inMs(tx, drainMs);
          await updatePart(tx, { ...part, drainUntil, generation, uniqueKey: partKinds.Member.unique?.(part.spec) });
          return part.id;
        });
    });
  }

  /** The pool's members become these: known by host and port, they are created, changed or deleted. */
  setMembers(context: RequestContext, input: NamedInput & { readonly members: readonly object[] }): Outcome {
    const kind = partKinds.Member;
    return this.#mutations.run({
      ...{ name: 'poolMembersSet', context, input, subject: 'Pool' },
      prepare: async (attempt) => {
        attempt.check.count('members', input.members, { max: kind.most });
        const pool = await this.#find(attempt, context, 'Pool', input.id);
        const specs = this.#memberSpecs(attempt.check, input.members);
        attempt.check.throwIfAny();
        return (tx) =>
          this.#change(tx, pool.loadBalancerId, async (row, generation) => {
            const locked = await this.#lock(tx, 'Pool', input);
            await this.#replaceMembers(tx, row, locked.id, specs, generation);
            return locked.id;
          });
      },
      read: (id) => this.#read(id),
    });
  }

  /** Adds parts that refer only to each other and to certificates, in the load balancer's own transaction. */
  async insertTree(
    tx: Transaction,
    balancer: Pick<BalancerRow, 'id' | 'projectId'>,
    parts: readonly NewPart[],
  ): Promise<void> {
    if (!(await insertParts(tx, parts))) throw new Error('two parts of a tree have the same unique key');
    for (const part of parts) await this.#checkReferences(tx, partKinds[part.kind], balancer, part.spec, part.id);
    const references = parts.flatMap((part) => referenceRows(partKinds[part.kind], part.id, part.spec));
    await setReferences(tx, [], references);
  }

  #memberSpecs(check: InputCheck, members: readonly object[]): ReadonlyMap<string, PartSpec> {
    const kind = partKinds.Member;
    const specs = new Map<string, PartSpec>();
    for (const [at, member] of members.slice(0, kind.most).entries()) {
      const given = givenFields(kind, member, check);
      const read = readSpec(kind, given);
      const path = ['members', String(at)];
      if (!read.ok) {
        addFaults(check, kind, given, read.faults, path);
        continue;
      }
      this.#memberAddresses.check(check, kind, read.spec, path);
      const key = kind.unique?.(read.spec) ?? '';
      if (specs.has(key)) check.fault(path.join('.'), `${key} is named twice; name each host and port once`);
      specs.set(key, read.spec);
    }
    return specs;
  }

  async #replaceMembers(
    tx: Transaction,
    balancer: BalancerRow,
    poolId: string,
    specs: ReadonlyMap<string, PartSpec>,
    generation: number,
  ): Promise<void> {
    const kind = partKinds.Member;
    const before = (await readChildren(tx, 'Member', [poolId])).get(poolId) ?? [];
    const byKey = new Map(before.map((row) => [kind.unique?.(row.spec) ?? '', row]));
    const removed = before.filter((row) => !specs.has(kind.unique?.(row.spec) ?? ''));
    await deleteParts(
      tx,
      removed.map(({ id }) => id),
      generation,
    );
    const added: NewPart[] = [];
    for (const [uniqueKey, spec] of specs) {
      const row = byKey.get(uniqueKey);
      if (row === undefined) added.push({ ...newPart(kind, balancer, poolId, spec, generation), uniqueKey });
      else if (JSON.stringify(row.spec) !== JSON.stringify(spec))
        await updatePart(tx, { id: row.id, spec, drainUntil: row.drainUntil, generation, uniqueKey });
    }
    await this.#quotas.take(tx, balancer.projectId, { MEMBERS: added.length });
    await insertParts(tx, added);
  }

  async #insert(
    tx: Transaction,
    kind: PartKind,
    balancer: BalancerRow,
    parentId: string,
    spec: PartSpec,
    generation: number,
  ): Promise<string> {
    if (kind.parent !== 'LoadBalancer' && (await lockPart(tx, parentId)) === undefined)
      refuse('NOT_FOUND', `the ${wordsOf(kind.parent)} was deleted`, { field: ['input', parentField(kind)] });
    const count = await countParts(tx, kind.name, { parentId });
    if (count >= kind.most)
      refuse(
        'LIMIT_REACHED',
        `the ${wordsOf(kind.parent)} has ${count} of at most ${kind.most} of these: delete one first`,
      );
    const quota = quotaOfPart[kind.name];
    if (quota !== undefined) await this.#quotas.take(tx, balancer.projectId, { [quota]: 1 });
    const part = newPart(kind, balancer, parentId, spec, generation);
    await this.#checkReferences(tx, kind, balancer, spec, part.id);
    if (!(await insertParts(tx, [part]))) refuseDuplicate(kind, spec);
    await setReferences(tx, [], referenceRows(kind, part.id, spec));
    return part.id;
  }

  async #write(
    tx: Transaction,
    kind: PartKind,
    balancer: BalancerRow,
    part: Pick<PartRow, 'id' | 'spec' | 'drainUntil' | 'generation'>,
  ): Promise<void> {
    await this.#checkReferences(tx, kind, balancer, part.spec, part.id);
    if (!(await updatePart(tx, { ...part, uniqueKey: kind.unique?.(part.spec) }))) refuseDuplicate(kind, part.spec);
    await setReferences(tx, [part.id], referenceRows(kind, part.id, part.spec));
  }

  /** The spec after a change. Throws a Refusal with all faults. */
  #changed(kind: PartKind, before: PartSpec, given: JsonObject, check: InputCheck): PartSpec {
    const wanted = { ...before, ...given };
    const read = readSpec(kind, wanted);
    if (!read.ok) addFaults(check, kind, wanted, read.faults);
    else this.#memberAddresses.check(check, kind, read.spec);
    check.throwIfAny();
    return read.ok ? read.spec : before;
  }

  /** Pools of the same load balancer, and certificates of the same project. */
  async #checkReferences(
    tx: Transaction,
    kind: PartKind,
    balancer: Pick<BalancerRow, 'id' | 'projectId'>,
    spec: PartSpec,
    ownId: string,
  ): Promise<void> {
    for (const { field, type, ids } of referencesOf(kind, spec)) {
      const known =
        type === 'TlsCertificate'
          ? await liveCertificates(tx, balancer.projectId, ids)
          : await livePartsOf(tx, type, balancer.id, ids);
      const missing = ids.find((id) => !known.has(id));
      if (missing !== undefined && missing !== ownId)
        refuse('NOT_FOUND', `there is no ${type} ${encodeId(type, missing)} that this ${wordsOf(kind.name)} may use`, {
          field: ['input', field],
        });
    }
  }

  async #findParent(
    attempt: Attempt,
    context: RequestContext,
    kind: PartKind,
    input: object,
  ): Promise<{ id: string; loadBalancerId: string }> {
    const field = parentField(kind);
    const id = String((input as Readonly<Record<string, unknown>>)[field]);
    const { parent } = kind;
    if (parent !== 'LoadBalancer') return this.#find(attempt, context, parent, id, field);
    const named = { type: parent, id, field };
    const row = await visibleRow(context.identity, attempt.check, named, (uuid) => readBalancer(this.#db, uuid));
    this.#admit(attempt, context, row.projectId);
    return { id: row.id, loadBalancerId: row.id };
  }

  /** Including deleted ones: a repeated request is prepared again, and must get its first answer. */
  async #find(attempt: Attempt, context: RequestContext, name: PartName, id: string, field = 'id'): Promise<PartRow> {
    const named = { type: name, id, field };
    const row = await visibleRow(context.identity, attempt.check, named, (uuid) => this.#read(uuid, name));
    this.#admit(attempt, context, row.projectId);
    return row;
  }

  #admit(attempt: Attempt, context: RequestContext, projectId: string): void {
    attempt.projectId = projectId;
    requireRole(context.identity, projectId, 'MEMBER', 'this');
  }

  async #read(id: string, name?: PartName): Promise<PartRow | undefined> {
    const row = (await readParts(this.#db, [id])).get(id);
    return row === undefined || (name !== undefined && row.kind !== name) ? undefined : row;
  }

  async #lock(tx: Transaction, name: PartName, input: NamedInput): Promise<PartRow> {
    const id = new InputCheck().id('id', input.id, name) ?? '';
    const row = await lockPart(tx, id);
    if (row === undefined) refuse('NOT_FOUND', `the ${wordsOf(name)} was deleted`, { field: ['input', 'id'] });
    refuseStale(input.expectedVersion, row.version);
    return row;
  }

  async #change(
    tx: Transaction,
    balancerId: string,
    write: (row: BalancerRow, generation: number) => Promise<string>,
  ): Promise<string> {
    let id = '';
    await changeBalancer(tx, this.#wake, balancerId, async (row, generation) => {
      id = await write(row, generation);
    });
    return id;
  }

  #run(
    context: RequestContext,
    name: PartName,
    verb: 'Create' | 'Update' | 'Delete' | 'Drain',
    input: KeyedInput,
    prepare: (attempt: Attempt) => Promise<Effect>,
  ): Outcome {
    const mutation = `${name.charAt(0).toLowerCase()}${name.slice(1)}${verb}`;
    return this.#mutations.run({
      name: mutation,
      context,
      input,
      subject: name,
      prepare,
      read: (id) => this.#read(id),
    });
  }
}

function newPart(
  kind: PartKind,
  { id: loadBalancerId, projectId }: Pick<BalancerRow, 'id' | 'projectId'>,
  parentId: string,
  spec: PartSpec,
  generation: number,
): NewPart {
  const uniqueKey = kind.unique?.(spec);
  return { id: newUuid(), projectId, loadBalancerId, parentId, kind: kind.name, spec, generation, uniqueKey };
}

function referenceRows(kind: PartKind, partId: string, spec: PartSpec) {
  return referencesOf(kind, spec).flatMap(({ field, ids }) => ids.map((targetId) => ({ partId, field, targetId })));
}

async function livePartsOf(
  tx: Transaction,
  type: PartName,
  balancerId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = [...(await readParts(tx, ids)).values()];
  return new Set(
    rows.filter((row) => row.kind === type && row.loadBalancerId === balancerId && !row.deleted).map(({ id }) => id),
  );
}

/** The part and all parts below it. */
async function withDescendants(tx: Transaction, part: PartRow): Promise<string[]> {
  const ids = [part.id];
  let parents: readonly PartRow[] = [part];
  while (parents.length > 0) {
    const kinds = new Set(parents.map(({ kind }) => kind));
    const children: PartRow[] = [];
    for (const name of partNames.filter((each) => kinds.has(partKinds[each].parent as PartName)))
      children.push(
        ...[
          ...(
            await readChildren(
              tx,
              name,
              parents.map(({ id }) => id),
            )
          ).values(),
        ].flat(),
      );
    ids.push(...children.map(({ id }) => id));
    parents = children;
  }
  return ids;
}

async function refuseInUse(tx: Transaction, ids: readonly string[], what: string): Promise<void> {
  const [first] = await referencesTo(tx, ids);
  if (first === undefined) return;
  const user = (await readParts(tx, [first.partId])).get(first.partId);
  const name = user === undefined ? 'another part' : `the ${wordsOf(user.kind)} ${encodeId(user.kind, user.id)}`;
  refuse('IN_USE', `the ${what} is the ${first.field} of ${name}: change that first`, { field: ['input', 'id'] });
}

function refuseDuplicate(kind: PartKind, spec: PartSpec): never {
  refuse(
    'ALREADY_EXISTS',
    `the ${wordsOf(kind.parent)} has a ${wordsOf(kind.name)} with ${kind.unique?.(spec) ?? ''} already`,
  );
}

function parentField({ parent }: PartKind): string {
  return `${parent.charAt(0).toLowerCase()}${parent.slice(1)}Id`;
}

/** By the database's clock. */
async function inMs(tx: Transaction, ms: number): Promise<Date> {
  const [row] = await tx.query<{ at: Date }>('SELECT NOW(3) + INTERVAL ? MICROSECOND AS at', [ms * 1000]);
  return row?.at ?? new Date();
}
