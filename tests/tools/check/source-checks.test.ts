// The checks of the source tree, on small trees and on this one.
// needs: git
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { findAnatomyFaults } from '../../../tools/check/anatomy.ts';
import { findBoundaryFaults } from '../../../tools/check/boundaries.ts';
import { findCycles } from '../../../tools/check/cycles.ts';
import { findUnusedExports, readNamedInYaml } from '../../../tools/check/exports.ts';
import { findLengthFaults } from '../../../tools/check/function-length.ts';
import { findLayerFaults, floors } from '../../../tools/check/layers.ts';
import { findPathFaults } from '../../../tools/check/named-paths.ts';
import { findOutgoingFaults } from '../../../tools/check/outgoing.ts';
import { parseSource, type SourceFile } from '../../../tools/check/source-files.ts';
import { findTableFaults, tableOwners } from '../../../tools/check/table-ownership.ts';
import { findHookFaults } from '../../../tools/check/test-hooks.ts';
import { findPollFaults } from '../../../tools/check/test-waits.ts';
import { topFolders } from '../../../tools/check/top-folders.ts';
import { findClockFaults } from '../../../tools/check/wall-clock.ts';

const root = join(import.meta.dirname, '..', '..', '..');

function parseAll(files: Readonly<Record<string, string>>): Promise<SourceFile[]> {
  return Promise.all(Object.entries(files).map(([path, text]) => parseSource(path, text)));
}

test('only files with a reason read the wall clock, and no deletion depends on it', async () => {
  const faults = findClockFaults(
    await parseAll({
      'platform/limiter.ts': 'const untilMs = Date.now() + 1000;',
      'platform/defaults.ts': 'const now = Date.now;',
      'platform/monotonic.ts': 'const untilMs = performance.now() + 1000;',
      'platform/values/ids.ts': 'const ms = Date.now();',
      'platform/store.ts': "const sql = 'DELETE FROM t WHERE expires_at < NOW(3) - INTERVAL 1 DAY';",
      'platform/kept.ts': "const sql = 'DELETE FROM t WHERE expires_at < ' + trustedNow + ' - INTERVAL 1 DAY';",
      'tests/a.ts': 'const ms = Date.now();',
    }),
  );
  expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
    'platform/defaults.ts',
    'platform/limiter.ts',
    'platform/store.ts',
  ]);
});

test('a function of the product has at most 90 lines, and a data table has any number', async () => {
  const lines = (count: number) => 'f(1);\n'.repeat(count);
  const faults = findLengthFaults(
    await parseAll({
      'cli/short.ts': `// äöü €\nexport function short() {\n${lines(88)}}\n`,
      'cli/long.ts': `// äöü €\nimport './a.ts';\n\nexport function long() {\n${lines(89)}}\n// The end.\n`,
      'platform/method.ts': `class One {\n  #it() {\n${lines(100)}}\n}\n`,
      'dashboard/src/arrow.tsx': `const Page = () => {\n${lines(100)}return <p />;\n};\n`,
      'schema/table.ts': `export const table = [\n${'  1,\n'.repeat(200)}];\n`,
      'bench/long.ts': `export function long() {\n${lines(100)}}\n`,
    }),
  );
  expect(faults.map((fault) => fault.split(' is ')[0])).toEqual([
    ...['cli/long.ts:4', 'platform/method.ts:2', 'dashboard/src/arrow.tsx:1'],
  ]);
});

test('modules beside test files have hooks in functions, and no module stands in for another', async () => {
  const faults = findHookFaults(
    await parseAll({
      'tests/a.test.ts': 'afterAll(() => {});',
      'tests/support/in-function.ts': 'export function use() {\n  afterAll(() => {});\n}',
      'tests/support/at-top.ts': 'const all = [];\nafterEach(() => all.pop());',
      'tests/b.test.ts': `jest${''}.mock('./c.ts', () => ({}));`,
      'platform/a.ts': 'afterAll(() => {});',
    }),
  );
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['tests/support/at-top.ts', 'tests/b.test.ts']);
});

test('a test does not poll with sleeps', async () => {
  const pause = 'await sleep(5);';
  const late = 'await new Promise((resolve) => setTimeout(resolve, 5));';
  const faults = findPollFaults(
    await parseAll({
      'tests/while.test.ts': `while (!(await isDone())) ${pause}`,
      'tests/next-line.test.ts': `while (!isDone())\n  ${late}`,
      'tests/braces.ts': `for (let left = 5; left > 0 && !isDone(); left -= 1) {\n  ${pause}\n}`,
      'tests/do.ts': `do {\n  ${pause}\n  state = await read();\n} while (state !== 'UP');`,
      'tests/client.ts': `for (const name of names) {\n  ${pause}\n  await ask(name);\n}\nwhile (isOn) await work(() => sleep(5));`,
      'platform/loop.ts': `while (!isDone()) ${pause}`,
    }),
  );
  expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
    ...['tests/braces.ts', 'tests/do.ts', 'tests/next-line.test.ts', 'tests/while.test.ts'],
  ]);
});

test('a file that a module names by relative path exists, unless it is generated', async () => {
  const files = await parseAll({
    'compose/places.ts': [
      "const up = new URL('../../dashboard/dist', import.meta.url);",
      "const built = new URL('../dashboard/dist', import.meta.url);",
      "const schema = new URL('../schema', import.meta.url);",
    ].join('\n'),
    'tools/dev.ts': [
      "const program = join(import.meta.dirname, '..', 'bin', 'tidegate.ts');",
      "const gone = resolve(import.meta.dirname, 'gone.ts');",
      "const folder = join(import.meta.dirname, name, 'x');",
    ].join('\n'),
  });
  expect(await findPathFaults(root, files)).toEqual([
    'compose/places.ts names ../dashboard/dist, which does not exist',
    'tools/dev.ts names tools/gone.ts, which does not exist',
  ]);
});

describe('imports', () => {
  test('every form of import is found', async () => {
    const file = await parseSource(
      'gateway/a.ts',
      `import x from 'pino';
       import type { T } from './types.ts';
       import { type U } from './more.ts';
       export * from '../platform/b.ts';
       export { y } from './c.ts';
       const lazy = await import('./d.ts');
       let t: import('./e.ts').E;`,
    );
    expect(file.imports.filter((each) => each.ours).map((each) => [each.target, each.typeOnly])).toEqual([
      ['gateway/types.ts', true],
      ['gateway/more.ts', true],
      ['platform/b.ts', false],
      ['gateway/c.ts', false],
      ['gateway/d.ts', false],
      ['gateway/e.ts', true],
    ]);
  });

  test.each([
    ['platform/a.ts', '../gateway/b.ts'],
    ['platform/deep/a.ts', '../../subgraphs/relay/b.ts'],
    ['subgraphs/relay/a.ts', '../system/b.ts'],
    ['gateway/a.ts', '../subgraphs/relay/b.ts'],
    ['gateway/a.ts', '../subgraphs/rows.ts'],
    ['subgraphs/relay/a.ts', '../rows.ts'],
    ['workers/a.ts', '../gateway/b.ts'],
    ['workers/a.ts', '../subgraphs/relay/checks/backend-checker.ts'],
    ['embedded/a.ts', '../platform/b.ts'],
    ['platform/a.ts', '../dns/b.ts'],
    ['dns/a.ts', '../subgraphs/relay/b.ts'],
    ['dns/a.ts', '../generated/graph/relay.ts'],
    ['gateway/a.ts', '../dns/b.ts'],
    ['bin/a.ts', '../tests/support/b.ts'],
    ['bin/a.ts', '../gateway/b.ts'],
    ['compose/a.ts', '../cli/b.ts'],
    ['compose/a.ts', '../subgraphs/relay/b.ts'],
    ['ha/a.ts', '../compose/b.ts'],
    ['lab/a.ts', '../compose/b.ts'],
    ['lab/control-plane/a.ts', '../../compose/b.ts'],
    ['gateway/subscriptions/a.ts', '@apollo/query-planner'],
  ])('%s may not import %s', async (path, target) => {
    const faults = findBoundaryFaults(await parseAll({ [path]: `import type { b } from '${target}';` }));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`${path} imports `);
  });

  test.each([
    ['platform/a.ts', './database/b.ts'],
    ['platform/a.ts', '../generated/prisma/client.ts'],
    ['subgraphs/relay/a.ts', '../../platform/b.ts'],
    ['subgraphs/relay/a.ts', '../../dns/b.ts'],
    ['dns/a.ts', '../platform/b.ts'],
    ['subgraphs/relay/control/calls/a.ts', '../backends/b.ts'],
    ['workers/a.ts', '../platform/checks/b.ts'],
    ['subgraphs/rows.ts', './relay/row.ts'],
    ['compose/a.ts', '../subgraphs/rows.ts'],
    ['compose/a.ts', '../gateway/b.ts'],
    ['cli/ha-demo/a.ts', '../../lab/b.ts'],
    ['bin/a.ts', '../cli/main.ts'],
    ['tests/a.ts', '../bench/b.ts'],
    ['platform/a.ts', 'pino'],
    ['trials/gateway-differential/stock-executor.ts', '@apollo/query-planner'],
  ])('%s may import %s', async (path, target) => {
    expect(findBoundaryFaults(await parseAll({ [path]: `import { b } from '${target}';` }))).toEqual([]);
  });

  test.each([
    ['dns/answerer/a.ts', '../policy/b.ts'],
    ['dns/answerer/a.ts', './b.ts'],
    ['dns/answerer/a.ts', '../../platform/b.ts'],
    ['platform/edge/a.ts', '../database/b.ts'],
    ['cli/commands/a.ts', '../b.ts'],
    ['cli/table.ts', './commands/b.ts'],
    ['bench/a.ts', '../trials/b.ts'],
    ['bench/a.ts', '../tests/support/b.ts'],
    ['tests/a.ts', '../tools/b.ts'],
  ])('%s may import %s: it is in the same or a lower layer', async (path, target) => {
    expect(findLayerFaults(await parseAll({ [path]: `import { b } from '${target}';` }))).toEqual([]);
  });

  test('a file may not import a higher layer, and every folder has a layer', async () => {
    const text = "import type { b } from '../answerer/b.ts';";
    expect(findLayerFaults(await parseAll({ 'dns/policy/a.ts': text }))).toEqual([
      expect.stringContaining('dns/policy/a.ts imports dns/answerer/b.ts'),
    ]);
    expect(findLayerFaults(await parseAll({ 'dns/other/a.ts': '' }))).toHaveLength(1);
    expect(findLayerFaults(await parseAll({ 'other/a.ts': '' }))).toHaveLength(1);
  });

  test.each([
    ['platform/database/a.ts', '../edge/b.ts'],
    ['cli/a.ts', './commands/b.ts'],
    ['cli/kinds/a.ts', '../commands/b.ts'],
    ['cli/apply/a.ts', '../table.ts'],
    ['ha/address/a.ts', '../host/b.ts'],
    ['ha/agent/a.ts', '../cluster.ts'],
    ['lab/claims/a.ts', '../lab.ts'],
    ['lab/a.ts', '../compose/b.ts'],
    ['lab/a.ts', '../cli/b.ts'],
    ['trials/a.ts', '../bench/b.ts'],
    ['measure/a.ts', '../trials/b.ts'],
    ['dashboard/src/a.ts', '../../tools/b.ts'],
  ])('%s may not import %s: it is in a higher layer', async (path, target) => {
    const faults = findLayerFaults(await parseAll({ [path]: `import type { b } from '${target}';` }));
    expect(faults).toEqual([expect.stringContaining(`${path} imports `)]);
  });

  test.each([
    ['bench/lb', 'bench/ha'],
    ['cli/commands/clusters', 'cli/commands/rings'],
    ['subgraphs/gslb/control/names', 'subgraphs/gslb/control/pools'],
    ['dashboard/src/pages/relay/one', 'dashboard/src/pages/relay/two'],
  ])('%s and %s import each other in one direction', async (one, other) => {
    const [first, second] = [one, other].map((path) => path.split('/').at(-1));
    const files = { [`${one}/a.ts`]: `import '../${second}/b.ts';`, [`${other}/b.ts`]: '', [`${other}/c.ts`]: '' };
    expect(findLayerFaults(await parseAll(files))).toEqual([]);
    // There is no cycle of files.
    expect(findLayerFaults(await parseAll({ ...files, [`${other}/c.ts`]: `import '../${first}/a.ts';` }))).toEqual([
      expect.stringContaining(`circle of folders: ${one} → ${other} → ${one} (${one}/a.ts imports ${other}/b.ts; `),
    ]);
  });

  test('every top-level folder with TypeScript, except that of the tests, has a layer', () => {
    const folders = Object.keys(topFolders).filter((folder) => folder !== 'tests');
    expect(folders.map((folder) => `${folder}/`).sort()).toEqual([...floors].sort());
  });

  test.each([
    ['subgraphs/relay/control/calls/a.ts', '../journal/b.ts'],
    ['subgraphs/relay/control/calls/a.ts', '../../rules/b.ts'],
    ['subgraphs/relay/control/calls/a.ts', '../../transports/b.ts'],
    ['subgraphs/relay/transports/a.ts', '../drivers/driver.ts'],
    ['subgraphs/relay/drivers/neo/a.ts', '../driver.ts'],
    ['subgraphs/relay/drivers/neo/a.ts', '../../../../platform/b.ts'],
    ['subgraphs/gslb/rules/a.ts', '../../../dns/policy/b.ts'],
    ['subgraphs/gslb/agents/checker/plugins/a.ts', '../checker.ts'],
    ['subgraphs/gslb/agents/checker/a.ts', '../settings.ts'],
    ['subgraphs/object-storage/agents/server/a.ts', '../../engine/s3/b.ts'],
    ['subgraphs/gslb/row.ts', './agents/checker/b.ts'],
    ['subgraphs/gslb/gslb.ts', './control/names/b.ts'],
  ])('%s may import %s in its subgraph', async (path, target) => {
    expect(findAnatomyFaults(await parseAll({ [path]: `import { b } from '${target}';` }))).toEqual([]);
  });

  test.each([
    ['subgraphs/gslb/control/names/a.ts', '../../agents/checker/b.ts'],
    ['subgraphs/gslb/agents/checker/a.ts', '../../control/names/b.ts'],
    ['subgraphs/gslb/agents/checker/a.ts', '../nameserver/b.ts'],
    ['subgraphs/gslb/rules/a.ts', '../control/names/b.ts'],
    ['subgraphs/gslb/rules/a.ts', '../../../generated/graph/gslb.ts'],
    ['subgraphs/gslb/wire/a.ts', '../agents/checker/b.ts'],
    ['subgraphs/gslb/control/names/a.ts', '../../gslb.ts'],
    ['subgraphs/object-storage/engine/s3/a.ts', '../../agents/server/b.ts'],
    ['subgraphs/object-storage/control/a.ts', '../engine/s3/b.ts'],
    ['subgraphs/relay/drivers/neo/a.ts', '../../transports/b.ts'],
    ['subgraphs/relay/drivers/neo/a.ts', '../../../../dns/names.ts'],
  ])('%s may not import %s in its subgraph', async (path, target) => {
    const faults = findAnatomyFaults(await parseAll({ [path]: `import type { b } from '${target}';` }));
    expect(faults).toEqual([expect.stringContaining(`${path} imports `)]);
  });

  test.each(['subgraphs/gslb/settings.ts', 'subgraphs/gslb/stores/a.ts'])('%s has no place', async (path) => {
    expect(findAnatomyFaults(await parseAll({ [path]: '' }))).toEqual([expect.stringContaining(path)]);
  });

  test('each check covers every top-level folder with TypeScript, or excuses it by name', async () => {
    const { stdout } = await promisify(execFile)('git', ['ls-files', '*.ts', '*.tsx'], {
      cwd: root,
      maxBuffer: 2 ** 24,
    });
    const folders = stdout
      .split('\n')
      .filter((path) => path.includes('/'))
      .map((path) => path.split('/')[0] ?? '');
    expect([...new Set(folders)].sort()).toEqual(Object.keys(topFolders).sort());
  });

  test('a cycle is reported with one of its paths, and a diamond is not a cycle', async () => {
    const diamond = {
      'a/top.ts': `import './left.ts'; import './right.ts';`,
      'a/left.ts': `import './bottom.ts';`,
      'a/right.ts': `import './bottom.ts';`,
      'a/bottom.ts': '',
    };
    expect(findCycles(await parseAll(diamond))).toEqual([]);
    expect(findCycles(await parseAll({ ...diamond, 'a/bottom.ts': `import type { T } from './top.ts';` }))).toEqual([
      'import cycle: a/top.ts → a/left.ts → a/bottom.ts → a/top.ts',
    ]);
  });
});

describe('exports', () => {
  test.each([
    'export const a = 1;',
    'export const { x: a } = y;',
    'export const [...a] = y;',
    'export const { b: [a] = [] } = y;',
    'export function a() {}',
    'export abstract class a {}',
    'export interface a {}',
    'export type a = 1;',
    'const b = 1; export { b as a };',
    "export { b as a } from './c.ts';",
    "export * as a from './c.ts';",
  ])('are refused if no other file imports them: %s', async (text) => {
    const files = { 'platform/a.ts': text, 'gateway/b.ts': "import '../platform/a.ts'; const a = 1; say(a);" };
    expect(findUnusedExports(await parseAll(files), new Set())).toEqual([
      expect.stringContaining('platform/a.ts exports a, which'),
    ]);
  });

  test.each([
    "import { a } from '../platform/a.ts';",
    "import { a as b } from '../platform/a.ts';",
    "import type { a } from '../platform/a.ts';",
    "import { type a } from '../platform/a.ts';",
    "let b: import('../platform/a.ts').a;",
    "let b: import('../platform/a.ts').a.c;",
    "let b: typeof import('../platform/a.ts');",
    "export { a as default } from '../platform/a.ts';",
    "export * from '../platform/a.ts';",
    "import * as all from '../platform/a.ts';",
    "const all = await import('../platform/a.ts');",
  ])('are used by: %s', async (text) => {
    expect(
      findUnusedExports(await parseAll({ 'platform/a.ts': 'export const a = 1;', 'tests/b.ts': text }), new Set()),
    ).toEqual([]);
  });

  test('an import of another name, or of the same name from another file, does not count as a use', async () => {
    const files = {
      'platform/a.ts': 'export const a = 1; export default 2;',
      'platform/b.ts': 'export const a = 1; export const b = 1;',
      'tests/c.ts': "import two, { a } from '../platform/b.ts'; import { b } from '../platform/b.ts';",
    };
    expect(findUnusedExports(await parseAll(files), new Set())).toEqual([expect.stringContaining('platform/a.ts')]);
    expect(findUnusedExports(await parseAll(files), new Set(['platform/a.ts#a']))).toEqual([]);
  });

  test('generated code uses the names in codegen.yml and the mappers', async () => {
    const named = await readNamedInYaml(root);
    expect(named).toContain('platform/caller/identity.ts#RequestContext');
    expect(named).toContain('dns/backends/backend.ts#BackendRow');
  });
});

describe('tables', () => {
  const owners = tableOwners(
    new Map([
      ['platform', 'model OwedWork {\n  kind String\n\n  @@map("owed_work")\n}\n'],
      ['relay', 'model Backend {\n  id String\n  @@map("backend")\n}\n'],
      ['system', 'model User {\n  id String\n  @@map("user")\n}\n'],
      ['dns', 'model DnsZone {\n  id String\n  @@map("dns_zone")\n}\n'],
      ['gslb', 'model GslbVote {\n  id String\n  @@map("gslb_vote")\n}\n'],
    ]),
  );

  test.each([
    ['subgraphs/relay/store.ts', '`SELECT 1 FROM x JOIN user u ON 1`', 'user'],
    ['subgraphs/relay/store.ts', "'DELETE FROM owed_work'", 'owed_work'],
    ['subgraphs/system/store.ts', '"INSERT INTO backend (id) VALUES (1)"', 'backend'],
    ['platform/x.ts', "'UPDATE `backend` SET id = 1'", 'backend'],
    ['workers/x.ts', "'SELECT * FROM backend'", 'backend'],
    ['subgraphs/relay/store.ts', "'SELECT 1 FROM dns_zone'", 'dns_zone'],
    ['platform/x.ts', "'SELECT 1 FROM dns_zone'", 'dns_zone'],
    ['dns/records/x.ts', "'DELETE FROM owed_work'", 'owed_work'],
    ['subgraphs/gslb/agents/checker/x.ts', "'SELECT 1 FROM gslb_vote'", 'gslb_vote'],
    ['subgraphs/gslb/row.ts', 'db.prisma.gslbVote.count()', 'gslbVote'],
    ['subgraphs/relay/store.ts', 'db.prisma.user.findMany()', 'user'],
  ])('%s may not contain %s', async (path, text, table) => {
    const faults = findTableFaults(await parseAll({ [path]: `run(${text});` }), owners);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`${path} touches ${table}`);
  });

  test('tables of the same owner, other words and tests are ignored', async () => {
    const files = await parseAll({
      'subgraphs/relay/store.ts': `run('SELECT 1 FROM backend'); db.prisma.backend.count(); say('a user is away');`,
      'platform/x.ts': `run('UPDATE owed_work SET kind = 1');`,
      'subgraphs/gslb/control/x.ts': `run('SELECT 1 FROM gslb_vote');`,
      'tests/x.ts': `run('DELETE FROM user');`,
    });
    expect(findTableFaults(files, owners)).toEqual([]);
  });
});

describe('connections', () => {
  test.each([
    "import { connect } from 'node:net';",
    "import { connect as dial } from 'net';",
    "import net from 'node:net'; net.createConnection(1);",
    "import * as net from 'node:net'; new net.Socket();",
    "import net from 'node:net'; export const open = net;",
    "import net from 'node:net'; net['connect'](1);",
    "export { connect } from 'node:tls';",
    "import { connect } from 'node:tls';",
    "import { request } from 'node:https';",
    "import http from 'node:http'; http.get('http://a');",
    "import { lookup } from 'node:dns/promises';",
    "import { Resolver } from 'node:dns';",
    "import { createSocket } from 'node:dgram';",
    "const { connect } = await import('node:net');",
    "import { createRequire } from 'node:module';",
    "process.getBuiltinModule('node:net').connect(1);",
    "import ssh2 from 'ssh2'; new ssh2.Client();",
    "import { Client } from 'ssh2'; new Client();",
    "import { request } from 'undici';",
    "import { WebSocket } from 'ws';",
    "await fetch('http://a');",
    "globalThis.fetch('http://a');",
    'const open = fetch;',
    "new WebSocket('ws://a');",
  ])('are not opened outside of platform/net: %s', async (text) => {
    for (const path of [
      'subgraphs/relay/a.ts',
      'platform/checks/a.ts',
      'platform/net/a.ts',
      'gateway/a.ts',
      'workers/a.ts',
    ])
      expect(findOutgoingFaults(await parseAll({ [path]: text }))).toHaveLength(1);
  });

  test.each([
    "import type { Socket } from 'node:net';",
    "import { isIP, type Socket } from 'node:net'; isIP('a');",
    "import { createServer } from 'node:http';",
    "import net from 'node:net'; let a: net.Socket; net.isIP('a');",
    "import ssh2, { type Client } from 'ssh2'; ssh2.utils.parseKey('a');",
    "import { WebSocketServer } from 'ws';",
    "pool.fetch('a'); const a = { fetch: 1, WebSocket: 2 };",
    "await dial(egress, { host: 'a', port: 1 });",
  ])('are not opened by: %s', async (text) => {
    expect(findOutgoingFaults(await parseAll({ 'subgraphs/relay/a.ts': text }))).toEqual([]);
  });

  test('are opened by tests, the lab and the listed files, and the list has no unnecessary entry', async () => {
    const text = "import { connect } from 'node:net';";
    const files = await parseAll({ 'tests/a.ts': text, 'lab/a.ts': text, 'platform/net/dial.ts': text });
    expect(findOutgoingFaults(files)).toEqual([]);
    const faults = findOutgoingFaults(await parseAll({ 'platform/net/dial.ts': 'const a = 1;' }));
    expect(faults).toEqual([expect.stringContaining('opens no connection: take it off the list')]);
  });
});
