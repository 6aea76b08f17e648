// Deleting a project is refused while it holds anything, removes everything that belongs to it, and allows no creation
// in it afterwards.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { holdProject, refuseDeletedProject } from '../../../platform/edge/projects.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { makeUser, type SystemBench, systemBench } from './support/system-bench.ts';

let bench: SystemBench;
let admin: Identity;
const held = new Map<string, readonly string[]>();
const elsewhere = new Map<string, readonly string[]>();
const ended: string[] = [];

beforeAll(async () => {
  bench = await systemBench({
    projectHoldings: async (_, projectId) => held.get(projectId) ?? [],
    projectEnd: {
      look: async (_, projectId) => elsewhere.get(projectId) ?? [],
      end: async (_tx, _wake, projectId) => void ended.push(projectId),
    },
  });
  admin = await makeUser(bench, 'admin', { admin: true });
});

afterAll(() => bench.stop());

const document = `mutation ($input: ProjectDeleteInput!) {
  projectDelete(input: $input) { deletedId userErrors { code message field } } }`;

async function remove(projectId: string, extra: object = {}) {
  const input = { id: encodeId('Project', projectId), ...extra };
  return (await bench.ask(admin, document, { input })).data.projectDelete;
}

test('its memberships and tokens are deleted with it, its name is free, and its history stays', async () => {
  const { firstStart, authenticator } = bench.system;
  const project = await firstStart.ensureProject('gone');
  const user = await makeUser(bench, 'member', { projects: { [project]: 'MEMBER' } });
  const { secret } = await firstStart.issueToken({ projectId: project, name: 'cmp', role: 'MEMBER' });
  expect(await authenticator.authenticate(secret)).toBeDefined();

  const key = { idempotencyKey: 'once' };
  expect(await remove(project, key)).toEqual({ deletedId: encodeId('Project', project), userErrors: [] });
  expect(await authenticator.authenticate(secret)).toBeUndefined();
  expect(await bench.db.query('SELECT user_id FROM membership WHERE user_id = ?', [user.id])).toEqual([]);
  // The same request again, and a different one.
  expect(await remove(project, key)).toEqual({ deletedId: encodeId('Project', project), userErrors: [] });
  expect((await remove(project)).userErrors).toMatchObject([{ code: 'NOT_FOUND', field: ['input', 'id'] }]);

  const kinds = await bench.db.query<{ kind: string }>('SELECT kind FROM status_change WHERE project_id = ?', [
    project,
  ]);
  expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['apiToken.revoked', 'project.deleted']));
  const audited = await bench.db.query<{ action: string }>(
    "SELECT action FROM audit_entry WHERE action IN ('projectDelete', 'apiTokenRevoke') AND outcome = 'ACCEPTED' ORDER BY action",
  );
  expect(audited.map(({ action }) => action)).toEqual(['apiTokenRevoke', 'projectDelete']);
  expect(await firstStart.ensureProject('gone')).not.toBe(project);
});

test('while it has objects it stays unchanged, and the message counts them', async () => {
  const project = await bench.system.firstStart.ensureProject('full');
  held.set(project, ['2 backends', '1 load balancers']);
  expect((await remove(project)).userErrors).toEqual([
    {
      code: 'IN_USE',
      message: 'the project full has 2 backends, 1 load balancers: delete them first',
      field: ['input', 'id'],
    },
  ]);
  expect(await bench.db.transaction((tx) => holdProject(tx, project))).toBe('full');
  held.delete(project);
  expect((await remove(project)).userErrors).toEqual([]);
});

test('an object created at the same moment is either seen by the deletion, or refused', async () => {
  for (const round of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const project = await bench.system.firstStart.ensureProject(`raced-${round}`);
    const create = bench.db.transaction(async (tx) => {
      await refuseDeletedProject(tx, project);
      await new Promise((resolve) => setTimeout(resolve, round % 3));
      held.set(project, ['1 backends']);
      return 'created';
    });
    const [created, removed] = await Promise.all([create.catch(() => 'refused'), remove(project)]);
    const ends = [created, removed.userErrors[0]?.code ?? 'deleted'];
    expect([
      ['created', 'IN_USE'],
      ['refused', 'deleted'],
    ]).toContainEqual(ends);
  }
});

test('objects elsewhere are checked first; those that end with the project end in its transaction', async () => {
  const project = await bench.system.firstStart.ensureProject('elsewhere');
  elsewhere.set(project, ['3 containers']);
  expect((await remove(project)).userErrors).toMatchObject([
    { code: 'IN_USE', message: 'the project elsewhere has 3 containers: delete them first' },
  ]);
  expect(ended).not.toContain(project);
  elsewhere.delete(project);
  expect((await remove(project)).userErrors).toEqual([]);
  expect(ended).toContain(project);
});
