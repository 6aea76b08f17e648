// The claim on an object when calls are forced past unsettled ones.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Database } from '../../../../../platform/database/database.ts';
import { isDuplicateKey } from '../../../../../platform/errors/database-errors.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { handClaimBack, readClaim, takeClaimOver } from '../../../../../subgraphs/relay/control/journal/claim-store.ts';
import type { CallSubject } from '../../../../../subgraphs/relay/control/model/operation.ts';
import type { OperationState } from '../../../../../subgraphs/relay/rules/states.ts';
import { type TestDatabase, testDatabase } from '../../../../support/stores/database.ts';

const backendId = newUuid();
const objectHash = 'a'.repeat(64);
const subject = { backendId, objectHash } as CallSubject;
let place: TestDatabase;
let db: Database;

beforeEach(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection, connectionLimit: 4 });
});

afterEach(async () => {
  await db.close();
  await place.drop();
});

async function operation(state: OperationState, more: { claim?: string; hash?: string } = {}): Promise<string> {
  const id = newUuid();
  await db.execute(
    `INSERT INTO operation (id, project_id, backend_id, name, effect, state, resource, scope, object_key, object_hash,
      arguments, call_deadline_ms, timeline, requested_by) VALUES (?, ?, ?, 'n', 'IDEMPOTENT', ?, 'r', 's', 'k', ?, '{}', 1, 1, 'u')`,
    [id, newUuid(), backendId, state, more.hash ?? objectHash],
  );
  if (more.claim !== undefined) await db.execute('UPDATE operation SET claim = ? WHERE id = ?', [more.claim, id]);
  return id;
}

const holder = async () => (await readClaim(db, backendId, objectHash))?.operationId;
const take = () => db.transaction((tx) => takeClaimOver(tx, subject));
const giveBack = () => db.transaction((tx) => handClaimBack(tx, subject));

test('no two calls of any kind hold one object', async () => {
  await operation('UNKNOWN', { claim: objectHash });
  const second = operation('SENT', { claim: objectHash });
  await expect(second).rejects.toThrow();
  expect(isDuplicateKey(await second.catch((error: unknown) => error))).toBe(true);
});

test.each(['UNKNOWN', 'ACCEPTED'] as const)('a forced call takes the claim from one that is %s', async (state) => {
  const first = await operation(state, { claim: objectHash });
  const other = await operation(state, { claim: 'b'.repeat(64), hash: 'b'.repeat(64) });
  await take();
  expect(await holder()).toBeUndefined();
  expect((await readClaim(db, backendId, 'b'.repeat(64)))?.operationId).toBe(other);
  await giveBack();
  expect(await holder()).toBe(first);
});

test('a forced call leaves the claim to a call in progress', async () => {
  const sent = await operation('SENT', { claim: objectHash });
  await take();
  expect(await holder()).toBe(sent);
});

test('a forced call returns the claim to the oldest unsettled one, but not while another has it', async () => {
  const oldest = await operation('UNKNOWN');
  await operation('ACCEPTED');
  await operation('SUCCEEDED');
  await operation('UNKNOWN', { hash: 'b'.repeat(64) });
  const latest = await operation('SENT', { claim: objectHash });
  await giveBack();
  expect(await holder()).toBe(latest);
  await db.execute("UPDATE operation SET state = 'SUCCEEDED', claim = NULL WHERE id = ?", [latest]);
  await giveBack();
  expect(await holder()).toBe(oldest);
  await db.execute("UPDATE operation SET state = 'FAILED', claim = NULL WHERE state IN ('UNKNOWN', 'ACCEPTED')");
  await giveBack();
  expect(await holder()).toBeUndefined();
});
