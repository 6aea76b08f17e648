// A repeated key gets its first answer, whatever happened to the backend since. Only the caller's right to see it is
// checked first.
import { describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { KeepingDevice } from '../../support/keeping-device.ts';
import { call, identity, projectA, projectB } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

interface Payload {
  readonly mapping: { readonly id: string } | null;
  readonly userErrors: readonly { readonly code: string }[];
}

const { node, device } = await startRelay({ device: () => KeepingDevice.start() });

const member = identity('MEMBER');
const both: Identity = { ...member, projects: { [projectA]: 'MEMBER', [projectB]: 'MEMBER' } };

const change = (mutation: string, input: object, who = member) =>
  node.mutate<Payload>(mutation, input, 'mapping { id } userErrors { code }', who);
const adoption = (backend: Record<string, unknown>, address: string) => ({
  ...{ backend, cmpObject: { type: 'tenant', externalId: address }, idempotencyKey: `adopt-${address}` },
  ...{ resource: 'address-set-element', scope: 'inet filter', objectKey: `blocked/${address}` },
});
async function remove(id: string): Promise<void> {
  const input = { id, orphanMappings: true };
  expect(await node.mutate('backendDelete', input, 'userErrors { code }')).toEqual({ userErrors: [] });
}

describe('mappingAdopt', () => {
  const labels = (value: string) => ({ labels: [{ name: 'rack', value }] });
  const changes: [string, (name: string, id: string) => Promise<unknown>][] = [
    ['was deleted', (_, id) => remove(id)],
    ['is one of two that match', (name) => device.register(node, `${name}-two`, labels(name))],
    [
      'has an open circuit',
      (name) =>
        node.db.execute(
          "UPDATE backend SET circuit_state = 'OPEN', circuit_lasting = 1, version = version + 1 WHERE name = ?",
          [name],
        ),
    ],
    ['has lost the object', async () => device.elements.clear()],
  ];
  test.each(changes)("the repeated call's backend %s", async (what, happen) => {
    const at = changes.findIndex(([each]) => each === what);
    const name = `fw-${at}`;
    const id = await device.register(node, name, labels(name));
    for (const [index, who] of [member, both, identity('ADMIN')].entries()) {
      const address = `10.1.${at}.${index}`;
      device.elements.add(address);
      const first = await change('mappingAdopt', adoption({ label: { name: 'rack', value: name } }, address), who);
      expect(first.userErrors).toEqual([]);
    }
    await happen(name, id);
    for (const [index, who] of [member, both, identity('ADMIN')].entries()) {
      const input = adoption({ label: { name: 'rack', value: name } }, `10.1.${at}.${index}`);
      expect(await change('mappingAdopt', input, who)).toMatchObject({ mapping: expect.any(Object), userErrors: [] });
      // Callers without the right get no answer.
      for (const stranger of [identity('VIEWER'), identity('MEMBER', projectB)])
        expect((await change('mappingAdopt', input, stranger)).mapping).toBeNull();
      const unlike = { ...input, objectKey: 'blocked/10.9.9.9' };
      expect((await change('mappingAdopt', unlike, who)).mapping).toBeNull();
    }
  });
});

test('verifying, sharing and forgetting a mapping repeat their answers after its backend was deleted', async () => {
  const id = await device.register(node, 'gone');
  const made: string[] = [];
  for (const address of ['10.2.0.1', '10.2.0.2', '10.2.0.3']) {
    device.elements.add(address);
    made.push((await change('mappingAdopt', adoption({ name: 'gone' }, address))).mapping?.id ?? '');
  }
  const [verified, shared, forgotten] = made;
  const ask = async () => [
    await change('mappingVerify', { id: verified, idempotencyKey: 'verify' }),
    await change('mappingShare', { id: shared, idempotencyKey: 'share' }),
    await change('mappingForget', { id: forgotten, idempotencyKey: 'forget' }),
  ];
  const first = await ask();
  expect(first.map(({ userErrors }) => userErrors)).toEqual([[], [], []]);
  await remove(id);
  expect(await ask()).toEqual(first);
});

test('a call is answered with its operation after its backend was deleted, whichever projects its caller has', async () => {
  const id = await device.register(node, 'called');
  const callers = [member, both, identity('ADMIN')];
  const input = (index: number) => ({
    ...{ backend: { name: 'called' }, set: 'blocked', address: `10.3.0.${index}`, idempotencyKey: `call-${index}` },
  });
  const first = [];
  for (const [index, who] of callers.entries()) first.push((await call(node, 'add', input(index), who)).operation?.id);
  await remove(id);
  for (const [index, who] of callers.entries()) {
    const again = await call(node, 'add', input(index), who);
    expect(again).toMatchObject({ operation: { id: first[index] }, userErrors: [] });
    const viewer: Identity = { ...both, projects: { [projectA]: 'VIEWER', [projectB]: 'MEMBER' } };
    expect((await call(node, 'add', input(index), viewer)).operation).toBeNull();
    const unlike = { ...input(index), address: '10.9.9.9' };
    expect((await call(node, 'add', unlike, who)).operation).toBeNull();
  }
});
