// A repeated key of a relayed call returns its operation, but only to a caller who may still make the call.
import { describe, expect, test } from '@jest/globals';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, projectB } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { node, device } = await startRelay({ device: () => NftDevice.start(), backend: 'fw' });

describe('a repetition with the key of an earlier call', () => {
  test('returns its operation to a caller who may still make it, even when its backend has been disabled since', async () => {
    await device.register(node, 'fw-off');
    const input = element('fw-off', '10.8.0.1', { idempotencyKey: 'still' });
    const made = await call(node, 'add', input);
    await node.db.execute(
      "UPDATE backend SET provisioning_status = 'DISABLED', version = version + 1 WHERE name = 'fw-off'",
    );
    const again = await call(node, 'add', input, identity('MEMBER'));
    expect(again).toMatchObject({ operation: { id: made.operation?.id }, userErrors: [] });
    expect(device.timesTold('10.8.0.1')).toBe(1);
  });

  test('is refused to a caller who has since lost the right', async () => {
    const input = element('fw', '10.8.0.2', { idempotencyKey: 'lost' });
    expect((await call(node, 'add', input)).operation?.state).toBe('SUCCEEDED');
    const refused = await call(node, 'add', input, identity('VIEWER'));
    expect(refused).toMatchObject({ operation: null, userErrors: [{ code: 'FORBIDDEN' }] });
    const stranger = await call(node, 'add', input, identity('OPERATOR', projectB));
    expect(stranger).toMatchObject({ operation: null, userErrors: [{ code: 'NOT_FOUND' }] });
  });

  test('is refused to a caller who may no longer force it', async () => {
    const input = element('fw', '10.8.0.3', { idempotencyKey: 'forced', force: true });
    expect((await call(node, 'add', input)).operation?.state).toBe('SUCCEEDED');
    const refused = await call(node, 'add', input, identity('MEMBER'));
    expect(refused).toMatchObject({ operation: null, userErrors: [{ code: 'FORBIDDEN' }] });
  });

  test("reveals nothing about the key's use to a caller who may not make the call", async () => {
    await call(node, 'add', element('fw', '10.8.0.4', { idempotencyKey: 'other' }));
    const other = element('fw', '10.8.0.5', { idempotencyKey: 'other' });
    expect((await call(node, 'add', other, identity('VIEWER'))).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await call(node, 'add', other)).userErrors).toMatchObject([{ code: 'KEY_CONFLICT' }]);
  });
});
