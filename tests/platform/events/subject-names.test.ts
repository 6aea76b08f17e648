// Every event has the name of its subject at that time, so that lists of changes name what is gone. By the table of the kinds of events.
import { expect, test } from '@jest/globals';
import type { SqlValue, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { allEventKinds } from '../../../platform/process/subgraph-row.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open());
const kinds = allEventKinds(subgraphRows);
const subjectTypes = [...new Set(Object.values(kinds).map(({ subject }) => subject))].sort();

/** There is one, or the writer gives the name: no row has it. */
const withoutRow = ['DatabaseTimeline', 'HaCluster', 'LoadBalancerHealing', 'OwedWork', 'RelayOperation'];

type Values = Readonly<Record<string, SqlValue>>;
/** Type of the subject, its table with its own values, its name, further rows. */
type Case = readonly [string, string, Values, string, Readonly<Record<string, Values>>?];

const member = (spec: object): Values => ({ kind: 'PoolMember', spec: JSON.stringify(spec) });
const option = { object_option: { id: newUuid(), number: 7, name: 'photos' } };

const cases: readonly Case[] = [
  ['Alert', 'alert', { rule_name: 'down' }, 'down'],
  ['AlertChannel', 'alert_channel', { name: 'desk' }, 'desk'],
  ['AlertRule', 'alert_rule', { name: 'down' }, 'down'],
  ['ApiToken', 'api_token', { name: 'deploy' }, 'deploy'],
  ['AutoscalingPolicy', 'lb_load_balancer', { name: 'web' }, 'web'],
  ['Backend', 'backend', { name: 'fw-1' }, 'fw-1'],
  ['DnsBackendServer', 'dns_server', { place: '192.0.2.53:53' }, '192.0.2.53:53'],
  ['Gslb', 'gslb', { fqdn: 'www.example.test' }, 'www.example.test'],
  ['GslbNameServer', 'gslb_name_server', { name: 'ns1' }, 'ns1'],
  ['GslbPoolMember', 'gslb_pool_member', { name: 'eu' }, 'eu'],
  ['GslbVantagePoint', 'gslb_vantage_point', { name: 'ap' }, 'ap'],
  ['LoadBalancer', 'lb_load_balancer', { name: 'web' }, 'web'],
  ['LoadBalancerHost', 'lb_host', { name: 'host-1' }, 'host-1'],
  ['LoadBalancerNode', 'lb_node', { name: 'web-1a' }, 'web-1a'],
  ['Machine', 'machine', { name: 'pop-1' }, 'pop-1'],
  ['Mapping', 'mapping', { object_key: `block/${'x'.repeat(400)}` }, `block/${'x'.repeat(249)}`],
  ['ObjectAccessKey', 'object_access_key', { name: 'backup' }, 'backup'],
  ['ObjectCluster', 'object_cluster', { name: 'hall-1' }, 'hall-1'],
  ['ObjectOption', 'object_option', { name: 'photos' }, 'photos'],
  ['ObjectRing', 'object_ring', { number: 7 }, 'photos', option],
  ['ObjectRing', 'object_ring', { number: 0 }, 'core'],
  ['ObjectRingChange', 'object_ring_change', { number: 7 }, 'photos', option],
  ['PoolMember', 'lb_part', member({ name: 'one', host: '192.0.2.1', port: 80 }), 'one'],
  ['PoolMember', 'lb_part', member({ name: '', host: '192.0.2.1', port: 80 }), '192.0.2.1:80'],
  ['PoolMember', 'lb_part', member({ host: '2001:db8::1', port: 80 }), '[2001:db8::1]:80'],
  ['Project', 'project', { name: 'shop' }, 'shop'],
  ['PublishedOperation', 'published_operation', { name: 'Start' }, 'Start'],
  ['User', 'user', { name: 'nora' }, 'nora'],
];

test('every type of subject has a name, or is known to have none', () => {
  const named = [...new Set(cases.map(([type]) => type))];
  expect([...named, ...withoutRow].sort()).toEqual(subjectTypes);
  const nameless = Object.values(kinds).filter(({ nameSql }) => nameSql == null);
  expect([...new Set(nameless.map(({ subject }) => subject))].sort()).toEqual(withoutRow);
});

test.each(cases)('an event of %s in %s has its name', async (type, table, values, name, others = {}) => {
  const id = newUuid();
  const written = await ground.db.transaction(async (tx) => {
    await tx.execute('SET FOREIGN_KEY_CHECKS = 0');
    for (const [other, row] of Object.entries(others)) await insert(tx, other, row);
    await insert(tx, table, { id, ...values });
    const own = Object.entries(kinds).filter(([, { subject }]) => subject === type);
    const events = own.map(([kind]) => ({
      ...{ kind, projectId: null, subjectId: id, subjectVersion: 1, from: null, to: 'A' },
    }));
    await appendStatus(tx, kinds, events, ground.wake);
    // The name that a writer gives comes first.
    await appendStatus(
      tx,
      kinds,
      events.map((event) => ({ ...event, subjectName: 'given' })),
      ground.wake,
    );
    const rows = await tx.query<{ name: string | null }>(
      'SELECT subject_name AS name FROM status_change WHERE subject_id = ? ORDER BY id',
      [id],
    );
    for (const gone of [table, ...Object.keys(others)]) await tx.execute(`DELETE FROM \`${gone}\``);
    await tx.execute('SET FOREIGN_KEY_CHECKS = 1');
    return { names: rows.map((row) => row.name), kinds: own.length };
  });
  const expected = [name, 'given'].flatMap((each) => Array.from({ length: written.kinds }, () => each));
  expect(written.names).toEqual(expected);
});

/** Any value in each column that needs one. */
async function insert(tx: Transaction, table: string, values: Values): Promise<void> {
  const needed = await tx.query<{ name: string; type: string; longest: number | null }>(
    `SELECT column_name AS name, data_type AS type, character_maximum_length AS longest FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = ? AND is_nullable = 'NO' AND column_default IS NULL AND extra = ''`,
    [table],
  );
  const row = { ...Object.fromEntries(needed.map((column) => [column.name, anyOf(column)])), ...values };
  const names = Object.keys(row).map((name) => `\`${name}\``);
  const all = Object.values(row);
  await tx.execute(`INSERT INTO \`${table}\` (${names.join()}) VALUES (${marksFor(all)})`, all);
}

function anyOf({ type, longest }: { readonly type: string; readonly longest: number | null }): SqlValue {
  if (type === 'char' && longest === 36) return newUuid();
  if (type === 'datetime') return new Date(0);
  return longest === null ? 1 : '1';
}
