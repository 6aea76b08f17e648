// The certificates that nodes get while lists and certificates change. They always match the lists.
import { expect, test } from '@jest/globals';
import type { LoadBalancerCreateInput } from '../../../../../generated/graph/loadbalancer.ts';
import type { Sql, SqlValue } from '../../../../../platform/database/database.ts';
import { makeCertificate } from '../../../../../platform/net/certificates.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { NodeDocuments } from '../../../../../subgraphs/loadbalancer/control/hosts/node-documents.ts';
import { readBalancer } from '../../../../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { untilItWaits } from '../../support/until-it-waits.ts';

const place = forFile(() => BalancerPlace.open());

async function pair(name: string) {
  const { cert: chain, key: privateKey } = await makeCertificate({ commonName: name, names: [name] });
  return { chain, privateKey };
}

/** Creates a certificate and returns its UUID. */
async function certificate(name: string): Promise<string> {
  const input = { name, projectId: encodeId('Project', place.projectId), ...(await pair(`${name}.test`)) };
  const { entity, userErrors } = await place.certificates.create(place.context(), input);
  if (entity === null) throw new Error(JSON.stringify(userErrors));
  return entity.id;
}

/** A load balancer with one listener that shows one certificate. */
async function balancerWith(name: string, shown: string) {
  const certificateIds = [encodeId('TlsCertificate', shown)];
  const listeners = [{ protocol: 'TERMINATED_HTTPS', port: 443, certificateIds }];
  const id = await place.balancer(name, { listeners } as unknown as Partial<LoadBalancerCreateInput>);
  const [listener] = await place.ground.db.query<{ id: string }>(
    "SELECT id FROM lb_part WHERE load_balancer_id = ? AND kind = 'Listener'",
    [id],
  );
  if (listener === undefined) throw new Error('it has no listener');
  return { id, listener: listener.id };
}

async function show(listener: string, shown: string): Promise<void> {
  const input = { id: encodeId('Listener', listener), certificateIds: [encodeId('TlsCertificate', shown)] };
  const { userErrors } = await place.parts.change(place.context(), 'listenerUpdate', input);
  expect(userErrors).toEqual([]);
}

test("when a list changes while a document is read, the document's certificates match its list", async () => {
  const { db, sealer } = place.ground;
  const [old, next] = [await certificate('old'), await certificate('next')];
  const { id, listener } = await balancerWith('read', old);
  const node = await place.node(id, 'read-1');
  await db.execute("UPDATE lb_node SET host_id = ?, address = '192.0.2.1' WHERE id = ?", [newUuid(), node]);
  const documents = new NodeDocuments({ db, sealer });
  const before = (await documents.since(node, undefined))?.sent;
  let changed = false;
  const changing: Sql = {
    async query<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
      const rows = await db.query<Row>(sql, values);
      if (!changed && /FROM lb_part WHERE/.test(sql)) {
        changed = true;
        await show(listener, next);
      }
      return rows;
    },
    execute: (sql, values) => db.execute(sql, values),
  };
  for (const sent of [undefined, before]) {
    changed = false;
    await show(listener, old);
    const told = await new NodeDocuments({ db: changing, sealer }).since(node, sent);
    const { parts, certificates: known } = told?.document ?? told?.change ?? {};
    expect(changed).toBe(true);
    expect(parts?.find((part) => part.id === listener)?.spec.certificates).toEqual([next]);
    expect(known?.map((each) => each.id)).toEqual([next]);
  }
});

test('when a certificate is renewed while another load balancer begins to use it, that one gets the new certificate too', async () => {
  const { db } = place.ground;
  const [used, other] = [await certificate('used'), await certificate('other')];
  const { id, listener } = await balancerWith('begins', other);
  const generation = async () => (await readBalancer(db, id))?.generation ?? 0;
  const before = await generation();
  let renewed: ReturnType<BalancerPlace['certificates']['update']> | undefined;
  await db.transaction(async (tx) => {
    await tx.query('SELECT id FROM lb_certificate WHERE id = ? LOCK IN SHARE MODE', [used]);
    renewed ??= place.certificates.update(place.context(), {
      ...{ id: encodeId('TlsCertificate', used), ...(await pair('used.test')) },
    });
    await untilItWaits(db, 'lb_certificate');
    await tx.execute('INSERT INTO lb_reference (part_id, field, target_id) VALUES (?, ?, ?)', [
      ...[listener, 'certificates', used],
    ]);
  });
  expect((await renewed)?.userErrors).toEqual([]);
  expect(await generation()).toBe(before + 1);
});

test("a renewed certificate can't outgrow the documents of nodes, and can still be renewed", async () => {
  const { db } = place.ground;
  const grown = await certificate('grown');
  const { id, listener } = await balancerWith('full', grown);
  // The rest of the load balancer uses nearly all of the 8 MiB allowed for a document.
  const mostBytes = 8 * 1024 * 1024;
  const own = (await pair('grown.test')).chain.length + 8_000;
  await db.execute("UPDATE lb_part SET spec = JSON_SET(spec, '$.description', REPEAT('x', ?)) WHERE id = ?", [
    ...[mostBytes - own - 6_000, listener],
  ]);
  const renew = async (chain: string, privateKey: string) => {
    const input = { id: encodeId('TlsCertificate', grown), chain, privateKey };
    return (await place.certificates.update(place.context(), input)).userErrors.map(({ code }) => code);
  };
  const generation = async () => (await readBalancer(db, id))?.generation ?? 0;
  const before = await generation();
  const names = Array.from({ length: 100 }, (_, at) => `${'n'.repeat(60)}${at}.test`);
  const { cert, key } = await makeCertificate({ commonName: 'grown.test', names });
  expect(cert.length).toBeGreaterThan(8_000);
  expect([await renew(cert, key), await generation()]).toEqual([['LIMIT_REACHED'], before]);
  const { chain, privateKey } = await pair('grown.test');
  expect([await renew(chain, privateKey), await generation()]).toEqual([[], before + 1]);
});
