// The driver decides how long a call without a verdict may still take effect, but never less than the setting.
import { expect, test } from '@jest/globals';
import { unreadable, verdictOf } from '../../../../../subgraphs/relay/control/holding/verdict.ts';
import { defaultSettings } from '../../../../../subgraphs/relay/control/settings.ts';
import { defineDriver, longestActsForMs } from '../../../../../subgraphs/relay/drivers/define-driver.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { drivers } from '../../../../../subgraphs/relay/drivers/registry.ts';
import { checkedFor, operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

const lost = { ok: false, failure: { kind: 'NO_VERDICT', code: 'NO_REPLY', message: 'none' } } as const;
const deadlineMs = 5_000;

function quietMs(driver: string, name: string, more: Partial<typeof defaultSettings> = {}) {
  const operation = drivers.get(driver)?.operations.get(name);
  if (operation === undefined) throw new Error(`${driver} has no ${name}`);
  const rendering = renderContext(linuxNftables);
  const call = { operation, args: operation.example, rendering, deadlineMs };
  const settings = { ...defaultSettings, ...more };
  const { quietAfterSentMs } = verdictOf(lost, call, settings);
  expect(unreadable(call, settings).quietAfterSentMs).toBe(quietAfterSentMs);
  return (quietAfterSentMs ?? 0) - settings.sendWindowMs - deadlineMs;
}

test('the quiet time depends on driver and operation, and is at least the setting', () => {
  expect(quietMs('linux-nftables', 'setElement.add')).toBe(10_000);
  expect(quietMs('f5-bigip', 'node.create')).toBe(60_000);
  expect(quietMs('f5-bigip', 'asmPolicy.apply')).toBe(600_000);
  expect(quietMs('f5-bigip', 'node.create', { deviceGraceMs: 120_000 })).toBe(120_000);
});

test('a driver may not exceed the longest quiet time', () => {
  const { operations, resources: _, ...rest } = linuxNftables;
  const definition = { ...rest, operations: [...operations.values()] };
  expect(() => defineDriver({ ...definition, actsForMs: longestActsForMs })).not.toThrow();
  expect(() => defineDriver({ ...definition, actsForMs: longestActsForMs + 1 })).toThrow('acts for 600001 ms');
});

const own = '01900000-0000-7000-8000-000000000001';
const another = '01900000-0000-7000-8000-000000000002';

/** Verdicts of scripts that leave the outcome open, without the call's ID. */
const open = [
  ['frr', 'staticRoute.create', 'frr unread'],
  ['linux-iproute2', 'staticRoute.create', 'iproute2 exit 137'],
  ['linux-iptables', 'rule.create', 'iptables exit 137'],
  ['modsecurity', 'rule.create', 'waf broken'],
] as const;

test.each(open)('%s: only the end of its own script means that a call can no longer act', (name, named, verdict) => {
  const driver = drivers.get(name);
  if (driver === undefined) throw new Error(`no driver ${name}`);
  const operation = operationOf(driver, named);
  const args = checkedFor(driver, named, operation.example);
  const rendering = renderContext(driver, { operationId: own });
  const quietAfter = (stdout: string) => {
    const reply = { kind: 'exec', exitCode: 0, stdout, stderr: '', truncated: false } as const;
    const read = verdictOf(
      { ok: true, reply, elapsedMs: 1 },
      { operation, args, rendering, deadlineMs },
      defaultSettings,
    );
    expect(read.state).toBe('UNKNOWN');
    return read.quietAfterSentMs;
  };
  expect(quietAfter(`${verdict} ${own}\n`)).toBe(0);
  for (const stdout of [`${verdict} ${another}\n`, `${verdict}\n`, ''])
    expect(quietAfter(stdout)).toBe(
      verdictOf(lost, { operation, args, rendering, deadlineMs }, defaultSettings).quietAfterSentMs,
    );
});

test('nftables: the answer to another call leaves the whole quiet time', () => {
  const operation = operationOf(linuxNftables, 'rule.delete');
  const args = checkedFor(linuxNftables, 'rule.delete', operation.example);
  const rendering = renderContext(linuxNftables, { operationId: own });
  const stdout = `nft deleted 7 tidegate-${another}\n`;
  const reply = { kind: 'exec', exitCode: 0, stdout, stderr: '', truncated: false } as const;
  expect(
    verdictOf({ ok: true, reply, elapsedMs: 1 }, { operation, args, rendering, deadlineMs }, defaultSettings)
      .quietAfterSentMs,
  ).toBe(defaultSettings.sendWindowMs + deadlineMs + 10_000);
});
