// Commands find one object by its name or id in one request, whatever the length of the list, against a server with the real schema.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

let server: GraphServer;
type Page = { first: number; after: string | null; names?: readonly string[] | null };

const project = { __typename: 'Project', id: 'P1', name: 'mine' };
const things = [
  ...Array.from({ length: 150 }, (_, index) => ({ id: `T${index}`, name: `other-${index}`, project })),
  ...['A', 'B'].map((id) => ({ id, name: 'both', project })),
  { id: 'Z', name: 'wanted', project },
];
/** With one list and one object by id. */
const rootsOf = (list: string, one: string, mutation: string) => ({
  [list]: (args: Page) => pageOf(things, args),
  [one]: ({ id }: { id: string }) => things.find((each) => each.id === id) ?? null,
  node: ({ id }: { id: string }) => {
    const found = things.find((each) => each.id === id);
    return found === undefined ? null : { __typename: 'ProjectSubnet', ...found };
  },
  projects: (args: Page) =>
    pageOf(
      [
        { id: 'P1', name: 'mine' },
        { id: 'P2', name: 'theirs' },
      ],
      args,
    ),
  [mutation]: () => ({ [one]: null, commit: null, userErrors: [] }),
});

beforeAll(async () => {
  server = await GraphServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.stop());
const run = (...args: string[]) => runCommand([...args, '--url', server.url], { env: { TIDEGATE_TOKEN: goodToken } });

test.each([
  ['backend', ['operations', 'list', '--backend'], 'backends'],
  ['project', ['backends', 'list', '--project'], 'projects'],
  ['load balancer', ['loadbalancers', 'show'], 'loadBalancers'],
] as const)('a %s with a name that is nearly one: the message has that one', async (what, verb, list) => {
  const all = Array.from({ length: 1_000 }, (_, index) => ({ id: `T${index}`, name: `other-${index}`, project }));
  const near = { id: 'F', name: 'lab-firewall', project };
  const asked: (string | null)[] = [];
  server.answers = {
    [list]: (args: Page & { readonly text?: string | null }) => {
      asked.push(args.text ?? null);
      return pageOf(
        [...all, near].filter(({ name }) => name.includes(args.text ?? '')),
        { ...args, after: args.after ?? null },
      );
    },
  };
  expect(await run(...verb, 'lab-firewal')).toMatchObject({
    ...{ exitCode: 1, stderr: `tidegate: there is no ${what} 'lab-firewal'; 'lab-firewall' is near\n` },
  });
  // One look by name, and some short ones for what is near.
  expect(asked).toEqual([null, 'lab', 'wal', '']);
});

const kinds: readonly (readonly [what: string, verb: readonly [string, string], roots: object])[] = [
  ['host', ['hosts', 'release'], rootsOf('loadBalancerHosts', 'loadBalancerHost', 'loadBalancerHostCordonLift')],
  ['certificate', ['certificates', 'delete'], rootsOf('tlsCertificates', 'tlsCertificate', 'tlsCertificateDelete')],
  ['subnet', ['subnets', 'delete'], rootsOf('projectSubnets', 'projectSubnet', 'projectSubnetDelete')],
  ['cluster', ['clusters', 'update'], rootsOf('objectClusters', 'objectCluster', 'objectClusterUpdate')],
  ['option', ['options', 'keep'], rootsOf('objectOptions', 'objectOption', 'objectOptionDeleteCancel')],
];

test.each(kinds)('a %s is found by name or id in one request', async (what, verb, roots) => {
  server.answers = roots as typeof server.answers;
  for (const given of ['wanted', 'Z']) {
    server.requests.length = 0;
    expect(await run(...verb, given)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(server.requests).toEqual([
      { id: given, names: [given], first: 100, after: null },
      { input: expect.objectContaining({ id: 'Z' }) },
    ]);
  }
  expect(await run(...verb, 'none')).toMatchObject({
    ...{ exitCode: 1, stderr: `tidegate: there is no ${what} 'none'\n` },
  });
  expect(await run(...verb, 'both')).toMatchObject({
    ...{ exitCode: 1, stderr: `tidegate: several ${what}s have the name 'both'; use one of these ids: A, B\n` },
  });
});

test.each(kinds.slice(1, 3))('a %s is found by id only in the project that was named', async (what, verb, roots) => {
  server.answers = roots as typeof server.answers;
  expect(await run(...verb, 'Z', '--project', 'mine')).toMatchObject({ exitCode: 0 });
  expect(await run(...verb, 'Z', '--project', 'theirs')).toMatchObject({
    ...{ exitCode: 1, stderr: `tidegate: there is no ${what} 'Z'\n` },
  });
});

test('a name that objects of several kinds have is told apart by the kind', async () => {
  const named =
    (id: string) =>
    ({ first, after }: Page) =>
      pageOf([{ id, name: 'web', operatingStatus: 'ONLINE' }], { first, after: after ?? null });
  const entry = {
    recordedAt: '2026-01-31T12:00:00.000Z',
    actor: null,
    action: 'x',
    outcome: 'ACCEPTED',
    details: null,
  };
  const answers = {
    ...{ loadBalancers: named('LB'), gslbPools: named('GP') },
    auditEntries: (args: Page) => pageOf([entry], args),
  };
  // All other lists are empty.
  const none = (args: Page) => pageOf([], { ...args, after: args.after ?? null });
  server.answers = new Proxy<Record<string, (args: Page) => unknown>>(answers, {
    get: (known, field) => known[String(field)] ?? none,
  });
  const several = await run('audit', 'list', '--subject', 'web');
  expect(several.exitCode).toBe(1);
  expect(several.stderr).toContain(
    "several objects have the name 'web'; name one of loadbalancers/web, gslb-pools/web",
  );
  for (const [given, id] of [
    ['loadbalancers/web', 'LB'],
    ['lb/web', 'LB'],
    ['gslb-pool/web', 'GP'],
  ] as const) {
    expect(await run('audit', 'list', '--subject', given)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(server.requests.at(-1)).toMatchObject({ subjectId: id });
  }
  const gone = await run('audit', 'list', '--subject', 'n06f30a90b1');
  expect(gone.stderr).toContain('"tidegate loadbalancers decisions NAME" tells why a node went');
});

test('what is for administrators says how to be one', async () => {
  server.answers = {
    haMoves: () => {
      throw new GraphQLError('Only administrators may do this.', { extensions: { code: 'FORBIDDEN' } });
    },
  };
  const folder = await temporaryFolder();
  const without = await run('ha', 'moves', '--data', folder.path);
  expect([without.exitCode, without.stderr]).toEqual([
    1,
    'tidegate: FORBIDDEN: Only administrators may do this. Give --user and --password-file of one, or log in with "tidegate login".\n',
  ]);
  await writeFile(join(folder.path, 'admin.password'), 'x');
  const beside = await run('ha', 'moves', '--data', folder.path);
  expect(beside.stderr).toContain(`Give --user admin --password-file ${folder.path}/admin.password, or`);
  await folder.remove();
});
