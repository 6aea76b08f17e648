// The claim on an object when calls are forced past unsettled ones, and after the upgrade from a version with claims
// in their own table.
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { platformMigrations } from '../../../../bin/compose/places.ts';
import { Database } from '../../../../platform/database/database.ts';
import { isDuplicateKey } from '../../../../platform/database/errors.ts';
import { migrate } from '../../../../platform/database/migrate.ts';
import { newUuid } from '../../../../platform/ids.ts';
import { handClaimBack, readClaim, takeClaimOver } from '../../../../subgraphs/relay/journal/claim-store.ts';
import type { CallSubject } from '../../../../subgraphs/relay/model/operation.ts';
import type { OperationState } from '../../../../subgraphs/relay/model/states.ts';
import { relayRow } from '../../../../subgraphs/relay/row.ts';
import { type TestDatabase, testDatabase } from '../../../support/database.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const { folder: migrations } = relayRow.migrations;
const backendId = newUuid();
const objectHash = 'a'.repeat(64);
const subject = { backendId, objectHash } as CallSubject;
let place: TestDatabase;
let db: Database;

async function open(options: { readonly migrated: boolean }): Promise<void> {
  place = await testDatabase(options);
  db = new Database({ connection: place.connection, connectionLimit: 4 });
}

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

describe('claims', () => {
  beforeEach(() => open({ migrated: true }));

  test('no two calls hold one object, of any kind', async () => {
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

  test('a forced call leaves the claim to one that is under way', async () => {
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
});

describe('an upgrade', () => {
  beforeEach(() => open({ migrated: false }));

  test('keeps the claims of an earlier version', async () => {
    await migrateBefore('20261120140000');
    const unsettled = await operation('UNKNOWN');
    await operation('SUCCEEDED', { hash: 'b'.repeat(64) });
    await db.execute('INSERT INTO object_claim (backend_id, object_hash, operation_id) VALUES (?, ?, ?)', [
      ...[backendId, objectHash, unsettled],
    ]);
    await migrate(place.connection, [platformMigrations, relayRow.migrations]);
    expect(await db.query('SELECT id FROM operation WHERE claim IS NOT NULL')).toEqual([{ id: unsettled }]);
    expect(await holder()).toBe(unsettled);
  });

  test("gives stored events and keys the graph's current names", async () => {
    await migrateBefore('20261120150000');
    for (const [kind, type] of [
      ['operation.state', 'Operation'],
      ['backend.operatingStatus', 'Backend'],
    ] as const)
      await db.execute(
        `INSERT INTO status_change (event_id, kind, subject_type, subject_id, subject_version, to_status)
         VALUES (?, ?, ?, ?, 1, 'SENT')`,
        [newUuid(), kind, type, backendId],
      );
    for (const name of ['operationSettle', 'mappedObjectDelete', 'backendCreate'])
      await db.execute(
        `INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, expires_at)
         VALUES ('s', ?, REPEAT('a', 64), REPEAT('b', 64), NOW())`,
        [name],
      );
    await migrate(place.connection, [platformMigrations, relayRow.migrations]);
    expect(await db.query('SELECT kind, subject_type AS type FROM status_change ORDER BY id')).toEqual([
      { kind: 'relayOperation.state', type: 'RelayOperation' },
      { kind: 'backend.operatingStatus', type: 'Backend' },
    ]);
    expect(await db.query('SELECT operation FROM idempotency_key ORDER BY operation')).toEqual(
      ['backendCreate', 'mappingObjectDelete', 'relayOperationSettle'].map((operation) => ({ operation })),
    );
  });
});

/** The database of an earlier version: platform's tables, and relay's migrations older than `name`. */
async function migrateBefore(name: string): Promise<void> {
  const folder = await temporaryFolder();
  try {
    for (const each of await readdir(migrations))
      if (each < name) await cp(join(migrations, each), join(folder.path, each), { recursive: true });
    await migrate(place.connection, [platformMigrations, { owner: 'relay', folder: folder.path }]);
  } finally {
    await folder.remove();
  }
}
