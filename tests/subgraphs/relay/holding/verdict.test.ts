// How long a call without a verdict may still take effect is the driver's to say, and never less than the setting.
import { expect, test } from '@jest/globals';
import { defineDriver, longestActsForMs } from '../../../../subgraphs/relay/drivers/define-driver.ts';
import { linuxNftables } from '../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { unreadable, verdictOf } from '../../../../subgraphs/relay/holding/verdict.ts';
import { defaultSettings } from '../../../../subgraphs/relay/settings.ts';

const lost = { ok: false, failure: { kind: 'NO_VERDICT', code: 'NO_REPLY', message: 'none' } } as const;
const deadlineMs = 5_000;

function quietMs(driver: string, name: string, more: Partial<typeof defaultSettings> = {}) {
  const operation = drivers.get(driver)?.operations.get(name);
  if (operation === undefined) throw new Error(`${driver} has no ${name}`);
  const call = { operation, args: operation.example, deadlineMs };
  const settings = { ...defaultSettings, ...more };
  const { quietAfterSentMs } = verdictOf(lost, call, settings);
  expect(unreadable(call, settings).quietAfterSentMs).toBe(quietAfterSentMs);
  return (quietAfterSentMs ?? 0) - settings.sendWindowMs - deadlineMs;
}

test('by driver, by operation, and not below the setting', () => {
  expect(quietMs('linux-nftables', 'setElement.add')).toBe(10_000);
  expect(quietMs('f5-bigip', 'node.create')).toBe(60_000);
  expect(quietMs('f5-bigip', 'asmPolicy.apply')).toBe(600_000);
  expect(quietMs('f5-bigip', 'node.create', { deviceGraceMs: 120_000 })).toBe(120_000);
});

test('a driver may not say more than the longest', () => {
  const { operations, resources: _, ...rest } = linuxNftables;
  const definition = { ...rest, operations: [...operations.values()] };
  expect(() => defineDriver({ ...definition, actsForMs: longestActsForMs })).not.toThrow();
  expect(() => defineDriver({ ...definition, actsForMs: longestActsForMs + 1 })).toThrow('acts for 600001 ms');
});
