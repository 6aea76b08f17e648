// The life of an object on a device, the same for every driver. The object is created with the mark of its call, found
// as set, read, listed, changed and deleted once, and then absent. A driver gives one row per object, with its
// peculiarities.
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { JsonObject, MappedObject, TypedCall } from '../../../../subgraphs/relay/drivers/driver.ts';
import type { Called, DriverCaller } from './driver-caller.ts';
import { unlike } from './unlike.ts';

/** An object as a probe has just found it. */
interface Living {
  readonly scope: string;
  readonly key: string;
  /** The values that its creation sets. */
  readonly set: JsonObject;
  /** The call that made it. */
  readonly madeBy: string;
  readonly uuid: string | null;
  readonly values: JsonObject;
  /** Empty if the device keeps no mark, or no longer has it. */
  readonly mark: { readonly operationId?: string };
  /** The call that deletes it by its mapping. */
  readonly removal: TypedCall;
}

type OfLiving<Result> = Result | ((living: Living) => Result);

type Read = readonly [args: OfLiving<JsonObject>, result: (living: Living) => unknown];

type Verb = 'create' | 'update' | 'delete' | 'get' | 'list';

interface ObjectLife {
  /** Its operations are `KIND.create`, `KIND.delete` and so on, except those of `operations`. */
  readonly kind: string;
  readonly operations?: { readonly [V in Verb]?: string };
  readonly create: JsonObject | (() => JsonObject);
  /** The place that the driver reports for the object. Default: anywhere. */
  readonly object?: { readonly resource: string; readonly scope: string; readonly key: string };
  /** The result of the creation by the given call. Default: any. */
  readonly result?: (madeBy: string) => unknown;
  /**
   * The outcome of repeating the creation. Default: refused, because the object exists. Null: it would make a second
   * object.
   */
  readonly again?: string | null;
  /** The device keeps no marks, so a probe does not show which call made the object. */
  readonly unmarked?: true;
  /** For devices that assign IDs: the expected ID. */
  readonly uuid?: unknown;
  /** The scope of the operations' probes. `STATE`: they also find another call's object. `OWN`: only their own. */
  readonly probes?: 'STATE' | 'OWN';
  /** All other settings that a probe finds. Default: not compared. */
  readonly beside?: JsonObject;
  /**
   * Arguments and results of reads while the object exists. Only `get` is about this object, and is refused once it is
   * gone.
   */
  readonly get?: Read;
  readonly list?: Read;
  /** All arguments of an update. */
  readonly change?: OfLiving<JsonObject>;
  /** Data that its mapping records for a deletion, besides place and ID. */
  readonly mapped?: (found: Pick<Living, 'set' | 'values' | 'madeBy'>) => Partial<MappedObject>;
  /** The outcome of a deletion when the object is gone. Default: NOT_FOUND. */
  readonly missing?: { readonly code: string; readonly message?: string };
  /** Further checks, mostly without the driver, after the object was created, changed and deleted. */
  readonly made?: (living: Living) => unknown;
  readonly changed?: (living: Living, called: Called) => unknown;
  readonly gone?: () => unknown;
}

const of = <Result>(what: OfLiving<Result>, living: Living): Result =>
  typeof what === 'function' ? (what as (living: Living) => Result)(living) : what;

const absent = { finding: 'ABSENT' };

export async function live(caller: DriverCaller, life: ObjectLife): Promise<void> {
  const { driver } = caller;
  const named = (verb: Verb) => life.operations?.[verb] ?? `${life.kind}.${verb}`;
  const [create, update, remove, get] = [named('create'), named('update'), named('delete'), named('get')];
  const args = typeof life.create === 'function' ? life.create() : life.create;
  const set = caller.desired(create, args);
  const place = caller.objectOf(create, args);
  const { resource, ...where } = place;
  expect(place).toEqual(life.object ?? place);
  const madeBy = randomUUID();
  const probe = async (operation: string, given: JsonObject, finding: object, id = madeBy) => {
    if (life.probes) expect(await caller.probe(operation, given, id)).toEqual(finding);
  };

  expect(await caller.look(resource, where)).toEqual(absent);
  await probe(create, args, absent);
  const called = await caller.call(create, args, madeBy);
  expect(called).toEqual(
    expect.objectContaining({ state: 'SUCCEEDED', ...(life.result ? { result: life.result(madeBy) } : {}) }),
  );
  const uuid = ('uuid' in called ? called.uuid : undefined) ?? null;
  expect(uuid).toEqual(life.uuid ?? null);
  await probe(create, args, { finding: 'PRESENT', own: true, ...(uuid === null ? {} : { uuid }) });
  await probe(create, args, life.probes === 'OWN' ? absent : { finding: 'PRESENT' }, randomUUID());

  const find = async (): Promise<Living> => {
    const found = await caller.look(resource, { ...where, uuid });
    if (found.finding !== 'PRESENT') throw new Error(JSON.stringify(found));
    expect(found.uuid ?? null).toBe(uuid);
    // The object is also found by its name alone.
    if (life.probes === 'OWN') expect(await caller.look(resource, where)).toEqual(found);
    const { values, operationId } = found;
    const mapped = life.mapped?.({ set, values, madeBy });
    const removal = driver.resources?.get(resource)?.remove?.({ ...where, uuid, ...mapped });
    if (removal === undefined) throw new Error(`${life.kind} can't be deleted by its mapping`);
    expect([removal.operation, caller.objectOf(remove, removal.arguments)]).toEqual([remove, place]);
    const mark = operationId === undefined ? {} : { operationId };
    return { ...where, set, madeBy, uuid, values, mark, removal };
  };
  const read = async (living: Living) => {
    for (const verb of ['get', 'list'] as const) {
      const [given, result] = life[verb] ?? [];
      if (given !== undefined) expect(await caller.done(named(verb), of(given, living))).toEqual(result?.(living));
    }
  };

  const made = await find();
  expect(made.mark).toEqual(life.unmarked ? {} : { operationId: madeBy });
  expect(unlike(driver, create, set, made.values)).toEqual([]);
  if (life.beside) expect(made.values).toEqual({ ...set, ...life.beside });
  const { again = 'FAILED ALREADY_EXISTS' } = life;
  if (again !== null) expect(await caller.refused(create, args)).toBe(again);
  await life.made?.(made);
  await read(made);

  const changes = life.change === undefined ? undefined : of(life.change, made);
  if (changes !== undefined) {
    expect(caller.objectOf(update, changes)).toEqual(place);
    const answer = await caller.call(update, changes);
    expect(answer).toEqual(expect.objectContaining({ state: 'SUCCEEDED' }));
    const changed = await find();
    expect(unlike(driver, update, { ...made.values, ...caller.desired(update, changes) }, changed.values)).toEqual([]);
    await life.changed?.(changed, answer);
    await read(changed);
  }

  const { removal } = await find();
  await probe(remove, removal.arguments, { finding: 'PRESENT' }, life.probes === 'OWN' ? madeBy : randomUUID());
  expect(await caller.call(remove, removal.arguments)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await caller.look(resource, { ...where, uuid })).toEqual(absent);
  expect(await caller.look(resource, where)).toEqual(absent);
  await probe(remove, removal.arguments, absent);
  const refused = { state: 'FAILED', code: 'NOT_FOUND' };
  expect(await caller.call(remove, removal.arguments)).toMatchObject({ ...refused, ...life.missing, absent: true });
  if (life.get) expect(await caller.call(get, of(life.get[0], made))).toMatchObject(refused);
  if (changes !== undefined) expect(await caller.call(update, changes)).toMatchObject(refused);
  await life.gone?.();
}
