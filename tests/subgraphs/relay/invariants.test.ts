// The invariant checker finds faults. With each old bug put back into the statements, natural races break the invariant
// that it checks.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Database, type QueryOptions, type SqlValue, type Transaction } from '../../../platform/database/database.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { brokenInvariants } from '../../support/stores/invariants.ts';
import { KeepingDevice } from './support/keeping-device.ts';
import { element } from './support/nft-device.ts';
import { call, identity, mutations, type RelayNode, RelaySystem } from './support/relay-system.ts';
import { inputTypeOf } from './support/typed-inputs.ts';

const mostRaces = 300;
const settings = { recoveryGraceMs: 200, sendWindowMs: 500, crashQuietMs: 500, deviceExecutionMs: 100 };

/** Sends other statements than the product does. */
class RewritingDatabase extends Database {
  readonly rewrites: (readonly [part: RegExp, by: string])[] = [];
  recordsNothing = false;
  /** Hides that an error comes from a unique index. */
  hidesDuplicates = false;
  /** Runs once, between a read outside of a transaction and its reader's next step. */
  meanwhile: { readonly after: RegExp; readonly run: () => Promise<unknown> } | undefined;

  override async query<Row>(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<Row[]> {
    const rows = await super.query<Row>(this.#rewritten(sql), values, options);
    const { meanwhile } = this;
    if (meanwhile?.after.test(sql) !== true) return rows;
    this.meanwhile = undefined;
    await meanwhile.run();
    return rows;
  }

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: { readonly endsWork?: boolean } = {},
  ): Promise<Result> {
    if (this.recordsNothing && options.endsWork === true) return Promise.reject(new Error('not recorded'));
    return super.transaction(
      (tx) =>
        work({
          query: (sql, values, more) =>
            tx.query<never>(this.#rewritten(sql), values, more).catch((error: Error) => this.#thrown(error)),
          execute: (sql, values) => tx.execute(this.#rewritten(sql), values),
          afterCommit: (action) => tx.afterCommit(action),
          provenBy: (recordId) => tx.provenBy(recordId),
        }),
      options,
    );
  }

  #rewritten(sql: string): string {
    return this.rewrites.reduce((text, [part, by]) => text.replace(part, by), sql);
  }

  #thrown(error: Error): never {
    throw this.hidesDuplicates && error.message.includes('mapping_owner_key') ? new Error(error.message) : error;
  }
}

let system: RelaySystem;
let db: RewritingDatabase;
let node: RelayNode;
let device: KeepingDevice;

beforeEach(async () => {
  system = await RelaySystem.start();
  db = new RewritingDatabase({ connection: system.database.connection, connectionLimit: 20 });
  node = await system.node({ db, settings });
  device = await KeepingDevice.start();
  await device.register(node, 'keep', { limits: { deadlineMs: 60_000, concurrency: 8 } });
  await call(node, 'add', element('keep', '10.0.0.1'));
});
afterEach(async () => {
  try {
    await expect(system.stop({ overdueMs: 500 })).rejects.toThrow(/not so/);
  } finally {
    // An open connection would keep the worker from exiting.
    await device.ssh.stop();
  }
});

const owner = (externalId: string) => ({ cmpObject: { type: 'tenant', externalId } });
const adoption = (address: string) => ({
  ...{ idempotencyKey: `adopt-${address}`, backend: { name: 'keep' }, ...owner('adopter') },
  ...{ resource: 'address-set-element', scope: 'inet filter', objectKey: `blocked/${address}` },
});
const change = (mutation: string, input: object) =>
  node.run(
    identity('OPERATOR'),
    `mutation ($input: ${inputTypeOf(mutation)}!) {
      done: ${mutation}(input: $input) { userErrors { code } } }`,
    { input },
  );

/** Races until an invariant is broken, and returns the broken ones. */
async function races(run: (address: string) => Promise<unknown>): Promise<string> {
  for (let race = 0; race < mostRaces; race += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, index) => run(`10.9.${race >> 8}.${(race & 255) + index}`)));
    const broken = await brokenInvariants(node.db, { overdueMs: 500 });
    if (broken.length > 0) return broken.join('\n');
  }
  return '';
}

test('P2: adopting beside a call, without the lock of the object', async () => {
  db.rewrites.push(
    [/(VALUES \(\?, '', \?, '', '', 'REJECTED', '', '', '', \?, )\?/, "$1IF(? = '', '', NULL)"],
    [/IF NOT (\(+)(NOT EXISTS \(SELECT 1 FROM mapping foreign_one)/, 'IF NOT $1 1 OR $2'],
    [/owner_slot IS NOT NULL (LIMIT 1000\s+FOR UPDATE)/, '1 = 0 $1'],
  );
  db.hidesDuplicates = true;
  // The call begins at a random moment of the adoption, however long a busy machine takes for one.
  let adoptingMs = 10;
  const broken = await races(async (address) => {
    device.elements.add(address);
    const beganMs = performance.now();
    const adopting = change('mappingAdopt', adoption(address)).then(() => {
      adoptingMs = performance.now() - beganMs;
    });
    await sleep(Math.random() * adoptingMs);
    await node.run(identity('OPERATOR'), mutations.add, {
      input: element('keep', address, { ...owner('caller'), deadlineMs: 500 }),
    });
    await adopting;
    // The invariant covers calls that are SENT for longer than this after their deadline.
    await sleep(1_000);
  });
  expect(broken).toMatch(/no call is SENT long after its deadline/);
}, 240_000);

test('P7: verifying beside a removal, with a mapping that is changed from any version', async () => {
  db.rewrites.push(
    [/IF NOT \((\(*)\? <=> \(SELECT GROUP_CONCAT/, 'IF NOT ($1 1 OR ? <=> (SELECT GROUP_CONCAT'],
    [/(UPDATE mapping SET state[^;]*); IF ROW_COUNT\(\) <> 1 THEN SIGNAL[^;]*; END IF/, '$1'],
  );
  const address = '10.9.0.1';
  const made = await call(node, 'add', element('keep', address, owner('owner')));
  device.elements.delete(address);
  const verify = { idempotencyKey: 'verify', id: made.mapping?.id };
  // The removal has read which mappings it settles, but has not settled them yet.
  db.meanwhile = { after: /AS backendStatus FROM backend b/, run: () => change('mappingVerify', verify) };
  await call(node, 'remove', { backend: { name: 'keep' }, idempotencyKey: 'remove', set: 'blocked', address });
  const broken = (await brokenInvariants(node.db, { overdueMs: 500 })).join('\n');
  expect(broken).toMatch(/a version of an operation or a mapping has one event/);
  expect(broken).toMatch(/a mapping is as its last event says/);
}, 240_000);

test('P3: a call whose living owner records no outcome, with recovery only for calls of dead owners', async () => {
  db.rewrites.push([/\(state = 'SENT' AND \(/, "(state = 'SENT' AND 1 = 0 AND ("]);
  db.recordsNothing = true;
  await node.run(identity('OPERATOR'), mutations.add, { input: element('keep', '10.1.0.1', { deadlineMs: 300 }) });
  const overdue = "SELECT 1 FROM operation WHERE state = 'SENT' AND deadline_at < NOW(3) - INTERVAL 2 SECOND";
  await until(async () => (await node.db.query(overdue)).length > 0);
  expect((await brokenInvariants(node.db, { overdueMs: 500 })).join('\n')).toMatch(/no call is SENT long after/);
}, 60_000);
