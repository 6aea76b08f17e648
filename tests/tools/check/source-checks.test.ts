import { describe, expect, test } from '@jest/globals';
import { findBoundaryFaults } from '../../../tools/check/boundaries.ts';
import { findCycles } from '../../../tools/check/cycles.ts';
import { findLayerFaults } from '../../../tools/check/layers.ts';
import { findOutgoingFaults } from '../../../tools/check/outgoing.ts';
import { parseSource, type SourceFile } from '../../../tools/check/source-files.ts';
import { findTableFaults, tableOwners } from '../../../tools/check/table-ownership.ts';

function parseAll(files: Readonly<Record<string, string>>): Promise<SourceFile[]> {
  return Promise.all(Object.entries(files).map(([path, text]) => parseSource(path, text)));
}

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
    ['subgraphs/relay/calls/a.ts', '../backends/b.ts'],
    ['workers/a.ts', '../platform/checks/b.ts'],
    ['subgraphs/rows.ts', './relay/row.ts'],
    ['bin/a.ts', '../subgraphs/rows.ts'],
    ['bin/a.ts', '../gateway/b.ts'],
    ['tests/a.ts', '../bench/b.ts'],
    ['platform/a.ts', 'pino'],
    ['gateway/supergraph/apollo-executor.ts', '@apollo/query-planner'],
  ])('%s may import %s', async (path, target) => {
    expect(findBoundaryFaults(await parseAll({ [path]: `import { b } from '${target}';` }))).toEqual([]);
  });

  test.each([
    ['subgraphs/relay/calls/a.ts', '../journal/b.ts'],
    ['subgraphs/relay/journal/a.ts', './b.ts'],
    ['subgraphs/relay/relay.ts', './calls/b.ts'],
    ['subgraphs/relay/drivers/neo/a.ts', '../driver.ts'],
    ['subgraphs/relay/calls/a.ts', '../../../platform/b.ts'],
    ['subgraphs/system/users/a.ts', '../projects/b.ts'],
  ])('%s may import %s: it is in the same or a lower layer', async (path, target) => {
    expect(findLayerFaults(await parseAll({ [path]: `import { b } from '${target}';` }))).toEqual([]);
  });

  test.each([
    ['subgraphs/relay/mappings/a.ts', '../journal/b.ts'],
    ['subgraphs/relay/backends/a.ts', '../mappings/b.ts'],
    ['subgraphs/relay/drivers/neo/a.ts', '../../transports/b.ts'],
    ['subgraphs/relay/calls/a.ts', '../relay.ts'],
    ['subgraphs/relay/settings.ts', './drivers/driver.ts'],
  ])('%s may not import %s: it is in a higher layer', async (path, target) => {
    const faults = findLayerFaults(await parseAll({ [path]: `import type { b } from '${target}';` }));
    expect(faults).toEqual([expect.stringContaining(`${path} imports subgraphs/relay/`)]);
  });

  test('a folder outside the layers is a fault', async () => {
    const faults = findLayerFaults(await parseAll({ 'subgraphs/relay/resolvers/a.ts': '' }));
    expect(faults).toEqual([expect.stringContaining('subgraphs/relay/resolvers/a.ts')]);
  });

  test('a cycle is reported with one of its paths; a diamond is not a cycle', async () => {
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
    ['subgraphs/gslb/objects/x.ts', "'SELECT 1 FROM gslb_vote'", 'gslb_vote'],
    ['subgraphs/gslb/row.ts', 'db.prisma.gslbVote.count()', 'gslbVote'],
    ['subgraphs/relay/store.ts', 'db.prisma.user.findMany()', 'user'],
  ])('%s may not contain %s', async (path, text, table) => {
    const faults = findTableFaults(await parseAll({ [path]: `run(${text});` }), owners);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`${path} touches ${table}`);
  });

  test('its own tables, other words and tests are ignored', async () => {
    const files = await parseAll({
      'subgraphs/relay/store.ts': `run('SELECT 1 FROM backend'); db.prisma.backend.count(); say('a user is away');`,
      'platform/x.ts': `run('UPDATE owed_work SET kind = 1');`,
      'subgraphs/gslb/conductor/x.ts': `run('SELECT 1 FROM gslb_vote');`,
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
