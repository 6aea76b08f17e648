// The contract for every kind of every driver: a call never touches someone else's object. The tests are generated from
// the driver's `ownership` declaration, so a kind without a case fails. tests/subgraphs/relay/drivers/ownership.test.ts
// checks that every driver is tested here.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../subgraphs/relay/drivers/arguments.ts';
import type { Driver, JsonObject, MappedObject, Outcome } from '../../../../subgraphs/relay/drivers/driver.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { type Called, type DriverCaller, operationOf } from './driver-caller.ts';

export type Creation = readonly [operation: string, args: JsonObject];

export interface ForeignCase {
  /**
   * The call that creates an object of this kind. For a kind that no call creates: the key of an object with an empty
   * scope.
   */
  readonly create: Creation | (() => Creation) | string;
  /**
   * Calls that act on the object, with the arguments that the caller must give. Required for each operation that acts
   * on one.
   */
  readonly updates?: Readonly<Record<string, (made: Pick<MappedObject, 'uuid'>) => JsonObject>>;
  /** Removes the object at the key without the driver, and puts another object there, unless `nothing`. */
  put(what: 'nothing' | 'another'): Promise<unknown>;
  /** The device's state at the key, read without the driver. */
  state(): Promise<unknown>;
  /** The code with which a creation is refused. Default: ALREADY_EXISTS. */
  readonly refusal?: string;
  /**
   * The device allows several objects at the key. A creation, unless refused, leaves the others alone, and `state` is a
   * list.
   */
  readonly several?: true;
  /** False if existing objects can't be adopted as `mappingAdopt` does. Then only created objects are deleted. */
  readonly adopts?: false;
}

/** `OTHER_OBJECT`: for devices that number their objects. */
const refusals = ['NOT_FOUND', 'CHANGED', 'OTHER_OBJECT'];

const callOf = (called: Called): string =>
  called.state === 'NO_REPLY' || !('code' in called) ? called.state : `${called.state} ${called.code}`;

/** Waits for the end of a job that the call started. */
async function ended(
  caller: DriverCaller,
  operation: string,
  args: JsonObject,
  id: string = randomUUID(),
): Promise<Called> {
  const called = await caller.call(operation, args, id);
  if (called.state !== 'ACCEPTED') return called;
  return waitFor<Called>(`the end of the job of ${operation}`, async () => {
    const job = await caller.job(operation, args, called.result, id);
    if (job.finding === 'SUCCEEDED') return { ...job, state: 'SUCCEEDED' } satisfies Outcome;
    return job.finding === 'FAILED' && { state: 'FAILED', code: job.code, message: job.message };
  });
}

/** `cases`: one for each kind that the driver declares as compared. */
export function foreignObjects(
  driver: Driver,
  caller: () => DriverCaller,
  cases: Readonly<Record<string, ForeignCase>>,
): void {
  const kinds = Object.entries(driver.ownership).filter(([, { by }]) => by !== 'KEY' && by !== 'KEY_ALONE');
  describe(`${driver.name}: somebody else's object`, () => {
    test('has a case for each kind, and each operation that acts on one', () => {
      const without = kinds.filter(([kind]) => cases[kind] === undefined).map(([kind]) => kind);
      expect(without).toEqual([]);
      const acting = [...driver.operations.values()].filter(({ mapping, object, example, name }) => {
        const found = mapping === undefined || mapping === 'updates' ? object?.(example).resource : undefined;
        return found !== undefined && cases[found] !== undefined && cases[found].updates?.[name] === undefined;
      });
      expect(acting.map(({ name }) => name)).toEqual([]);
    });

    for (const [kind, { by }] of kinds) {
      const found = cases[kind];
      if (found !== undefined) describe(kind, () => testsOf(driver, caller, { ...found, kind, by }));
    }
  });
}

function testsOf(
  driver: Driver,
  caller: () => DriverCaller,
  one: ForeignCase & { readonly kind: string; readonly by: string },
): void {
  const { create, kind } = one;
  const updates = Object.entries(one.updates ?? {});
  const creation = () => (typeof create === 'function' ? create() : (create as Creation));
  const place = () => {
    if (typeof create === 'string') return { scope: '', key: create };
    const { scope, key } = caller().objectOf(...creation());
    return { scope, key };
  };

  /**
   * Makes an object and returns it as the relay records it. For a kind that no call creates: an object made by hand.
   */
  async function make(): Promise<MappedObject> {
    await one.put('nothing');
    if (typeof create === 'string') return adopted();
    const operationId = randomUUID();
    const made = await ended(caller(), ...creation(), operationId);
    expect([callOf(made), made]).toEqual(['SUCCEEDED', made]);
    const uuid = 'uuid' in made ? (made.uuid ?? null) : null;
    const recorded = caller().desired(...creation());
    return { ...place(), uuid, recorded, madeBy: operationId, changedBy: operationId };
  }

  /** Adopts an object made by hand, as `mappingAdopt` records it. */
  async function adopted(): Promise<MappedObject> {
    await one.put('another');
    const seen = await caller().look(kind, place());
    if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
    return { ...place(), uuid: seen.uuid ?? null, recorded: seen.values };
  }

  /** Puts an object of ours in the place of the adopted one. A number may be reused, an ID is not. */
  async function replaced(object: MappedObject): Promise<MappedObject> {
    const { uuid } = await make();
    return one.by === 'ID' ? object : { ...object, uuid };
  }

  /** The arguments of `relayCall` on the mapped object: those of the caller, and those that the relay adds. */
  const asked = (operation: string, object: MappedObject, args: JsonObject) => ({
    ...operationOf(driver, operation).recognised?.(object),
    ...args,
  });

  /** The settings that the mapping records after a call. */
  function recordedAfter(operation: string, args: JsonObject, { recorded = {} }: MappedObject): JsonObject {
    const { mapping } = operationOf(driver, operation);
    if (mapping !== 'updates' && mapping !== 'creates') return recorded;
    return { ...(mapping === 'updates' ? recorded : {}), ...caller().desired(operation, args) };
  }

  type Deletion = (object: MappedObject) => readonly [operation: string, args: JsonObject];
  const byMapping: Deletion = (object) => {
    const call = driver.resources?.get(kind)?.remove?.(object);
    if (call === undefined) throw new Error(`nothing deletes a ${kind}`);
    return [call.operation, call.arguments];
  };
  /** A `relayCall` with only the required arguments. */
  const bare: Deletion = (object) => {
    const [operation, args] = byMapping(object);
    const { required = [] } = operationOf(driver, operation).argumentsSchema as { required?: readonly string[] };
    const given = Object.fromEntries(Object.entries(args).filter(([name]) => required.includes(name)));
    return [operation, asked(operation, object, given)];
  };
  /** The relay itself refuses a call that lacks arguments. */
  const isSent = (deletion: Deletion, object: MappedObject) => {
    const [operation, args] = deletion(object);
    const { backend } = caller().context();
    return deletion === byMapping || validateArguments(operationOf(driver, operation), args, backend).ok;
  };

  async function leavesAlone(call: () => Promise<Called>, codes = refusals): Promise<void> {
    const before = await one.state();
    const called = await call();
    expect(codes.map((code) => `FAILED ${code}`)).toContain(callOf(called));
    expect(await one.state()).toEqual(before);
  }

  const remove = (deletion: Deletion, object: MappedObject) => ended(caller(), ...deletion(object));
  const deletions = [
    ['its mapping', byMapping],
    ['a call', bare],
  ] as const;

  if (typeof create !== 'string') {
    test('is not overwritten by a creation', async () => {
      await one.put('another');
      const call = () => ended(caller(), ...creation());
      if (one.several !== true) return leavesAlone(call, [one.refusal ?? 'ALREADY_EXISTS']);
      const before = (await one.state()) as unknown[];
      expect(callOf(await call())).toBe(one.refusal === undefined ? 'SUCCEEDED' : `FAILED ${one.refusal}`);
      expect(await one.state()).toEqual(expect.arrayContaining(before));
    });

    test.each(deletions)('is not deleted by %s for our object, which is gone', async (_what, deletion) => {
      const made = await make();
      await one.put('another');
      if (isSent(deletion, made)) await leavesAlone(() => remove(deletion, made));
    });

    for (const [name, argsOf] of updates)
      test(`is not changed by ${name}`, async () => {
        const made = await make();
        await one.put('another');
        await leavesAlone(() => ended(caller(), name, asked(name, made, argsOf(made))));
      });

    test.each(deletions)('our object is changed, and deleted by %s', async (_what, deletion) => {
      let made = await make();
      for (const [name, argsOf] of updates) {
        const args = asked(name, made, argsOf(made));
        expect([name, callOf(await ended(caller(), name, args))]).toEqual([name, 'SUCCEEDED']);
        made = { ...made, recorded: recordedAfter(name, args, made) };
      }
      if (isSent(deletion, made)) expect(callOf(await remove(deletion, made))).toBe('SUCCEEDED');
    });
  }

  if (one.adopts === false) return;
  if (typeof create !== 'string')
    test.each(deletions)(
      'an adopted object is deleted by %s only if it is still the adopted one',
      async (_what, deletion) => {
        const object = await replaced(await adopted());
        if (isSent(deletion, object)) await leavesAlone(() => remove(deletion, object));
        const again = await adopted();
        if (isSent(deletion, again)) expect(callOf(await remove(deletion, again))).toBe('SUCCEEDED');
      },
    );

  for (const [name, argsOf] of updates)
    test(`an adopted object is changed by ${name} only if it is still the adopted one`, async () => {
      const object = await replaced(await adopted());
      await leavesAlone(() => ended(caller(), name, asked(name, object, argsOf(object))));
      const again = await adopted();
      expect(callOf(await ended(caller(), name, asked(name, again, argsOf(again))))).toBe('SUCCEEDED');
    });
}
