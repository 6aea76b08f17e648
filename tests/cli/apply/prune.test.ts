// What happens to objects that a source created and its files no longer have. Each remaining object is reported. Uses the schema of the
// real graph, with answers of the test.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { settingId } from '../../../platform/caller/manner.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from '../commands/graph-server.ts';
import { runCommand } from '../commands/run-command.ts';

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly result: string;
  readonly message: string | null;
}

let server: GraphServer;
let folder: TemporaryFolder;
beforeAll(async () => {
  [server, folder] = [await GraphServer.start(), await temporaryFolder()];
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const [projectUuid, userUuid] = [newUuid(), newUuid()];
const project = { id: encodeId('Project', projectUuid), name: 'shop' };
const containerIn = (name: string) => encodeId('ObjectContainer', `${project.id}/${name}`);
const owned = (subjectType: string, uuid = newUuid(), of: object | null = null) => ({
  ...{ subjectType, subjectId: encodeId(subjectType, uuid), project: of },
});

/** Objects of the source, and the objects that have their ids now. */
let rows: readonly ReturnType<typeof owned>[] = [];
let nodes: Readonly<Record<string, object>> = {};
let containers: Readonly<Record<string, object>> = {};

beforeEach(() => {
  [rows, nodes, containers] = [[], {}, {}];
  server.requests.length = 0;
  server.answers = {
    // No object belongs to another source.
    appliedObjects: (args: { first: number; after: string | null; subjectIds?: readonly string[] }) => ({
      ...(pageOf(args.subjectIds === undefined ? rows : [], { ...args, names: null }) as object),
      totalCount: rows.length,
    }),
    projects: () => ({ nodes: [project], pageInfo: { hasNextPage: false, endCursor: null } }),
    node: ({ id }: { readonly id: string }) => nodes[id] ?? null,
    objectContainer: ({ id }: { readonly id: string }) => containers[id] ?? null,
    objectContainers: () =>
      pageOf(
        [
          {
            __typename: 'ObjectContainer',
            id: containerIn('kept'),
            name: 'kept',
            version: 1,
            project,
            createdAt: new Date(),
            updatedAt: new Date(),
            option: null,
            cmpObject: null,
          },
        ],
        {
          ...{ first: 100, after: null },
        },
      ),
  };
});

async function diff(text: string) {
  await writeFile(join(folder.path, 'wanted.yaml'), text);
  const words = ['diff', '-f', join(folder.path, 'wanted.yaml'), '--source', 'site', '--prune', '--json'];
  const run = await runCommand([...words, '--url', server.url], { env: { TIDEGATE_TOKEN: goodToken } });
  expect(run.stderr).toBe('');
  const shown = JSON.parse(run.stdout) as readonly Row[];
  return { ...run, rows: shown.map(({ kind, name, result, message }) => [kind, name, result, message]) };
}
const wanted = 'kind: ObjectContainer\nname: kept\n';

test('an object that stays is reported with the reason, and is not a change', async () => {
  const [host, token, lost] = [owned('LoadBalancerHost'), owned('ApiToken'), owned('Elsewhere')];
  rows = [host, token, lost];
  nodes = {
    [host.subjectId]: { __typename: 'LoadBalancerHost', id: host.subjectId, name: 'host-1', version: 3 },
    [token.subjectId]: { __typename: 'ApiToken', id: token.subjectId, name: 'ci', version: 1, project },
  };
  const { exitCode, rows: shown } = await diff(wanted);
  expect(shown).toEqual([
    [
      ...['LoadBalancerHost', 'host-1', 'STAYS'],
      expect.stringMatching(/^stays: a source only keeps the record of a \w+.*, which a machine makes$/),
    ],
    ['ApiToken', 'ci', 'STAYS', 'stays: no file can have it: "tidegate tokens revoke ci" ends it'],
    ['Elsewhere', lost.subjectId, 'STAYS', 'stays: files have no such kind'],
  ]);
  expect(exitCode).toBe(0);
});

test('the source knows containers by another id, and one with objects is reported with their number', async () => {
  const own = ['kept', 'empty', 'full', 'huge', 'gone'].map(() => owned('ObjectContainer', newUuid(), project));
  rows = own;
  const [kept, empty, full, huge] = own;
  const container = (name: string, totalCount: number | null) => ({
    id: containerIn(name),
    name,
    objects: { totalCount },
  });
  containers = {
    [kept?.subjectId ?? '']: container('kept', 2),
    [empty?.subjectId ?? '']: container('empty', 0),
    [full?.subjectId ?? '']: container('full', 1),
    [huge?.subjectId ?? '']: container('huge', null),
  };
  const { exitCode, rows: shown } = await diff(wanted);
  const until = 'a run is refused until they are deleted';
  expect(shown).toEqual([
    ['ObjectContainer', 'empty', 'WOULD_DELETE', null],
    ['ObjectContainer', 'full', 'WOULD_DELETE', `it has 1 object: ${until}`],
    ['ObjectContainer', 'huge', 'WOULD_DELETE', `it has more than 100 objects: ${until}`],
  ]);
  expect(exitCode).toBe(2);
});

test('an autoscaling policy ends with its own document', async () => {
  const balancers = ['web', 'api', 'off'].map((name) => ({ name, uuid: newUuid() }));
  const ids = balancers.map(({ uuid }) => settingId('AutoscalingPolicy', projectUuid, uuid));
  // The object of api does not belong to the source.
  rows = [ids[0], ids[2]].map((uuid) => owned('AutoscalingPolicy', uuid, project));
  server.answers = {
    ...server.answers,
    loadBalancers: (args: { first: number; after: string | null }) =>
      pageOf(
        balancers.map(({ name, uuid }) => ({
          ...{ id: encodeId('LoadBalancer', uuid), name },
          autoscaling: name === 'off' ? null : { id: encodeId('AutoscalingPolicy', uuid) },
        })),
        { ...args, names: null },
      ),
  };
  expect((await diff(wanted)).rows).toEqual([['AutoscalingPolicy', 'web', 'WOULD_DELETE', null]]);
});

test('settings are found by their project and key, and users who are already disabled need no step', async () => {
  const [user, disabled] = [owned('User', userUuid), owned('User')];
  const setting = (type: string, key: string) => owned(type, settingId(type, projectUuid, key), project);
  rows = [user, disabled, setting('Membership', userUuid), setting('LoadBalancerQuota', 'POOLS')];
  const name = (id: string, of: string) => ({ __typename: 'User', id, name: of, version: 2 });
  nodes = {
    [user.subjectId]: { ...name(user.subjectId, 'dora'), enabled: true },
    [disabled.subjectId]: { ...name(disabled.subjectId, 'erin'), enabled: false },
    [project.id]: {
      ...{ __typename: 'Project', ...project },
      members: () =>
        pageOf([{ user: name(user.subjectId, 'dora'), role: 'VIEWER', project, createdAt: new Date() }], {
          first: 100,
          after: null,
        }),
      loadBalancerQuotas: [
        { kind: 'NODES', limit: 3, used: 1 },
        { kind: 'POOLS', limit: 4, used: 1 },
      ],
    },
  };
  const { rows: shown } = await diff(wanted);
  expect(shown).toEqual([
    ['LoadBalancerQuota', 'shop/POOLS', 'WOULD_RESET', null],
    ['Membership', 'shop/dora', 'WOULD_DELETE', null],
    ['User', 'dora', 'WOULD_DISABLE', null],
  ]);
});
