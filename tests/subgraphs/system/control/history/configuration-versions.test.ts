// The history of the settings of every kind, on a whole system. Each version equals the object that the graph shows,
// and each can be restored.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { registry } from '../../../../../generated/kinds/registry.ts';
import { restores } from '../../../../../generated/kinds/restores.ts';
import { decodeUuid, encodeId } from '../../../../../platform/values/ids.ts';
import { canonicalJson, type JsonObject } from '../../../../../platform/values/json.ts';
import { runCommand } from '../../../../cli/commands/run-command.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { changes, compact, HistoryPlace, type Version } from '../../support/history-place.ts';

/**
 * Kinds without a history: they are set or joined, and their settings are a role, a limit or a record. The audit trail
 * has their changes.
 */
const without = ['Membership', 'LoadBalancerQuota', 'LoadBalancerHost', 'User', 'ApiToken', 'Machine'];
/** Kinds that are created and deleted, but never changed. */
const fixed = ['ObjectContainer', 'ObjectAccessKey'];

const shared = forFile(() => HistoryPlace.open());
let subjects: Awaited<ReturnType<HistoryPlace['subjects']>> = [];

beforeAll(async () => {
  subjects = await shared.subjects();
});

test('every kind with changeable settings has a history', () => {
  const kinds = Object.values(registry.kinds).filter(({ actions }) => actions.update ?? actions.set);
  const wanted = kinds.map(({ type }) => type).filter((type) => !without.includes(type));
  expect([...new Set(subjects.map(({ type }) => type))].sort()).toEqual(wanted.sort());
  expect(Object.keys(restores)).toEqual(expect.arrayContaining([...wanted, ...fixed]));
});

test('the newest version equals the object that the graph shows', async () => {
  for (const { type, id } of subjects) {
    const version = await shared.newest(id);
    const shown = await shared.exported(type, id);
    const settings = compact(version.settings ?? {}) as JsonObject;
    const common = Object.keys(shown).filter((name) => name !== 'cmpObject');
    const pick = (from: JsonObject) => Object.fromEntries(common.map((name) => [name, from[name]]));
    const fields = Object.values(restores[type] ?? {}).flatMap((each) => each.fields);
    expect({ type, unknown: Object.keys(version.settings ?? {}).filter((name) => !fields.includes(name)) }).toEqual({
      ...{ type, unknown: [] },
    });
    expect({ type, ...pick(settings) }).toEqual({ type, ...pick(compact(shown) as JsonObject) });
    expect(version.actor?.name).toBe('admin');
  }
});

/** A new chain requires a new key. */
const unchanged = ['TlsCertificate', 'AutoscalingPolicy'];

describe('a change', () => {
  test('of each kind is recorded with its difference, and both ways back are the ordinary update', async () => {
    const types = new Set(subjects.map(({ type }) => type));
    expect([...Object.keys(changes), ...unchanged].sort()).toEqual([...types].sort());
    for (const [type, change] of Object.entries(changes)) {
      const id = subjects.find((each) => each.type === type)?.id ?? '';
      const before = await shared.newest(id);
      await shared.admin.change(restores[type]?.update?.mutation ?? '', { id, ...change });
      const after = await shared.newest(id);
      const differing = Object.keys(change).filter(
        (name) => canonicalJson(before.settings?.[name] ?? null) !== canonicalJson(after.settings?.[name] ?? null),
      );
      expect({ type, fields: after.changes.map(({ field }) => field) }).toEqual({
        type,
        fields: expect.arrayContaining(differing.sort()),
      });
      expect(differing).not.toEqual([]);
      const [again] = (await shared.ownVersions(id)).filter(({ number }) => number === before.number);
      expect({ type, ...again?.restore }).toEqual({ type, ...after.undo });
      const done = await shared.send(type, after.undo);
      expect({ type, userErrors: done.userErrors }).toEqual({ type, userErrors: [] });
      const back = await shared.newest(id);
      expect({ type, settings: back.settings }).toEqual({ type, settings: before.settings });
      const shown = compact(await shared.exported(type, id)) as JsonObject;
      const settings = compact(before.settings ?? {}) as JsonObject;
      for (const name of Object.keys(shown).filter((each) => each !== 'cmpObject'))
        expect({ type, name, value: shown[name] }).toEqual({ type, name, value: settings[name] });
    }
  });

  test('undone by two users at once: the slower one gets STALE_VERSION', async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    await shared.admin.change('gslbPoolUpdate', { id, description: 'third' });
    const { undo } = await shared.newest(id);
    expect((await shared.send('GslbPool', undo)).userErrors).toEqual([]);
    expect((await shared.send('GslbPool', undo)).userErrors).toMatchObject([{ code: 'STALE_VERSION' }]);
  });

  test("that a later change overwrote can't be undone alone", async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    await shared.admin.change('gslbPoolUpdate', { id, description: 'fourth' });
    await shared.admin.change('gslbPoolUpdate', { id, description: 'fifth', minUp: 1 });
    const [, fourth] = await shared.ownVersions(id);
    expect(fourth?.undo.refusal).toMatch(/^description was changed again since/);
    expect(fourth?.restore).toMatchObject({ mutation: 'gslbPoolUpdate', input: { description: 'fourth', minUp: 2 } });
  });

  test('is in its entry of the audit trail, also if one request makes several', async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    await shared.admin.change('gslbPoolUpdate', { id, minUp: 1 });
    const update = (alias: string, minUp: number) =>
      `${alias}: gslbPoolUpdate(input: { id: "${id}", minUp: ${minUp} }) { userErrors { code } }`;
    await shared.admin.ask(`mutation { ${update('one', 2)} ${update('two', 1)} }`, {});
    const { found } = await shared.admin.ask<{
      found: { nodes: { version: Pick<Version, 'id' | 'changes'> | null }[] };
    }>(
      `query ($id: ID!) { found: auditEntries(subjectId: $id, first: 2) {
        nodes { version { id changes { field before after } } }
      } }`,
      { id },
    );
    const [newest, before] = await shared.ownVersions(id);
    const shown = (version: Version | undefined) => ({ id: version?.id, changes: version?.changes });
    expect(found.nodes).toEqual([{ version: shown(newest) }, { version: shown(before) }]);
    expect(newest?.changes).toEqual([{ field: 'minUp', before: 2, after: 1 }]);
  });

  test('that changes nothing, or is only tried, leaves no version', async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    const before = (await shared.ownVersions(id)).length;
    await shared.admin.change('gslbPoolUpdate', { id, description: 'fifth' });
    expect((await shared.ownVersions(id)).length).toBe(before);
  });
});

describe('a load balancer', () => {
  const balancer = async () => {
    for (const { type, id } of subjects)
      if (type === 'LoadBalancer' && (await shared.newest(id)).subjectName === 'nulls') return id;
    throw new Error('no load balancer');
  };

  test('has the changes of its parts in its history', async () => {
    const types = new Set((await shared.versionsOf(await balancer())).map(({ subjectType }) => subjectType));
    expect([...types].sort()).toEqual([
      ...['AutoscalingPolicy', 'L7Policy', 'L7Rule', 'Listener', 'LoadBalancer', 'Pool', 'PoolHealthMonitor'],
      'PoolMember',
    ]);
  });

  test('that was deleted is created again with all of its parts, under a new ID', async () => {
    const id = await balancer();
    const parts = (await shared.subjects()).filter(({ type }) => type !== 'LoadBalancer');
    const before = new Map<string, JsonObject | null>();
    for (const version of (await shared.versionsOf(id)).toReversed()) before.set(version.subjectId, version.settings);
    const alive = [...before.values()].filter((settings) => settings !== null).length;
    await shared.admin.change('loadBalancerDelete', { id });
    const gone = await shared.newest(id);
    // Its parts went with it: only the whole can be created again.
    const [last] = await shared.deletions();
    expect(last).toMatchObject({ id: gone.id, subjectType: 'LoadBalancer', actor: { name: 'admin' } });
    expect((await shared.versionsOf(id)).filter(({ deleted }) => deleted).length).toBeGreaterThan(1);
    expect((await shared.deletions()).filter(({ subjectType }) => subjectType in { Listener: 0, Pool: 0 })).toEqual([]);
    expect([gone.deleted, gone.mutation]).toEqual([true, 'loadBalancerDelete']);
    const { undo } = gone;
    expect(undo).toMatchObject({ mutation: 'loadBalancerCreate', missingFields: [], refusal: null });
    const renamed = { ...undo, input: { ...undo.input, name: 'again', cmpObject: null } };
    const done = await shared.send('LoadBalancer', renamed);
    expect(done.userErrors).toEqual([]);
    const made = (await shared.subjects()).filter(
      (each) => each.type === 'LoadBalancer' && !subjects.some((known) => known.id === each.id),
    );
    expect(made.length).toBe(1);
    const versions = await shared.versionsOf(made[0]?.id ?? '');
    expect(versions.length).toBe(alive);
    expect(parts.length).toBeGreaterThan(0);
    const plain = (settings: JsonObject | null | undefined) => ({
      port: settings?.port,
      name: settings?.name,
      tags: settings?.tags,
      weight: settings?.weight,
    });
    const sorted = (all: readonly (JsonObject | null | undefined)[]) =>
      all.map((each) => canonicalJson(plain(each))).sort();
    const old = [...before].filter(([each]) => decodeUuid('LoadBalancer', each) === undefined).map(([, each]) => each);
    const fresh = versions.filter(({ subjectType }) => subjectType !== 'LoadBalancer').map(({ settings }) => settings);
    expect(sorted(fresh)).toEqual(sorted(old.filter((each) => each !== null)));
  });
});

describe('on the command line', () => {
  const run = (...words: string[]) =>
    runCommand([...words, '--url', shared.place.system.url], { env: { TIDEGATE_TOKEN: shared.admin.token } });
  const changed = async () => {
    const { stdout } = await run('history', 'gslb-pool/nulls-2', '--json');
    return (JSON.parse(stdout) as { id: string }[])[0]?.id ?? '';
  };

  test('history lists the changes and their authors, undo reverts one, and compare shows the difference', async () => {
    const id = subjects.find(({ type, id: each }) => type === 'GslbPool' && each !== '')?.id ?? '';
    expect(id).not.toBe('');
    const start = new Date().toISOString();
    expect(await run('gslb-pools', 'update', 'nulls-2', '--min-up', '4')).toMatchObject({ exitCode: 0 });
    const listed = await run('history', 'gslb-pool/nulls-2');
    expect(listed.stdout).toMatch(/admin \(user\) +gslb-pool nulls-2 +minUp 1 → 4 +ver_/);
    expect((await run('history', '--limit', '1')).stdout).toContain('minUp 1 → 4');
    const compared = await run('compare', 'gslb-pool/nulls-2', '--since', start);
    expect(compared.stdout).toBe('gslb-pool nulls-2\n  minUp 1 → 4\n');
    const tried = await run('undo', await changed(), '--dry-run=server');
    expect(tried.stdout).toMatch(/^gslbPoolUpdate \{.*"minUp":1.*\nthe server would accept it\n$/);
    expect((await run('undo', await changed())).stdout).toBe('gslb-pool nulls-2 is as it was before that change\n');
    const same = await run('compare', 'gslb-pool/nulls-2', '--since', start);
    expect(same).toMatchObject({ exitCode: 0, stdout: '' });
    expect(same.stderr).toContain("the settings of 'gslb-pool/nulls-2' are the same as then");
  });

  test('a deleted object has its history by its name, and undo creates it again', async () => {
    expect(await run('gslb-pools', 'create', 'short-lived', '--min-up', '3', '--project', 'default')).toMatchObject({
      exitCode: 0,
    });
    expect(await run('gslb-pools', 'delete', 'short-lived')).toMatchObject({ exitCode: 0 });
    const [gone] = JSON.parse((await run('history', 'short-lived', '--json')).stdout) as {
      id: string;
      deleted: boolean;
    }[];
    expect(gone?.deleted).toBe(true);
    expect((await run('history', '--deleted', '--limit', '1')).stdout).toMatch(/gslb-pool short-lived +deleted +ver_/);
    expect(await run('undo', gone?.id ?? '')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await run('gslb-pools', 'show', 'short-lived', '--json')).stdout).toContain('"minUp": 3');
    const again = await run('undo', gone?.id ?? '');
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ALREADY_EXISTS') });
  });

  test('an undo that is not possible is refused with its reason', async () => {
    const certificate = subjects.find(({ type }) => type === 'TlsCertificate')?.id ?? '';
    const [created] = await shared.ownVersions(certificate);
    const refused = await run('undo', created?.id ?? '', '--restore');
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has these settings now') });
    const unknown = await run('undo', encodeId('ConfigurationVersion', '00000000-0000-7000-8000-000000000000'));
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('"tidegate history" lists them') });
  });
});

test('a deleted part is listed for itself, and a caller sees the deletions in their own projects only', async () => {
  const pool = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
  const { gslbPoolMember } = await shared.admin.change<{ gslbPoolMember: { id: string } }>(
    'gslbPoolMemberCreate',
    { poolId: pool, name: 'brief', addresses: ['192.0.2.77'] },
    'gslbPoolMember { id }',
  );
  await shared.admin.change('gslbPoolMemberDelete', { id: gslbPoolMember.id });
  const [last] = await shared.deletions();
  expect(last).toMatchObject({ subjectType: 'GslbPoolMember', subjectName: 'brief' });
  expect(last?.undo).toMatchObject({ mutation: 'gslbPoolMemberCreate', input: { poolId: pool, name: 'brief' } });
  // A stranger may not see the version itself either, and so gets no way back.
  const query = 'query ($id: ID!) { configurationVersion(id: $id) { undo { input } } }';
  const stranger = await shared.stranger();
  expect(await shared.admin.ask(query, { id: last?.id }, stranger)).toEqual({ configurationVersion: null });
  const all = '{ configurationVersions(onlyDeletions: true) { nodes { id } } }';
  expect(await shared.admin.ask(all, {}, stranger)).toEqual({ configurationVersions: { nodes: [] } });
  // Two people create it again at once.
  const undo = last?.undo ?? { mutation: null, input: null, missingFields: [], refusal: null };
  const done = await Promise.all([1, 2].map(() => shared.send('GslbPoolMember', undo)));
  const codes = done.map(({ userErrors }) => (userErrors as { code: string }[]).map(({ code }) => code));
  expect(codes.sort()).toEqual([[], ['ALREADY_EXISTS']]);
});

test('a caller sees the history of objects that they may see', async () => {
  const token = shared.place.system.token;
  const query = 'query ($id: ID!) { configurationVersions(subjectId: $id) { nodes { id } totalCount } }';
  const seen = async (type: string) => {
    const id = subjects.find((each) => each.type === type)?.id ?? '';
    const answer = await shared.admin.ask<{ configurationVersions: { nodes: object[] } }>(query, { id }, token);
    return answer.configurationVersions.nodes.length > 0;
  };
  expect([await seen('GslbPool'), await seen('DnsZone'), await seen('AlertChannel')]).toEqual([true, false, true]);
});

async function alive(type: string): Promise<string | undefined> {
  for (const { id } of subjects.filter((each) => each.type === type)) if (!(await shared.newest(id)).deleted) return id;
  return undefined;
}

test('an object protected from deletion is not deleted, in every kind that can be protected', async () => {
  const guarded = Object.entries(restores).filter(([, { update }]) => update?.fields.includes('deletionProtected'));
  expect(guarded.map(([type]) => type).sort()).toEqual(['Backend', 'DnsZone', 'Gslb', 'LoadBalancer', 'ObjectCluster']);
  for (const [type, { update, delete: remove }] of guarded) {
    const id = (await alive(type)) ?? '';
    const set = (deletionProtected: boolean) => shared.admin.change(update?.mutation ?? '', { id, deletionProtected });
    const removed = () => shared.admin.change(remove?.mutation ?? '', { id });
    await set(true);
    expect(await shared.exported(type, id)).toMatchObject({ deletionProtected: true });
    const { changes: shown, undo } = await shared.newest(id);
    expect({ type, shown }).toEqual({
      type,
      shown: [{ field: 'deletionProtected', before: false, after: true }],
    });
    await expect(removed()).rejects.toThrow('DELETION_PROTECTED');
    expect((await shared.send(type, undo)).userErrors).toEqual([]);
    expect(await shared.exported(type, id)).toMatchObject({ deletionProtected: false });
    // Any other reason for a refusal shows up now.
    const refusal = await removed().catch(String);
    expect(String(refusal)).not.toContain('DELETION_PROTECTED');
  }
});

test('every event so far has the name of its subject, also those of deletions', async () => {
  // Their rows are gone when the event is written.
  for (const type of ['AlertRule', 'AlertChannel', 'Project']) {
    const gone = subjects.findLast((each) => each.type === type)?.id;
    await shared.admin.change(restores[type]?.delete?.mutation ?? '', { id: gone });
  }
  const types = await shared.eventNames();
  expect(types.length).toBeGreaterThan(10);
  expect(types.filter(({ nameless }) => nameless > 0)).toEqual([]);
});
