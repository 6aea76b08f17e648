// The contract of every kind of every driver: a call never touches somebody else's object. The tests are generated from what the driver
// declares (`ownership`), so that a kind without a case is a failure. tests/subgraphs/relay/drivers/ownership.test.ts checks that
// every driver is tested here.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Driver, JsonObject, Outcome } from '../../../../subgraphs/relay/drivers/driver.ts';
import type { Called, DriverCaller } from './driver-caller.ts';

export interface ForeignCase {
  /** The call that creates an object of this kind. */
  readonly create: readonly [operation: string, args: JsonObject];
  /** Calls that change it, with the arguments for the created one. Required for each operation that does so. */
  readonly updates?: Readonly<Record<string, (made: Made) => JsonObject>>;
  /** Beside the driver: takes away what is at the key, and makes another object there, unless `nothing`. */
  put(what: 'nothing' | 'another'): Promise<unknown>;
  /** Beside the driver: what the device has at the key. */
  state(): Promise<unknown>;
  /** The code with which a creation is refused. Default: ALREADY_EXISTS. */
  readonly refusal?: string;
  /** Takes over the object that is there, as `mappingAdopt` does; otherwise only made objects are deleted. */
  readonly adopts?: false;
}

interface Made {
  readonly uuid: string | null;
  readonly operationId: string;
}

/** `OTHER_OBJECT`: for devices that number their objects. */
const refusals = ['NOT_FOUND', 'CHANGED', 'OTHER_OBJECT'];

const callOf = (called: Called): string =>
  called.state === 'NO_REPLY' || !('code' in called) ? called.state : `${called.state} ${called.code}`;

/** Waits for the end of a job that the call started. */
async function ended(caller: DriverCaller, operation: string, args: JsonObject, id: string): Promise<Called> {
  const called = await caller.call(operation, args, id);
  if (called.state !== 'ACCEPTED') return called;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const job = await caller.job(operation, args, called.result, id);
    if (job.finding === 'SUCCEEDED') return { state: 'SUCCEEDED', result: job.result } satisfies Outcome;
    if (job.finding === 'FAILED') return { state: 'FAILED', code: job.code, message: job.message };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the job of ${operation} did not end`);
}

/** Kinds whose own tests show what the contract would. None may be added. */
const withOwnTests: Readonly<Record<string, readonly string[]>> = {
  'f5-bigip': ['asm-policy'],
  'linux-nftables': ['rule'],
};

/** `cases`: by kind, for each that the driver says it compares. */
export function foreignObjects(
  driver: Driver,
  caller: () => DriverCaller,
  cases: Readonly<Record<string, ForeignCase>>,
): void {
  const kinds = Object.entries(driver.ownership).filter(
    ([kind, { by }]) => by !== 'KEY' && by !== 'KEY_ALONE' && withOwnTests[driver.name]?.includes(kind) !== true,
  );
  describe(`${driver.name}: somebody else's object`, () => {
    test('has a case for each kind, and each operation that changes one', () => {
      const without = kinds.filter(([kind]) => cases[kind] === undefined).map(([kind]) => kind);
      expect(without).toEqual([]);
      const changing = [...driver.operations.values()].filter(({ mapping, object, example, name }) => {
        const found = mapping === 'updates' ? cases[object?.(example).resource ?? ''] : undefined;
        return found !== undefined && found.updates?.[name] === undefined;
      });
      expect(changing.map(({ name }) => name)).toEqual([]);
    });

    for (const [kind] of kinds) {
      const found = cases[kind];
      if (found !== undefined) describe(kind, () => testsOf(driver, caller, kind, found));
    }
  });
}

function testsOf(driver: Driver, caller: () => DriverCaller, kind: string, one: ForeignCase): void {
  const [operation, args] = one.create;
  const reader = driver.resources?.get(kind);
  const named = () => caller().objectOf(operation, args);

  async function make(): Promise<Made> {
    await one.put('nothing');
    const operationId = randomUUID();
    const made = await ended(caller(), operation, args, operationId);
    expect([operation, callOf(made), made]).toEqual([operation, 'SUCCEEDED', made]);
    return { operationId, uuid: 'uuid' in made ? (made.uuid ?? null) : null };
  }

  /** As `mappingObjectDelete` calls it. */
  async function remove({ uuid, operationId }: Made, recorded = caller().desired(operation, args)): Promise<Called> {
    const { scope, key } = named();
    const by = operationId === '' ? {} : { madeBy: operationId, changedBy: operationId };
    const call = reader?.remove?.({ scope, key, uuid, recorded, ...by });
    if (call === undefined) throw new Error(`nothing deletes a ${kind}`);
    return ended(caller(), call.operation, call.arguments, randomUUID());
  }

  async function leavesAlone(call: () => Promise<Called>, codes: readonly string[]): Promise<void> {
    const before = await one.state();
    const called = await call();
    expect(codes.map((code) => `FAILED ${code}`)).toContain(callOf(called));
    expect(await one.state()).toEqual(before);
  }

  test('is not overwritten by a creation', async () => {
    await one.put('another');
    await leavesAlone(() => ended(caller(), operation, args, randomUUID()), [one.refusal ?? 'ALREADY_EXISTS']);
  });

  test('is not deleted for ours, which is gone', async () => {
    const made = await make();
    await one.put('another');
    await leavesAlone(() => remove(made), refusals);
  });

  for (const [name, argsOf] of Object.entries(one.updates ?? {}))
    test(`is not changed by ${name}`, async () => {
      const made = await make();
      await one.put('another');
      await leavesAlone(() => ended(caller(), name, argsOf(made), randomUUID()), refusals);
    });

  test('ours is changed and deleted', async () => {
    const made = await make();
    for (const [name, argsOf] of Object.entries(one.updates ?? {}))
      expect(callOf(await ended(caller(), name, argsOf(made), randomUUID()))).toBe('SUCCEEDED');
    expect(callOf(await remove(made))).toBe('SUCCEEDED');
  });

  if (one.adopts === false) return;
  test('an adopted one is deleted as it was adopted, and not as somebody made it since', async () => {
    await one.put('another');
    const { scope, key } = named();
    const seen = await caller().look(kind, { scope, key });
    if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
    const adopted = { operationId: '', uuid: seen.uuid ?? null };
    const made = await make();
    await leavesAlone(() => remove({ ...adopted, uuid: made.uuid }, seen.values), refusals);
    await one.put('another');
    const again = await caller().look(kind, { scope, key });
    const uuid = again.finding === 'PRESENT' ? (again.uuid ?? null) : null;
    expect(callOf(await remove({ ...adopted, uuid }, seen.values))).toBe('SUCCEEDED');
  });
}
