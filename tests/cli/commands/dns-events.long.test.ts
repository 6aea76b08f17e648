// Events of name servers and of DNS servers, tested end to end with real parts: from a server that dies, over a worker and the graph, to
// the output of `tidegate events --follow`. Each change is one line.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '../../../platform/database/database.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { bind, type NameServer, zone } from '../../dns/support/name-servers.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { Administrator } from '../../support/product/administrator.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';
import { type CommandRun, startCommand } from './run-command.ts';

let system: RunningSystem;
let db: Database;
let administrator: Administrator;
let server: NameServer;
let follow: CommandRun;

beforeAll(async () => {
  system = await runningSystem({ settings: { roles: 'gateway,system,loadbalancer,gslb,worker' } });
  db = new Database({ connection: system.database.connection, connectionLimit: 2 });
  administrator = await Administrator.of(system);
  server = await bind();
  const { statusCursor } = await administrator.ask<{ statusCursor: string }>('{ statusCursor }');
  follow = startCommand(['events', 'follow', '--json', '--after', statusCursor, '--url', system.url], {
    env: { TIDEGATE_TOKEN: administrator.token },
  });
});
afterAll(async () => {
  follow?.interrupt();
  await follow?.exitCode;
  await server?.remove();
  await db?.close();
  await system?.stop();
});

async function make(mutation: string, field: string, input: object): Promise<string> {
  return (
    (await administrator.change<Record<string, { id: string }>>(mutation, input, `${field} { id }`))[field]?.id ?? ''
  );
}

interface Told {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason: string | null;
  readonly subjectId: string;
}

/** The output for a kind of event. */
function told(kind: string): readonly Told[] {
  const lines = follow.stdout().split('\n');
  return lines
    .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Told] : []))
    .filter((each) => each.kind === kind);
}

test('a server of a backend that dies and returns: one event for each change', async () => {
  const { address, port } = server.place;
  const place = `${address}:${port}`;
  const credentials = { keySecret: server.key.secret.toString('base64') };
  const backend = {
    name: 'one',
    backendType: 'RFC2136',
    rfc2136: { servers: [place], keyName: server.key.name },
    credentials,
  };
  const backendId = await make('dnsBackendCreate', 'dnsBackend', backend);
  await make('dnsZoneCreate', 'dnsZone', {
    name: zone,
    backendId,
    rights: [{ suffix: zone, allows: ['OUTSIDE_PROJECT'] }],
  });
  const flavorId = await make('gslbFlavorCreate', 'gslbFlavor', { name: 'plain', backendId });
  const poolId = await make('gslbPoolCreate', 'gslbPool', { name: 'web', projectId: await projectId() });
  await make('gslbPoolMemberCreate', 'gslbPoolMember', {
    poolId,
    name: 'one',
    addresses: ['203.0.113.1'],
    servicePort: 80,
  });
  await server.kill();
  const fqdn = `shop.${zone}`;
  await make('gslbCreate', 'gslb', { projectId: await projectId(), fqdn, flavorId, poolIds: [poolId] });
  const states = () => told('dnsBackendServer.state');
  await waitFor('the failure', async () => states().length > 0);
  await server.start();
  await waitFor('the return', async () => states().at(-1)?.to === 'SERVING');
  expect(states()[0]).toMatchObject({ from: 'SERVING', to: 'FAILING', reason: expect.stringContaining(place) });
  // Each begins where the one before ended, and none repeats an earlier change.
  for (const [at, each] of states().entries()) {
    expect(each.to).not.toBe(each.from);
    if (at > 0) expect(each.from).toBe(states()[at - 1]?.to);
  }
  expect(states().map(({ to }) => to)).toContain('RETURNING');
  const shown = `query ($id: ID!) { dnsBackend(id: $id) { servers { id serverState } } }`;
  expect(await administrator.ask(shown, { id: backendId })).toEqual({
    dnsBackend: { servers: [{ id: states()[0]?.subjectId, serverState: 'SERVING' }] },
  });
});

test('one of our own name servers reports, and then falls silent', async () => {
  const id = newUuid();
  await db.execute("INSERT INTO gslb_name_server (id, name, heard_at) VALUES (?, 'ns1', NOW(3))", [id]);
  const states = () => told('gslbNameServer.state');
  await waitFor('its absence', async () => states().length >= 2);
  expect(states().map(({ from, to, reason }) => [from, to, reason])).toEqual([
    ['ABSENT', 'PRESENT', 'ns1'],
    ['PRESENT', 'ABSENT', expect.stringMatching(/^ns1: no report since \d\d:\d\d UTC$/)],
  ]);
  await db.execute('UPDATE gslb_name_server SET heard_at = NOW(3) WHERE id = ?', [id]);
  await waitFor('its return', async () => states().length >= 3);
  expect(states()[2]).toMatchObject({ from: 'ABSENT', to: 'PRESENT' });
});

async function projectId(): Promise<string> {
  const { projects } = await administrator.ask<{ projects: { nodes: { id: string }[] } }>(
    '{ projects { nodes { id } } }',
  );
  return projects.nodes[0]?.id ?? '';
}
