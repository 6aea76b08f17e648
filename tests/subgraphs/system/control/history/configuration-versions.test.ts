// The history of the settings of every kind, on a whole system: each version equals the object that the graph shows, and each can be reached again.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { asInput } from '../../../../../cli/kinds/as-input.ts';
import { registry } from '../../../../../generated/kinds/registry.ts';
import { restores } from '../../../../../generated/kinds/restores.ts';
import { Database } from '../../../../../platform/database/database.ts';
import { decodeUuid, encodeId } from '../../../../../platform/values/ids.ts';
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../../../platform/values/json.ts';
import { actionDocument, oneDocument } from '../../../../../schema/kinds/documents.ts';
import { type Applying, applying, documents } from '../../../../cli/commands/one-of-each-kind.ts';
import { runCommand } from '../../../../cli/commands/run-command.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { Administrator } from '../../../../support/product/administrator.ts';

interface Change {
  readonly field: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

interface Restore {
  readonly mutation: string | null;
  readonly input: JsonObject | null;
  readonly missingFields: readonly string[];
  readonly refusal: string | null;
}

interface Version {
  readonly id: string;
  readonly number: number;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly subjectName: string;
  readonly mutation: string | null;
  readonly deleted: boolean;
  readonly settings: JsonObject | null;
  readonly changes: readonly Change[];
  readonly restore: Restore;
  readonly undo: Restore;
  readonly actor: { readonly name: string } | null;
}

const selection = `id number subjectType subjectId subjectName mutation deleted settings actor { name }
  changes { field before after } restore { mutation input missingFields refusal } undo { mutation input missingFields refusal }`;

/** Kinds that are set or joined, whose settings are a role, a limit or a record. The audit trail has their changes. */
const without = ['Membership', 'LoadBalancerQuota', 'LoadBalancerHost', 'User', 'ApiToken', 'Machine'];
/** They are created and deleted, and never changed. */
const fixed = ['ObjectContainer', 'ObjectAccessKey'];

const shared = forFile(async () => {
  const place = await applying();
  const admin = await Administrator.of(place.system);
  return { place, admin, stop: () => place.stop() };
});
let subjects: readonly { readonly type: string; readonly id: string }[] = [];

beforeAll(async () => {
  const applied = await shared.place.apply(documents);
  expect([applied.exitCode, applied.stderr]).toEqual([0, '']);
  const channel = { name: 'desk', target: { webhook: { url: 'https://127.0.0.1:9/told' } }, groupMs: 1_000 };
  await shared.admin.change('alertChannelCreate', { ...channel, projectId: await projectId() });
  subjects = await recorded(shared.place);
});

async function projectId(): Promise<string> {
  const { projects } = await shared.admin.ask<{ projects: { nodes: { id: string }[] } }>(
    '{ projects(names: ["default"]) { nodes { id } } }',
  );
  return projects.nodes[0]?.id ?? '';
}

async function recorded({ system }: Applying) {
  const { connection } = system.database;
  const database = new Database({ connection });
  const sql = 'SELECT DISTINCT subject_type AS type, subject_id AS id FROM configuration_version ORDER BY 1, 2';
  const rows = await database.query<{ type: string; id: string }>(sql).finally(() => database.close());
  return rows.map(({ type, id }) => ({ type, id: encodeId(type, id) }));
}

async function versionsOf(id: string): Promise<readonly Version[]> {
  const { found } = await shared.admin.ask<{ found: { nodes: Version[] } }>(
    `query ($id: ID!) { found: configurationVersions(subjectId: $id, first: 100) { nodes { ${selection} } } }`,
    { id },
  );
  return found.nodes;
}

/** Newest first, without those of its parts. */
async function ownVersions(id: string): Promise<readonly Version[]> {
  return (await versionsOf(id)).filter(({ subjectId }) => subjectId === id);
}

async function newest(id: string): Promise<Version> {
  const [version] = await ownVersions(id);
  if (version === undefined) throw new Error(`${id} has no version`);
  return version;
}

/** An object as `export` has it: the input that would create it. */
async function exported(type: string, id: string): Promise<JsonObject> {
  const kind = registry.kinds[type];
  if (kind === undefined) throw new Error(`no kind ${type}`);
  const { found } = await shared.admin.ask<{ found: JsonObject }>(oneDocument(registry, kind), { id });
  const input = (kind.actions.create ?? kind.actions.set)?.input ?? '';
  return asInput(input, kind.output, found);
}

function compact(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((each: JsonValue) => compact(each) ?? null);
  if (!isObject(value)) return value ?? undefined;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const kept = compact(member);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(members);
}

async function send(type: string, restore: Restore): Promise<JsonObject> {
  const kind = registry.kinds[type];
  const action = Object.values(kind?.actions ?? {}).find(({ mutation }) => mutation === restore.mutation);
  if (kind === undefined || action === undefined) throw new Error(`${type}: ${JSON.stringify(restore)}`);
  const document = actionDocument(registry, kind, action, { selection: '__typename' });
  const { done } = await shared.admin.ask<{ done: JsonObject }>(document, { input: restore.input ?? {} });
  return done;
}

test('every kind with changeable settings has a history', () => {
  const kinds = Object.values(registry.kinds).filter(({ actions }) => actions.update ?? actions.set);
  const wanted = kinds.map(({ type }) => type).filter((type) => !without.includes(type));
  expect([...new Set(subjects.map(({ type }) => type))].sort()).toEqual(wanted.sort());
  expect(Object.keys(restores)).toEqual(expect.arrayContaining([...wanted, ...fixed]));
});

test('the newest version equals the object that the graph shows', async () => {
  for (const { type, id } of subjects) {
    const version = await newest(id);
    const shown = await exported(type, id);
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

/** A change of one setting by kind. */
const changes: Readonly<Record<string, JsonObject>> = {
  Project: { description: 'other' },
  Backend: { site: 'there', labels: [{ name: 'rack', value: 'b2' }], limits: { queueLimit: 7 } },
  ProjectSubnet: { name: 'renamed' },
  LoadBalancer: { description: 'other', maxNodes: 4 },
  Pool: { algorithm: 'SOURCE_IP', persistence: null },
  PoolMember: { weight: 9, tags: [] },
  PoolHealthMonitor: { intervalMs: 4_000, hostHeader: null },
  Listener: { connectionLimit: null, allowedCidrs: [] },
  L7Policy: { position: 7 },
  L7Rule: { value: 'c' },
  DnsBackend: { name: 'renamed' },
  DnsZone: { description: 'other' },
  GslbVantagePoint: { region: 'west', beacons: [] },
  GslbFlavor: { mostNames: 51, policies: ['GEO'] },
  GslbMonitor: { intervalMs: 7_000, parameters: null },
  GslbPool: { minUp: 1, quorum: { leastRegions: 1 } },
  GslbPoolMember: { weight: 4, place: null },
  Gslb: { ttlSeconds: 90, fallbackPoolId: null, noneUp: 'ALL' },
  ObjectCluster: { weight: 60, s3Urls: [] },
  ObjectOption: { replicas: 1, nearestReads: false },
  AlertRule: { severity: 'WARNING', repeatMs: null },
  AlertChannel: { enabled: false, groupMs: 2_000 },
};
/** Only a new key goes with a new chain. */
const unchanged = ['TlsCertificate', 'AutoscalingPolicy'];

describe('a change', () => {
  test('of each kind is recorded with its difference, and both ways back are the ordinary update', async () => {
    const types = new Set(subjects.map(({ type }) => type));
    expect([...Object.keys(changes), ...unchanged].sort()).toEqual([...types].sort());
    for (const [type, change] of Object.entries(changes)) {
      const id = subjects.find((each) => each.type === type)?.id ?? '';
      const before = await newest(id);
      await shared.admin.change(restores[type]?.update?.mutation ?? '', { id, ...change });
      const after = await newest(id);
      const differing = Object.keys(change).filter(
        (name) => canonicalJson(before.settings?.[name] ?? null) !== canonicalJson(after.settings?.[name] ?? null),
      );
      expect({ type, fields: after.changes.map(({ field }) => field) }).toEqual({
        type,
        fields: expect.arrayContaining(differing.sort()),
      });
      expect(differing).not.toEqual([]);
      const [again] = (await ownVersions(id)).filter(({ number }) => number === before.number);
      expect({ type, ...again?.restore }).toEqual({ type, ...after.undo });
      const done = await send(type, after.undo);
      expect({ type, userErrors: done.userErrors }).toEqual({ type, userErrors: [] });
      const back = await newest(id);
      expect({ type, settings: back.settings }).toEqual({ type, settings: before.settings });
      const shown = compact(await exported(type, id)) as JsonObject;
      const settings = compact(before.settings ?? {}) as JsonObject;
      for (const name of Object.keys(shown).filter((each) => each !== 'cmpObject'))
        expect({ type, name, value: shown[name] }).toEqual({ type, name, value: settings[name] });
    }
  });

  test('by two people who take the same one back: the slower gets STALE_VERSION', async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    await shared.admin.change('gslbPoolUpdate', { id, description: 'third' });
    const { undo } = await newest(id);
    expect((await send('GslbPool', undo)).userErrors).toEqual([]);
    expect((await send('GslbPool', undo)).userErrors).toMatchObject([{ code: 'STALE_VERSION' }]);
  });

  test('that a later one changed again is not taken back alone', async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    await shared.admin.change('gslbPoolUpdate', { id, description: 'fourth' });
    await shared.admin.change('gslbPoolUpdate', { id, description: 'fifth', minUp: 1 });
    const [, fourth] = await ownVersions(id);
    expect(fourth?.undo.refusal).toMatch(/^description was changed again since/);
    expect(fourth?.restore).toMatchObject({ mutation: 'gslbPoolUpdate', input: { description: 'fourth', minUp: 2 } });
  });

  test('that changes nothing, and one that is only tried, leave no version', async () => {
    const id = subjects.find(({ type }) => type === 'GslbPool')?.id ?? '';
    const before = (await ownVersions(id)).length;
    await shared.admin.change('gslbPoolUpdate', { id, description: 'fifth' });
    expect((await ownVersions(id)).length).toBe(before);
  });
});

describe('a load balancer', () => {
  const balancer = async () => {
    for (const { type, id } of subjects)
      if (type === 'LoadBalancer' && (await newest(id)).subjectName === 'nulls') return id;
    throw new Error('no load balancer');
  };

  test('has the changes of its parts in its history', async () => {
    const types = new Set((await versionsOf(await balancer())).map(({ subjectType }) => subjectType));
    expect([...types].sort()).toEqual([
      ...['AutoscalingPolicy', 'L7Policy', 'L7Rule', 'Listener', 'LoadBalancer', 'Pool', 'PoolHealthMonitor'],
      'PoolMember',
    ]);
  });

  test('that was deleted is made again with all of its parts, under a new id', async () => {
    const id = await balancer();
    const parts = (await recorded(shared.place)).filter(({ type }) => type !== 'LoadBalancer');
    const before = new Map<string, JsonObject | null>();
    for (const version of (await versionsOf(id)).toReversed()) before.set(version.subjectId, version.settings);
    const alive = [...before.values()].filter((settings) => settings !== null).length;
    await shared.admin.change('loadBalancerDelete', { id });
    const gone = await newest(id);
    expect([gone.deleted, gone.mutation]).toEqual([true, 'loadBalancerDelete']);
    const { undo } = gone;
    expect(undo).toMatchObject({ mutation: 'loadBalancerCreate', missingFields: [], refusal: null });
    const renamed = { ...undo, input: { ...undo.input, name: 'again', cmpObject: null } };
    const done = await send('LoadBalancer', renamed);
    expect(done.userErrors).toEqual([]);
    const made = (await recorded(shared.place)).filter(
      (each) => each.type === 'LoadBalancer' && !subjects.some((known) => known.id === each.id),
    );
    expect(made.length).toBe(1);
    const versions = await versionsOf(made[0]?.id ?? '');
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

  test('history lists who changed what, undo takes it back, and compare shows the difference', async () => {
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

  test('a deleted object has its history by its name, and undo makes it again', async () => {
    expect(await run('gslb-pools', 'create', 'short-lived', '--min-up', '3', '--project', 'default')).toMatchObject({
      exitCode: 0,
    });
    expect(await run('gslb-pools', 'delete', 'short-lived')).toMatchObject({ exitCode: 0 });
    const [gone] = JSON.parse((await run('history', 'short-lived', '--json')).stdout) as {
      id: string;
      deleted: boolean;
    }[];
    expect(gone?.deleted).toBe(true);
    expect(await run('undo', gone?.id ?? '')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await run('gslb-pools', 'show', 'short-lived', '--json')).stdout).toContain('"minUp": 3');
    const again = await run('undo', gone?.id ?? '');
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ALREADY_EXISTS') });
  });

  test('what can not be undone is refused with its reason', async () => {
    const certificate = subjects.find(({ type }) => type === 'TlsCertificate')?.id ?? '';
    const [created] = await ownVersions(certificate);
    const refused = await run('undo', created?.id ?? '', '--restore');
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has these settings now') });
    const unknown = await run('undo', encodeId('ConfigurationVersion', '00000000-0000-7000-8000-000000000000'));
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('"tidegate history" lists them') });
  });
});

test('a caller sees the history of what it may see', async () => {
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
  for (const { id } of subjects.filter((each) => each.type === type)) if (!(await newest(id)).deleted) return id;
  return undefined;
}

test('what is protected from deletion is not deleted, in every kind that can be', async () => {
  const guarded = Object.entries(restores).filter(([, { update }]) => update?.fields.includes('deletionProtected'));
  expect(guarded.map(([type]) => type).sort()).toEqual(['Backend', 'DnsZone', 'Gslb', 'LoadBalancer', 'ObjectCluster']);
  for (const [type, { update, delete: remove }] of guarded) {
    const id = (await alive(type)) ?? '';
    const set = (deletionProtected: boolean) => shared.admin.change(update?.mutation ?? '', { id, deletionProtected });
    const removed = () => shared.admin.change(remove?.mutation ?? '', { id });
    await set(true);
    expect(await exported(type, id)).toMatchObject({ deletionProtected: true });
    const { changes: shown, undo } = await newest(id);
    expect({ type, shown }).toEqual({
      type,
      shown: [{ field: 'deletionProtected', before: false, after: true }],
    });
    await expect(removed()).rejects.toThrow('DELETION_PROTECTED');
    expect((await send(type, undo)).userErrors).toEqual([]);
    expect(await exported(type, id)).toMatchObject({ deletionProtected: false });
    // What else would refuse it says so now.
    const refusal = await removed().catch(String);
    expect(String(refusal)).not.toContain('DELETION_PROTECTED');
  }
});
