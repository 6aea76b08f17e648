// A bounded sample of the proof that texts remain texts, and the judges themselves, each tested with a driver that lets
// one through. The complete proof is `npm run trials -- relay-names`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Driver, DriverOperation, JsonObject } from '../../subgraphs/relay/drivers/driver.ts';
import { frr } from '../../subgraphs/relay/drivers/frr/driver.ts';
import { modSecurity } from '../../subgraphs/relay/drivers/modsecurity/driver.ts';
import { onyx } from '../../subgraphs/relay/drivers/onyx/driver.ts';
import { frrSubjectOf } from '../../trials/relay-names/devices/frr.ts';
import { isForRealNft, nftSubject } from '../../trials/relay-names/devices/nft.ts';
import { onyxSubjectOf } from '../../trials/relay-names/devices/onyx.ts';
import type { Rendering } from '../../trials/relay-names/offer.ts';
import { askRealNft, isWithin } from '../../trials/relay-names/real-nft.ts';
import { askRealShell } from '../../trials/relay-names/real-shells.ts';
import { modSecurityTrial, openVswitchTrial } from '../../trials/relay-names/shell-verdicts.ts';
import { contextOf, type Subject } from '../../trials/relay-names/subject.ts';
import { allSubjects, type RelayNamesOptions, runRelayNames } from '../../trials/relay-names.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

const seed = Number(process.env.TIDEGATE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const obstacle = labUnavailable();
const describeReal = obstacle === undefined ? describe : describe.skip;

let folder: TemporaryFolder;
let folders = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function freshFolder(): Promise<string> {
  folders += 1;
  const path = join(folder.path, String(folders));
  await mkdir(path);
  return path;
}

async function run(options: Partial<RelayNamesOptions>) {
  const common = { seed, count: 2_000, real: 0, progress: () => undefined, signal: AbortSignal.timeout(100_000) };
  return runRelayNames({ ...common, folder: await freshFolder(), ...options });
}

const clean = { seed, wrong: 0, refusedUnnamed: 0, findings: [] };

function operationOf(subject: Subject, name: string): DriverOperation {
  const found = subject.operations.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}

/** A driver with one operation changed. */
function withChanged(driver: Driver, name: string, change: (operation: DriverOperation) => DriverOperation): Driver {
  const entries = [...driver.operations].map(([each, operation]): [string, DriverOperation] => [
    each,
    each === name ? change(operation) : operation,
  ]);
  return { ...driver, operations: new Map(entries) };
}

test(`each text is refused by name or becomes one command (seed ${seed})`, async () => {
  const result = await run({});
  expect(result).toMatchObject({ ...clean, texts: 2_000 });
  // Otherwise the test proves nothing.
  for (const name of ['linux-nftables', 'onyx', 'openvswitch', 'modsecurity', 'frr']) {
    expect(result.drivers[name]?.rendered).toBeGreaterThan(300);
    expect(result.drivers[name]?.refused).toBeGreaterThan(5_000);
  }
  expect(result.drivers.fortios).toMatchObject({ operations: 2, rendered: 0, refused: 4_000 });
});

describeReal(`by the real programs${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  test(`each accepted text becomes one command (seed ${seed})`, async () => {
    const result = await run({ count: 300, real: 40 });
    expect(result).toMatchObject(clean);
    for (const name of ['linux-nftables', 'openvswitch', 'modsecurity', 'frr'])
      expect(result.drivers[name]?.real).toEqual({ calls: 40, wrong: 0 });
  });

  function rendering(driver: string, operation: string, args: JsonObject): Rendering {
    const subject = allSubjects.find((each) => each.driver.name === driver);
    if (subject === undefined) throw new Error(`no driver ${driver}`);
    const spec = operationOf(subject, operation);
    const given = { ...subject.base(operation, 1), ...args };
    return { operation: spec, place: 'test', text: '', args: given, call: spec.render(given, subject.context) };
  }

  test('nft detects a batch that it rejects, and one that empties the ruleset', async () => {
    const args = { family: 'inet', table: 't1', set: 'tenants' };
    const right = rendering('linux-nftables', 'set.create', args);
    expect(await askRealNft([right], await freshFolder())).toEqual({ calls: 1, wrong: 0, findings: [] });
    const changed = (from: string, to: string): Rendering => {
      if (right.call.kind !== 'exec') throw new Error('not for nft');
      return { ...right, call: { ...right.call, stdin: (right.call.stdin ?? '').replace(from, to) } };
    };
    const refused = await askRealNft([changed('ipv4_addr', 'ipv4_nonsense')], await freshFolder());
    expect(refused).toMatchObject({ wrong: 1, findings: [expect.stringContaining('nft -c refused')] });
    // The flush removes the table that the rest needs.
    const flushes = changed('[{', '[{"flush":{"ruleset":null}},{');
    expect(await askRealNft([flushes], await freshFolder())).toMatchObject({ wrong: 1 });
    expect(['set.list', 'set.create', 'rule.delete'].map(isForRealNft)).toEqual([false, true, false]);
    expect(nftSubject.operations.filter(({ name }) => isForRealNft(name))).toHaveLength(6);
  });

  test('the shell detects a text that became part of the command', async () => {
    const args = { object: 'port', name: 'p1', externalIds: { note: "it's $(touch owned)" } };
    const right = rendering('openvswitch', 'externalIds.set', args);
    expect(await askRealShell([right], await freshFolder(), openVswitchTrial)).toMatchObject({ calls: 1, wrong: 0 });
    if (right.call.kind !== 'exec') throw new Error('not for a shell');
    const { stdin = '' } = right.call;
    for (const command of [`ovsdb-client transact '${stdin}'`, `ovsdb-client transact "$(cat)" $(touch owned)`]) {
      const broken: Rendering = { ...right, call: { ...right.call, command } };
      const asked = await askRealShell([right, broken], await freshFolder(), openVswitchTrial);
      expect(asked).toMatchObject({ calls: 2, wrong: 1 });
    }
  });

  test('the shell detects an extra line in a file of Apache', async () => {
    const context = contextOf(modSecurity, 'ssh');
    const right = rendering('modsecurity', 'rule.create', { id: 7, message: 'fine' });
    const twoLines: Rendering = { ...right, args: { ...right.args, site: 'shop.lab\nother' } };
    const asked = await askRealShell([right, twoLines], await freshFolder(), (each, path) =>
      modSecurityTrial(each, context, path),
    );
    expect(asked).toMatchObject({ calls: 2, wrong: 1, findings: [expect.stringContaining('waf refused')] });
  });
});

test.each([
  [{ set: { name: 'a', handle: 7 } }, true],
  [{ set: { name: 'b', handle: 7 } }, false],
  [{ set: { handle: 7 } }, false],
  [undefined, false],
])("the echo %j of a set named a matches nft's input: %s", (echoed, same) => {
  expect(isWithin({ set: { name: 'a' } }, echoed)).toBe(same);
});

describe('a driver that lets a text through is detected:', () => {
  const unchecked: JsonObject = { type: 'string' };
  const nameless = (operation: DriverOperation): DriverOperation => {
    const { properties } = operation.argumentsSchema;
    const argumentsSchema = {
      ...operation.argumentsSchema,
      properties: { ...(properties as JsonObject), name: unchecked },
    };
    return { ...operation, argumentsSchema };
  };

  test('one whose schema allows anything as a name', async () => {
    const broken = onyxSubjectOf(withChanged(onyx, 'vlan.create', nameless));
    const result = await run({ count: 400, subjects: [broken] });
    expect(result.wrong).toBeGreaterThan(20);
    expect(new Set(result.findings.map(({ operation, place }) => `${operation} ${place}`))).toEqual(
      new Set(['vlan.create name']),
    );
  });

  test('one whose words vtysh would not take as words', async () => {
    const anyName = (operation: DriverOperation): DriverOperation => {
      const { properties } = operation.argumentsSchema;
      const argumentsSchema = {
        ...operation.argumentsSchema,
        properties: { ...(properties as JsonObject), description: unchecked },
      };
      return { ...operation, argumentsSchema };
    };
    const broken = frrSubjectOf(withChanged(frr, 'routeMapEntry.create', anyName));
    const result = await run({ count: 400, subjects: [broken] });
    expect(result.wrong).toBeGreaterThan(20);
    expect(new Set(result.findings.map(({ operation, place }) => `${operation} ${place}`))).toEqual(
      new Set(['routeMapEntry.create description']),
    );
  });

  test('one that forgets the quotes', async () => {
    const unquoted = (operation: DriverOperation): DriverOperation => ({
      ...operation,
      render(args, context) {
        const call = operation.render(args, context);
        return JSON.parse(JSON.stringify(call).replaceAll('\\"', '')) as typeof call;
      },
    });
    const result = await run({ count: 400, subjects: [onyxSubjectOf(withChanged(onyx, 'vlan.create', unquoted))] });
    expect(result.wrong).toBeGreaterThan(0);
    for (const { text } of result.findings) expect(text).toContain(' ');
  });

  test('one that shortens a name, and one that refuses without naming the argument', async () => {
    const cut = (operation: DriverOperation): DriverOperation => ({
      ...operation,
      render: (args, context) => operation.render({ ...args, name: String(args.name).slice(0, 10) }, context),
    });
    expect(
      (await run({ count: 400, subjects: [onyxSubjectOf(withChanged(onyx, 'vlan.create', cut))] })).wrong,
    ).not.toBe(0);
    const silent = (operation: DriverOperation): DriverOperation => ({
      ...operation,
      refine: () => [{ path: [], message: 'no' }],
    });
    const result = await run({ count: 400, subjects: [onyxSubjectOf(withChanged(onyx, 'vlan.create', silent))] });
    expect(result.refusedUnnamed).toBeGreaterThan(0);
  });
});
