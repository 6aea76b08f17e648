// Rows that remain in the tables. Sealed private keys follow the active key, and rows of deleted objects are removed
// once they can't be requested any more.
import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { decodeUuid } from '../../../platform/values/ids.ts';
import { keyPlace } from '../../../subgraphs/loadbalancer/control/certificates/certificate-service.ts';
import { retentionSteps } from '../../../subgraphs/loadbalancer/control/retention.ts';
import { lockBalancer, setProvisioning } from '../../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { loadBalancerRow } from '../../../subgraphs/loadbalancer/row.ts';
import { forFile } from '../../support/jest/shared.ts';
import { deletedRows } from '../../support/product/deleted-rows.ts';
import { keyFile } from '../../support/product/test-context.ts';
import { BalancerGraph, makeTree } from './support/balancer-graph.ts';

const graph = forFile(() => BalancerGraph.open());

interface KeyRow {
  readonly id: string;
  readonly keyId: string;
  readonly sealed: Buffer;
  readonly sha256: string;
}
const keyRows = () =>
  graph.db.query<KeyRow>('SELECT id, key_id AS keyId, sealed_key AS sealed, sha256 FROM lb_certificate ORDER BY id');

test('private keys are resealed with the active key; a damaged one is reported by name, and a deleted one is gone', async () => {
  const pair = await makeCertificate({ commonName: 'www.example.com' });
  const store = (name: string) =>
    graph.make('tlsCertificateCreate', { name, chain: pair.cert, privateKey: pair.key }, 'tlsCertificate { id }');
  const [good, damaged, deleted] = [await store('good'), await store('damaged'), await store('deleted')];
  await graph.mutate('tlsCertificateDelete', { id: deleted.id });
  await graph.db.execute("UPDATE lb_certificate SET sealed_key = REVERSE(sealed_key) WHERE name = 'damaged'");
  const keyring = new Keyring({ active: 'k2', keys: { ...keyFile.keys, k2: Buffer.alloc(32, 8).toString('base64') } });
  const sealer = createSealer(keyring);
  const reseal = () => loadBalancerRow.reseal?.(graph.db, { sealer, keyId: 'k2', openOlder: false });
  expect(await reseal()).toEqual({
    ...{ resealed: 1, trusted: [] },
    failed: [expect.stringMatching(/^certificate damaged: .* can't be opened with key k1/)],
  });
  const rows = new Map((await keyRows()).map((row) => [row.id, row]));
  const row = rows.get(decodeUuid('TlsCertificate', good.id) ?? '');
  if (row === undefined) throw new Error('the certificate is missing');
  expect(row.keyId).toBe('k2');
  expect(sealer.open(row, keyPlace(row.id, row.sha256))).toBe(pair.key);
  expect(rows.get(decodeUuid('TlsCertificate', damaged.id) ?? '')?.keyId).toBe('k1');
  expect(rows.get(decodeUuid('TlsCertificate', deleted.id) ?? '')).toMatchObject({
    keyId: '',
    sealed: Buffer.alloc(0),
  });
  expect((await reseal())?.resealed).toBe(0);
});

test('rows of deleted objects are kept for repeated requests and readers of changes, and then deleted', async () => {
  const ids = await makeTree(graph, 'old');
  const kept = await makeTree(graph, 'kept');
  await graph.mutate('poolMemberDelete', { id: kept.poolMember });
  const uuid = decodeUuid('LoadBalancer', ids.loadBalancer) ?? '';
  await graph.mutate('loadBalancerDelete', { id: ids.loadBalancer });
  await graph.db.transaction(async (tx) => {
    const row = await lockBalancer(tx, uuid);
    if (row !== undefined) await setProvisioning(tx, graph.wake, row, { status: 'DELETED', reason: null });
  });
  const run = (keptMs: number) => deletedRows(retentionSteps(graph.db, keptMs));
  const none = Object.fromEntries(retentionSteps(graph.db).map(({ name }) => [name, 0]));
  expect(await run(60_000)).toEqual(none);
  await graph.db.execute('UPDATE lb_part SET deleted_at = NOW(3) - INTERVAL 1 HOUR WHERE deleted = 1');
  await graph.db.execute(
    'UPDATE lb_load_balancer SET deleted_at = NOW(3) - INTERVAL 1 HOUR WHERE deleted_at IS NOT NULL',
  );
  // The tree has seven parts, and the other load balancer lost a member. An event still mentions the load balancer.
  expect(await run(60_000)).toEqual({ ...none, 'parts of load balancers': 8 });
  await graph.db.execute("DELETE FROM status_change WHERE subject_type = 'LoadBalancer'");
  expect(await run(60_000)).toEqual({ ...none, 'load balancers': 1 });
  const [left] = await graph.db.query<{ parts: number; references: number }>(
    `SELECT (SELECT COUNT(*) FROM lb_part WHERE load_balancer_id = ?) AS parts,
      (SELECT COUNT(*) FROM lb_reference r LEFT JOIN lb_part p ON p.id = r.part_id WHERE p.id IS NULL) AS \`references\``,
    [uuid],
  );
  expect(left).toEqual({ parts: 0, references: 0 });
});
