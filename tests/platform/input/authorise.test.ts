// An object that the caller may not see is answered like an unknown id. An object that the caller may see but not change is FORBIDDEN.
import { describe, expect, test } from '@jest/globals';
import type { Identity, Role } from '../../../platform/caller/identity.ts';
import { Refusal } from '../../../platform/errors/errors.ts';
import { oneProject, projectsFor, projectsOf, requireRole, visibleRow } from '../../../platform/input/authorise.ts';
import { InputCheck } from '../../../platform/input/input.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';

const mine = newUuid();
const alsoMine = newUuid();
const theirs = newUuid();
const global = (uuid: string) => encodeId('Project', uuid);

function who(projects: Record<string, Role>, admin = false): Identity {
  return { kind: 'user', id: newUuid(), name: 'ada', admin, projects, credentialId: newUuid() };
}

const member = who({ [mine]: 'MEMBER' });

async function refusal(work: () => unknown) {
  try {
    await work();
  } catch (error) {
    if (error instanceof Refusal) return error.errors;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('projects', () => {
  test('a mutation that names an invisible project gets the answer for an unknown one', async () => {
    for (const uuid of [theirs, newUuid()])
      expect(await refusal(() => projectsOf(member, global(uuid)))).toMatchObject([
        { code: 'NOT_FOUND', message: `no Project has the id "${global(uuid)}"`, field: ['input', 'projectId'] },
      ]);
  });

  test('a list of an invisible project is empty', () => {
    expect(projectsFor(member, global(theirs))).toEqual([]);
    expect(projectsFor(member, 'no id')).toEqual([]);
    expect(projectsFor(null, null)).toEqual([]);
    expect(projectsFor(member, null)).toEqual([mine]);
    expect(projectsFor(who({}, true), global(theirs))).toEqual([theirs]);
  });

  test('a caller with one project need not name it, and a caller with several must', async () => {
    expect(oneProject(member, null)).toBe(mine);
    const both = who({ [mine]: 'MEMBER', [alsoMine]: 'VIEWER' });
    expect(oneProject(both, global(alsoMine))).toBe(alsoMine);
    for (const several of [both, who({}, true)])
      expect(await refusal(() => oneProject(several, null))).toMatchObject([{ code: 'PROJECT_REQUIRED' }]);
  });
});

describe('an object that a mutation names', () => {
  const row = { projectId: theirs };
  const id = encodeId('Backend', newUuid());
  const find = (identity: Identity | null, found: typeof row | undefined, check = new InputCheck()) =>
    visibleRow(identity, check, { type: 'Backend', id }, async () => found);

  test("has the same answer whether it is unknown or another caller's", async () => {
    const unknown = await refusal(() => find(member, undefined));
    expect(unknown).toMatchObject([{ code: 'NOT_FOUND', message: `no Backend has the id "${id}"` }]);
    expect(await refusal(() => find(member, row))).toEqual(unknown);
    expect(await refusal(() => find(null, row))).toEqual(unknown);
  });

  test('is refused together with the faults of the input', async () => {
    const check = new InputCheck();
    check.fault('name', 'name is wrong');
    expect((await refusal(() => find(member, row, check))).map(({ code }) => code)).toEqual([
      'INVALID_INPUT',
      'NOT_FOUND',
    ]);
  });

  test('is returned to a caller who can see it, and forbidden changes are FORBIDDEN', async () => {
    const viewer = who({ [theirs]: 'VIEWER' });
    expect(await find(viewer, row)).toBe(row);
    expect(await refusal(() => requireRole(viewer, theirs, 'MEMBER', 'mappingShare'))).toMatchObject([
      { code: 'FORBIDDEN', message: 'mappingShare requires the role MEMBER in this project' },
    ]);
  });
});
