// Creates, changes and deletes the parts of load balancers: one implementation for all kinds. Each change is one transaction under the
// lock of the load balancer.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { addFaults, givenFields } from '../../../../platform/graph/described/input.ts';
import { uniqueWords } from '../../../../platform/graph/described/kind.ts';
import { readSpec } from '../../../../platform/graph/described/spec.ts';
import { requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale } from '../../../../platform/input/refusals.ts';
import { type JsonObject, sameJson } from '../../../../platform/values/json.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import { wordsOf } from '../../spec/graph-text.ts';
import type { MemberAddresses } from '../../spec/member-addresses.ts';
import { type PartKind, type PartName, type PartSpec, partNames, refersById } from '../../spec/part-kind.ts';
import { partKinds } from '../../spec/parts.ts';
import { readBalancer } from '../stores/balancer-store.ts';
import { balancerTurn, changeBalancer } from '../stores/change-balancer.ts';
import { hostNetworks } from '../stores/host-store.ts';
import { lockPart, type PartRow, readParts, updatePart } from '../stores/part-store.ts';
import type { Quotas } from '../stores/quotas.ts';
import { checkPort } from './networks.ts';
import { deletePart, insertPart, parentField, replaceMembers, writePart } from './part-writes.ts';
import { checkReferences } from './references.ts';

interface PartServiceOptions {
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
interface DrainInput extends NamedInput {
  readonly deadlineMs?: number | null;
}
interface MembersInput extends NamedInput {
  readonly members: readonly object[];
}
type Outcome = Promise<MutationOutcome<PartRow>>;

/** Checks input and rights. The returned effect does all writes of the mutation. */
type Prepare<Input extends KeyedInput> = (attempt: Attempt, context: RequestContext, input: Input) => Promise<Effect>;

/** A mutation of parts. */
interface Change {
  readonly subject: PartName;
  /** Each takes its own input type, as validated by the graph. */
  readonly prepare: Prepare<never>;
}

export class PartService {
  readonly #options: PartServiceOptions;
  /** By the name of the mutation. */
  readonly #changes: ReadonlyMap<string, Change>;

  constructor(options: PartServiceOptions) {
    this.#options = options;
    const ofKinds = partNames.flatMap((name): [string, Change][] => {
      const [stem, kind] = [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, partKinds[name]];
      return [
        [`${stem}Create`, { subject: name, prepare: this.#creation(kind) }],
        [`${stem}Update`, { subject: name, prepare: this.#update(kind) }],
        [`${stem}Delete`, { subject: name, prepare: this.#deletion(kind) }],
      ];
    });
    this.#changes = new Map([
      ...ofKinds,
      ['poolMemberDrain', { subject: 'PoolMember', prepare: this.#drain }],
      ['poolMemberDrainCancel', { subject: 'PoolMember', prepare: this.#cancelDrain }],
      ['poolMembersSet', { subject: 'Pool', prepare: this.#setMembers }],
    ]);
  }

  /** `mutation`: its name in the graph. */
  change(context: RequestContext, mutation: string, input: KeyedInput & object): Outcome {
    return this.#options.mutations.run({
      ...{ name: mutation, context, input, subject: this.#change(mutation).subject },
      prepare: (attempt) => this.prepare(attempt, context, mutation, input),
      read: (id) => this.#read(id),
    });
  }

  /** The effect of a mutation. The caller may run it and roll it back. Refuses under the same conditions as the mutation. */
  prepare(attempt: Attempt, context: RequestContext, mutation: string, input: KeyedInput): Promise<Effect> {
    return this.#change(mutation).prepare(attempt, context, input as never);
  }

  #change(mutation: string): Change {
    const change = this.#changes.get(mutation);
    if (change === undefined) throw new Error(`${mutation} is not a mutation of parts`);
    return change;
  }

  #creation(kind: PartKind): Prepare<KeyedInput> {
    return async (attempt, context, input) => {
      const { check } = attempt;
      const { db, quotas } = this.#options;
      const given = givenFields(kind, input, check);
      const read = readSpec(kind, given);
      if (!read.ok) addFaults(check, kind, given, read.faults);
      const parent = await this.#findParent(attempt, context, kind, input);
      const balancer = { id: parent.loadBalancerId, projectId: parent.projectId };
      if (read.ok) {
        await this.#checkPlace(check, kind, read.spec);
        const placed = { kind, spec: read.spec, parentSpec: parent.spec, at: [] };
        await checkReferences(db, check, [placed], { balancer, locked: false });
      }
      check.throwIfAny();
      if (!read.ok) throw new Refusal(check.errors);
      const { spec } = read;
      await attempt.inTurn(balancerTurn(balancer.id));
      return (tx) =>
        this.#under(
          tx,
          balancer.id,
          (row, generation) => insertPart(tx, quotas, kind, row, parent.id, spec, generation),
          parentField(kind),
        );
    };
  }

  #update(kind: PartKind): Prepare<NamedInput> {
    return async (attempt, context, input) => {
      const { check } = attempt;
      const given = givenFields(kind, input, check);
      const found = await this.#find(attempt, context, kind.name, input.id);
      const spec = changed(kind, found.spec, given, check);
      // Only for fields in this input: a member whose address is denied by now can still be disabled.
      const isDialled = given.monitorHost !== undefined || given.monitorPort !== undefined;
      if (isDialled) await this.#checkPlace(check, kind, spec);
      check.throwIfAny();
      await attempt.inTurn(balancerTurn(found.loadBalancerId));
      return (tx) =>
        this.#under(tx, found.loadBalancerId, async (row, generation) => {
          const part = await lockNamed(tx, kind.name, input);
          const inside = new InputCheck();
          const after = changed(kind, part.spec, given, inside);
          inside.throwIfAny();
          if (sameJson(after, part.spec)) return { unchanged: part.id };
          await writePart(tx, kind, row, { ...part, spec: after, generation }, part.spec);
          return part.id;
        });
    };
  }

  #deletion(kind: PartKind): Prepare<NamedInput> {
    return async (attempt, context, input) => {
      const found = await this.#find(attempt, context, kind.name, input.id);
      await attempt.inTurn(balancerTurn(found.loadBalancerId));
      return (tx) =>
        this.#under(tx, found.loadBalancerId, async (_, generation) => {
          const part = await lockNamed(tx, kind.name, input);
          await deletePart(tx, part, generation);
          return part.id;
        });
    };
  }

  /** The member's sessions continue until the deadline; it gets no new ones. */
  readonly #drain: Prepare<DrainInput> = async (attempt, context, input) => {
    attempt.check.integer('deadlineMs', input.deadlineMs, { min: 0, max: 86_400_000 });
    return this.#setDrain(attempt, context, input, async (tx, part) => {
      const pool = (await readParts(tx, [part.parentId])).get(part.parentId);
      return inMs(tx, input.deadlineMs ?? Number(pool?.spec.drainMs));
    });
  };

  readonly #cancelDrain: Prepare<NamedInput> = (attempt, context, input) =>
    this.#setDrain(attempt, context, input, async () => null);

  async #setDrain(
    attempt: Attempt,
    context: RequestContext,
    input: NamedInput,
    until: (tx: Transaction, part: PartRow) => Promise<Date | null>,
  ): Promise<Effect> {
    const found = await this.#find(attempt, context, 'PoolMember', input.id);
    await attempt.inTurn(balancerTurn(found.loadBalancerId));
    return (tx) =>
      this.#under(tx, found.loadBalancerId, async (_, generation) => {
        const part = await lockNamed(tx, 'PoolMember', input);
        const drainUntil = await until(tx, part);
        await updatePart(tx, { ...part, drainUntil, generation, uniqueKey: partKinds.PoolMember.unique?.(part.spec) });
        return part.id;
      });
  }

  readonly #setMembers: Prepare<MembersInput> = async (attempt, context, input) => {
    const { check } = attempt;
    check.count('members', input.members, { max: partKinds.PoolMember.most });
    const pool = await this.#find(attempt, context, 'Pool', input.id);
    const { ranges } = await hostNetworks(this.#options.db);
    const specs = this.#memberSpecs(check, input.members, ranges);
    check.throwIfAny();
    await attempt.inTurn(balancerTurn(pool.loadBalancerId));
    return (tx) =>
      this.#under(tx, pool.loadBalancerId, async (row, generation) => {
        const locked = await lockNamed(tx, 'Pool', input);
        await replaceMembers(tx, this.#options.quotas, row, locked.id, specs, generation);
        return locked.id;
      });
  };

  /** By unique key. `ranges`: of the hosts. */
  #memberSpecs(
    check: InputCheck,
    members: readonly object[],
    ranges: readonly string[],
  ): ReadonlyMap<string, PartSpec> {
    const kind = partKinds.PoolMember;
    const specs = new Map<string, PartSpec>();
    for (const [at, member] of members.slice(0, kind.most).entries()) {
      const given = givenFields(kind, member, check);
      const read = readSpec(kind, given);
      const path = ['members', String(at)];
      if (!read.ok) {
        addFaults(check, kind, given, read.faults, path, refersById(path));
        continue;
      }
      this.#options.memberAddresses.check(check, kind, read.spec, ranges, path);
      const key = kind.unique?.(read.spec) ?? '';
      if (specs.has(key))
        check.fault(path.join('.'), `${uniqueWords(kind, read.spec)} is named twice; name each host and port once`);
      specs.set(key, read.spec);
    }
    return specs;
  }

  /** Adds a fault for an address or port that this kind of part may not have there. */
  async #checkPlace(check: InputCheck, kind: PartKind, spec: PartSpec): Promise<void> {
    const { db, memberAddresses } = this.#options;
    if (kind.name !== 'PoolMember' && kind.name !== 'Listener') return;
    const { ranges, takenPorts } = await hostNetworks(db);
    if (kind.name === 'PoolMember') memberAddresses.check(check, kind, spec, ranges);
    else checkPort(check, spec, takenPorts);
  }

  async #findParent(
    attempt: Attempt,
    context: RequestContext,
    kind: PartKind,
    input: object,
  ): Promise<Pick<PartRow, 'id' | 'loadBalancerId' | 'projectId'> & { readonly spec?: PartSpec }> {
    const field = parentField(kind);
    const id = String((input as Readonly<Record<string, unknown>>)[field]);
    const { parent } = kind;
    if (parent !== 'LoadBalancer') return this.#find(attempt, context, parent, id, field);
    const named = { type: parent, id, field };
    const { db } = this.#options;
    const row = await visibleRow(context.identity, attempt.check, named, (uuid) => readBalancer(db, uuid));
    this.#admit(attempt, context, row.projectId);
    return { id: row.id, loadBalancerId: row.id, projectId: row.projectId };
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
    const row = (await readParts(this.#options.db, [id])).get(id);
    return row === undefined || (name !== undefined && row.kind !== name) ? undefined : row;
  }

  /** Returns the UUID of the part, as `write` does. */
  async #under(
    tx: Transaction,
    balancerId: string,
    write: (row: BalancerRow, generation: number) => Promise<string | Unchanged>,
    field = 'id',
  ): Promise<string> {
    let id = '';
    const within = async (row: BalancerRow, generation: number) => {
      const written = await write(row, generation);
      const isChanged = typeof written === 'string';
      id = isChanged ? written : written.unchanged;
      return isChanged;
    };
    await changeBalancer(tx, this.#options.wake, balancerId, within, field);
    return id;
  }
}

/** The UUID of a part that already is as it should be. */
interface Unchanged {
  readonly unchanged: string;
}

/** The settings after a change. Faults are added to `check`. */
function changed(kind: PartKind, before: PartSpec, given: JsonObject, check: InputCheck): PartSpec {
  const wanted = { ...before, ...given };
  const read = readSpec(kind, wanted);
  if (read.ok) return read.spec;
  addFaults(check, kind, wanted, read.faults);
  return before;
}

async function lockNamed(tx: Transaction, name: PartName, input: NamedInput): Promise<PartRow> {
  const id = new InputCheck().id('id', input.id, name) ?? '';
  const row = await lockPart(tx, id);
  if (row === undefined) refuse('NOT_FOUND', `the ${wordsOf(name)} was deleted`, { field: ['input', 'id'] });
  refuseStale(input.expectedVersion, row);
  return row;
}

/** By the database's clock. */
async function inMs(tx: Transaction, ms: number): Promise<Date> {
  const [row] = await tx.query<{ at: Date }>('SELECT NOW(3) + INTERVAL ? MICROSECOND AS at', [ms * 1000]);
  return row?.at ?? new Date();
}
