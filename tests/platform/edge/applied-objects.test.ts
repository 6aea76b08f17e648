// Objects belong to the source that made them, and a trial mutation leaves nothing behind.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Identity, RequestContext } from '../../../platform/caller/identity.ts';
import { type MutationManner, settingId } from '../../../platform/caller/manner.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { Setting } from '../../../platform/edge/applied-objects.ts';
import type { MutationCall, MutationOutcome } from '../../../platform/edge/mutation.ts';
import { forgetProject } from '../../../platform/edge/projects.ts';
import { refuse } from '../../../platform/errors/errors.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const projectId = newUuid();
const identity: Identity = {
  ...{ kind: 'user', id: newUuid(), name: 'ada', admin: false, projects: { [projectId]: 'MEMBER' } },
  credentialId: newUuid(),
};

const ground = forFile(() => TestContext.open());
let db: Database;

beforeAll(async () => {
  ({ db } = ground);
  await db.execute('CREATE TABLE thing (id CHAR(36) PRIMARY KEY, name VARCHAR(64) NOT NULL UNIQUE)');
});

const inputOf = (id: string, idempotencyKey: string | null = null) => Object.assign({ idempotencyKey }, { id });

function call(verb: string, id: string, manner?: MutationManner, more: Partial<MutationCall<string>> = {}) {
  const context: RequestContext = {
    ...{ identity, requestId: 'r-1', loaders: new Map() },
    ...(manner === undefined ? {} : { manner }),
  };
  const statements: Readonly<Record<string, string>> = {
    Create: 'INSERT INTO thing (id, name) VALUES (?, UUID())',
    Update: "UPDATE thing SET name = CONCAT('changed ', id) WHERE id = ?",
    Delete: 'DELETE FROM thing WHERE id = ?',
  };
  return ground.mutations.run<string>({
    ...{ name: `thing${verb}`, context, input: inputOf(id), subject: 'Thing' },
    prepare: (attempt) => {
      attempt.projectId = projectId;
      return async (tx) => {
        await tx.execute(statements[verb] ?? '', [id]);
        return id;
      };
    },
    read: async () => id,
    ...more,
  });
}

const codes = ({ userErrors }: MutationOutcome<unknown>) => userErrors.map(({ code }) => code);

async function sourceOf(id: string): Promise<string | undefined> {
  const sql = 'SELECT source FROM applied_object WHERE id = ? AND project_id = ?';
  return (await db.query<{ source: string }>(sql, [id, projectId]))[0]?.source;
}

async function rows(): Promise<readonly number[]> {
  const tables = ['thing', 'applied_object', 'audit_entry', 'commit_record', 'idempotency_key'];
  const counts = tables.map(
    async (table) => (await db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n,
  );
  return (await Promise.all(counts)).map(Number);
}

describe('a source', () => {
  test('owns the objects that it creates until they are deleted, whoever deletes them', async () => {
    const [one, other] = [newUuid(), newUuid()];
    expect(codes(await call('Create', one, { source: 'site' }))).toEqual([]);
    expect(codes(await call('Create', other))).toEqual([]);
    expect([await sourceOf(one), await sourceOf(other)]).toEqual(['site', undefined]);
    expect(codes(await call('Update', one, { source: 'site' }))).toEqual([]);
    expect(codes(await call('Update', one))).toEqual([]);
    expect(codes(await call('Delete', one))).toEqual([]);
    expect(await sourceOf(one)).toBeUndefined();
  });

  test('leaves objects of another source alone, and deletes only its own', async () => {
    const [theirs, nobodys] = [newUuid(), newUuid()];
    await call('Create', theirs, { source: 'theirs' });
    await call('Create', nobodys);
    const site = { source: 'site' };
    expect(codes(await call('Update', theirs, site))).toEqual(['OTHER_SOURCE']);
    expect(codes(await call('Delete', theirs, site))).toEqual(['OTHER_SOURCE']);
    expect(codes(await call('Delete', nobodys, site))).toEqual(['OTHER_SOURCE']);
    // An object that a person made can be changed, and stays without an owner.
    expect(codes(await call('Update', nobodys, site))).toEqual([]);
    expect([await sourceOf(theirs), await sourceOf(nobodys)]).toEqual(['theirs', undefined]);
    const names = await db.query('SELECT id FROM thing WHERE id IN (?, ?)', [theirs, nobodys]);
    expect(names).toHaveLength(2);
  });

  describe('of a setting, which is never created', () => {
    const set = (id: string, manner: MutationManner | undefined, more: Partial<Setting> = {}) =>
      call('Update', newUuid(), manner, {
        prepare: (attempt) => async () => {
          attempt.setting = { ...{ subject: 'Level', id, projectId, isNew: false, isDefault: false }, ...more };
          return newUuid();
        },
      });

    test('owns a setting that was at its default until it is at the default again, whoever changes it', async () => {
      const id = settingId('Level', projectId, newUuid());
      expect(codes(await set(id, { source: 'site' }, { isNew: true }))).toEqual([]);
      expect(codes(await set(id, { source: 'site' }))).toEqual([]);
      expect(await sourceOf(id)).toBe('site');
      expect(codes(await set(id, { source: 'theirs' }))).toEqual(['OTHER_SOURCE']);
      expect(codes(await set(id, { source: 'theirs' }, { isDefault: true }))).toEqual(['OTHER_SOURCE']);
      expect(codes(await set(id, undefined))).toEqual([]);
      expect(await sourceOf(id)).toBe('site');
      expect(codes(await set(id, undefined, { isDefault: true }))).toEqual([]);
      expect(await sourceOf(id)).toBeUndefined();
      expect(codes(await set(id, { source: 'theirs' }, { isNew: true }))).toEqual([]);
      expect(await sourceOf(id)).toBe('theirs');
    });

    test('does not own a setting that a person set before', async () => {
      const id = settingId('Level', projectId, newUuid());
      expect(codes(await set(id, undefined, { isNew: true }))).toEqual([]);
      expect(codes(await set(id, { source: 'site' }))).toEqual([]);
      expect(await sourceOf(id)).toBeUndefined();
      // A request for the default value is not a claim.
      expect(codes(await set(id, { source: 'site' }, { isNew: true, isDefault: true }))).toEqual([]);
      expect(await sourceOf(id)).toBeUndefined();
    });
  });

  test('ends with its project', async () => {
    const id = newUuid();
    await call('Create', id, { source: 'site' });
    await db.transaction((tx) => forgetProject(tx, projectId));
    expect(await sourceOf(id)).toBeUndefined();
  });
});

describe('a trial mutation', () => {
  const dryRun = { dryRun: true } as const;

  test('leaves nothing behind, and its key stays free', async () => {
    const id = newUuid();
    const before = await rows();
    const input = inputOf(id, 'tried');
    const tried = await call('Create', id, { ...dryRun, source: 'site' }, { input });
    expect(tried).toEqual({ entity: null, userErrors: [], commit: null, replayed: false });
    expect(await rows()).toEqual(before);
    expect(await call('Create', id, undefined, { input })).toMatchObject({ entity: id, replayed: false });
  });

  test('is refused for the same reasons as the real one, without an entry in the audit trail', async () => {
    const id = newUuid();
    await call('Create', id, { source: 'theirs' });
    const before = await rows();
    const refuses = { prepare: () => async () => refuse('QUOTA_EXCEEDED', 'the quota is used up') };
    expect(codes(await call('Create', newUuid(), dryRun, refuses))).toEqual(['QUOTA_EXCEEDED']);
    expect(codes(await call('Update', id, { ...dryRun, source: 'site' }))).toEqual(['OTHER_SOURCE']);
    expect(codes(await call('Update', id, dryRun, { input: inputOf(id, '') }))).toEqual(['INVALID_INPUT']);
    expect(await rows()).toEqual(before);
  });

  test('reaches nothing outside of the database', async () => {
    let isReached = false;
    const look = async () => {
      isReached = true;
      return async () => newUuid();
    };
    const outcome = await call('Create', newUuid(), dryRun, { prepare: () => ({ look }) });
    expect([codes(outcome), isReached]).toEqual([['NOT_TRIED'], false]);
  });
});
