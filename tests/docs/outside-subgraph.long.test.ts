// Another team's subgraph in docs/examples/inventory-subgraph, in TypeScript and in Python, with a running system. Its
// types are in the graph, it checks the caller, and its absence or garbage affects only its own fields. The Python
// server runs where graphql-core 3.2 is installed, which Debian 12 does not have.
// needs: system, python3, python3-cryptography
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { allows, IdentityVerifier } from '../../docs/examples/inventory-subgraph/typescript/identity.ts';
import { IdentityChecker } from '../../platform/graph/signed-identity.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { PublicKeys } from '../../platform/secrets/key-pairs.ts';
import { freePort } from '../support/machine/free-port.ts';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

const example = join(import.meta.dirname, '../../docs/examples/inventory-subgraph');
const vectors = JSON.parse(readFileSync(join(example, 'identity-vectors.json'), 'utf8')) as {
  publicKeys: { gateway: Record<string, string> };
  audience: string;
  body: string;
  nowSeconds: number;
  project: { id: string };
  accepted: { what: string; header: string; identity: unknown; nowSeconds?: number }[];
  refused: { what: string; header: string | null; body?: string; nowSeconds?: number }[];
};

let folder: TemporaryFolder;
let keysFile: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  keysFile = join(folder.path, 'public.keys');
  writeFileSync(keysFile, JSON.stringify(vectors.publicKeys));
});
afterAll(() => folder?.remove());

describe("the caller's identity", () => {
  test('the vectors match what the product signs and checks', () => {
    const keys = new PublicKeys({ ...vectors.publicKeys, system: {}, audit: {}, objects: {} });
    for (const { header, identity, nowSeconds = vectors.nowSeconds } of vectors.accepted) {
      const checker = new IdentityChecker({ keys, audience: vectors.audience });
      expect(checker.check(header, vectors.body, nowSeconds * 1000)).toEqual({ identity, requestId: 'request-1' });
    }
    for (const { header, body = vectors.body, nowSeconds = vectors.nowSeconds } of vectors.refused) {
      const checker = new IdentityChecker({ keys, audience: vectors.audience });
      expect(typeof checker.check(header ?? '', body, nowSeconds * 1000)).toBe('string');
    }
  });

  test('TypeScript accepts and refuses as the vectors require, each header once', () => {
    const check = (one: { header: string | null; body?: string; nowSeconds?: number }, verifier = fresh()) =>
      verifier.verify(
        one.header ?? undefined,
        Buffer.from(one.body ?? vectors.body),
        one.nowSeconds ?? vectors.nowSeconds,
      );
    const fresh = () => new IdentityVerifier(keysFile, vectors.audience);
    for (const one of vectors.accepted) expect(check(one)).toEqual({ identity: one.identity, requestId: 'request-1' });
    for (const one of vectors.refused) expect(() => check(one)).toThrow(/\w/);
    const [first] = vectors.accepted;
    const verifier = fresh();
    if (first === undefined) throw new Error('no vector');
    const { identity } = check(first, verifier);
    expect(() => check(first, verifier)).toThrow('sent before');
    expect(allows(identity, vectors.project.id, 'MEMBER')).toBe(true);
    expect(allows(identity, vectors.project.id, 'OPERATOR')).toBe(false);
    expect(allows(identity, 'x', 'VIEWER')).toBe(false);
  });

  test('Python accepts and refuses the same', () => {
    const script = `
import json, sys
from identity import IdentityError, IdentityVerifier, allows
vectors = json.load(open("${example}/identity-vectors.json"))
def check(one, verifier):
    return verifier.verify(one["header"], one.get("body", vectors["body"]).encode(), one.get("nowSeconds", vectors["nowSeconds"]))
fresh = lambda: IdentityVerifier("${keysFile}", vectors["audience"])
for one in vectors["accepted"]:
    assert check(one, fresh()) == (one["identity"], "request-1"), one["what"]
for one in vectors["refused"]:
    try:
        check(one, fresh())
    except IdentityError:
        continue
    raise SystemExit("accepted: " + one["what"])
verifier = fresh()
identity, _ = check(vectors["accepted"][0], verifier)
try:
    check(vectors["accepted"][0], verifier)
    raise SystemExit("accepted twice")
except IdentityError as error:
    assert str(error) == "sent before"
project = vectors["project"]["id"]
print(allows(identity, project, "MEMBER"), allows(identity, project, "OPERATOR"))
`;
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const told = execFileSync('/usr/bin/python3', ['-c', script], {
      cwd: join(example, 'python'),
      encoding: 'utf8',
      env,
    });
    expect(told.trim()).toBe('True False');
  });
});

const inOneDay = new Date(Date.now() + 86_400_000).toISOString();
const hasGraphqlCore =
  spawnSync('/usr/bin/python3', ['-c', 'from graphql import version_info as v; assert v >= (3, 2)']).status === 0;
const servers = [
  ['TypeScript', [process.execPath, join(example, 'typescript/server.ts')]],
  ...(hasGraphqlCore ? ([['Python', ['/usr/bin/python3', join(example, 'python/server.py')]]] as const) : []),
] as const;

describe.each(servers)('the inventory in %s', (_, [program, file]) => {
  let system: RunningSystem;
  let port: number;
  let server: ChildProcess | undefined;
  let rubbish: Server | undefined;

  beforeAll(async () => {
    port = await freePort();
    const sdl = join(example, 'inventory.graphql');
    system = await runningSystem({
      settings: { 'subgraphs.inventory.urls': `http://127.0.0.1:${port}`, 'subgraphs.inventory.sdl': sdl },
    });
    await issueMachine();
    await startServer();
  }, 120_000 * patience);
  afterAll(async () => {
    await stopServer();
    rubbish?.close();
    await system?.stop();
  }, 60_000);

  /** Like `tidegate machines issue`. Its credentials expire soon, so the example must renew them. */
  async function issueMachine(): Promise<void> {
    await makeAuthority(join(system.folder, 'keys'));
    const { publicKey } = await newMachineKeys();
    const wish = {
      name: 'inventory-1',
      role: 'subgraph',
      publicKey,
      records: { outsideSubgraph: { name: 'inventory' } },
    };
    const [issued] = (await system.process.access?.firstStart.issueMachines([wish])) ?? [];
    const machine = { endpoint: system.url, token: issued?.credential.token, expiresAt: inOneDay };
    writeFileSync(join(system.folder, 'subgraph.json'), JSON.stringify(machine));
  }

  async function startServer(): Promise<void> {
    const own = [join(system.folder, 'inventory.json'), join(system.folder, 'subgraph.json')];
    const args = [file, join(system.folder, 'keys', 'public.keys'), String(port), ...own];
    const env = { ...process.env, NODE_OPTIONS: '', PYTHONDONTWRITEBYTECODE: '1' };
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    server = child;
    await once(child.stdout, 'data');
  }

  async function stopServer(): Promise<void> {
    if (server === undefined || server.exitCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
    server = undefined;
  }

  async function ask(query: string, variables: object = {}, token: string | undefined = system.token) {
    const response = await fetch(system.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: An answer of any query.
    return (await response.json()) as any;
  }

  const install =
    'mutation ($input: RackInstallInput!) { rackInstall(input: $input) { id name units installedAt project { id name } } }';
  const whole = `{
    projects { nodes { id name racks { name units } } }
    cmpObject(type: "rack", externalId: "r1") { id rack { name project { name } } mappings { nodes { id } } }
  }`;

  test('its fields are in the graph, joined with ours in both directions', async () => {
    const { data } = await ask('{ projects { nodes { id name } } }');
    const [project] = data.projects.nodes;
    const made = await ask(install, { input: { projectId: project.id, name: 'r1' } });
    expect(made.errors).toBeUndefined();
    expect(made.data.rackInstall).toMatchObject({
      name: 'r1',
      units: 42,
      project: { id: project.id, name: project.name },
    });
    const read = await ask(whole);
    expect(read.errors).toBeUndefined();
    expect(read.data.projects.nodes[0].racks).toEqual([{ name: 'r1', units: 42 }]);
    expect(read.data.cmpObject).toMatchObject({
      rack: { name: 'r1', project: { name: project.name } },
      mappings: { nodes: [] },
    });
  });

  test('it knows the caller: a coded refusal, and no data for unknown callers', async () => {
    const foreign = Buffer.from('Project:0190f3a2-0000-7000-8000-000000000002').toString('base64url');
    const refused = await ask(install, { input: { projectId: foreign, name: 'r2' } });
    expect(refused.errors).toMatchObject([{ path: ['rackInstall'], extensions: { code: 'FORBIDDEN' } }]);
    const tall = await ask(install, { input: { projectId: foreign, name: 'r2', units: 61 } });
    expect(tall.errors).toHaveLength(1);
    const nobody = await ask('{ rack(id: "1") { name } }', {}, '');
    expect(nobody.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    const direct = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      body: '{"query":"{ __typename }"}',
    });
    expect(direct.status).toBe(401);
  });

  test(
    'its events reach a client once each, although it is killed while it sends them',
    async () => {
      const { data } = await ask('{ statusCursor projects { nodes { id } } }');
      const projectId = data.projects.nodes[0].id;
      const client = createClient({
        ...{ url: system.url.replace('http', 'ws'), webSocketImpl: WebSocket },
        connectionParams: { authorization: `Bearer ${system.token}` },
      });
      const query = `subscription ($after: String) { statusChanges(kinds: ["inventory:Rack.state"], after: $after) {
        change { to subjectId subject { ... on Rack { name } } } } }`;
      const received: { to: string; subjectId: string }[] = [];
      const stream = client.iterate({ query, variables: { after: data.statusCursor } });
      const following = (async () => {
        for await (const { data: item } of stream) {
          const { change } = (item as { statusChanges: { change: (typeof received)[number] | null } }).statusChanges;
          if (change !== null) received.push(change);
        }
      })();
      const installed = new Set<string>();
      for (let round = 0; round < 4; round += 1) {
        const answers = Array.from({ length: 25 }, (_, index) =>
          ask(install, { input: { projectId, name: `e${round}-${index}` } }).catch(() => undefined),
        );
        if (round < 3) {
          await Promise.race(answers);
          await new Promise((resolve) => setTimeout(resolve, round * 40));
          await stopServer();
          await startServer();
        }
        for (const answer of await Promise.all(answers))
          if (answer?.data?.rackInstall != null) installed.add(answer.data.rackInstall.id);
      }
      expect(installed.size).toBeGreaterThanOrEqual(25);
      const ids = () => received.map(({ subjectId }) => subjectId);
      await waitFor('all events', async () => [...installed].every((id) => ids().includes(id)));
      expect(new Set(ids()).size).toBe(received.length);
      const { data: one } = await ask('query ($id: ID!) { node(id: $id) { ... on Rack { units } } }', { id: ids()[0] });
      expect(one.node).toEqual({ units: 42 });
      const renewed = JSON.parse(readFileSync(join(system.folder, 'subgraph.json'), 'utf8'));
      expect(Date.parse(renewed.expiresAt)).toBeGreaterThan(Date.parse(inOneDay));
      await stopServer();
      const history = `{ statusHistory(kinds: ["inventory:Rack.state"], first: 1) {
        nodes { to subjectId subject { ... on Rack { name } } } } }`;
      const away = await ask(history);
      expect(away.data.statusHistory.nodes).toMatchObject([{ to: 'INSTALLED', subject: null }]);
      await startServer();
      await client.dispose();
      await following;
    },
    120_000 * patience,
  );

  test(
    'while it is away or answers garbage its fields are null, each with an error, and ours still work',
    async () => {
      await stopServer();
      const expectOurs = async () => {
        const { data, errors } = await ask(whole);
        expect(data.projects.nodes[0]).toMatchObject({ name: 'default', racks: null });
        expect(data.cmpObject).toMatchObject({ rack: null, mappings: { nodes: [] } });
        expect(errors.map(({ path }: { path: unknown[] }) => path.at(-1)).sort()).toEqual(['rack', 'racks']);
        for (const { extensions } of errors)
          expect(extensions).toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'inventory' });
      };
      await expectOurs();
      let answer: () => [number, string] = () => [500, ''];
      rubbish = createServer((request, response) => {
        request.resume().on('end', () => {
          const [status, text] = answer();
          response.writeHead(status, { 'content-type': 'application/json' }).end(text);
        });
      });
      rubbish.listen(port, '127.0.0.1');
      await once(rubbish, 'listening');
      for (const text of [
        '',
        '<html>',
        'null',
        '5',
        '[]',
        '{}',
        '{"data":5}',
        '{"data":null}',
        '{"errors":{}}',
        '{"errors":[5]}',
        '{"data":{"_entities":',
        '"x"',
      ])
        for (const status of [200, 302, 404, 500]) {
          answer = () => [status, text];
          await expectOurs();
        }
      const closing = rubbish;
      closing.closeAllConnections();
      await new Promise((resolve) => closing.close(resolve));
      rubbish = undefined;
      await startServer();
      await waitFor(
        'its return',
        async () => (await ask('{ projects { nodes { racks { name } } } }')).errors === undefined,
      );
    },
    120_000 * patience,
  );
});
