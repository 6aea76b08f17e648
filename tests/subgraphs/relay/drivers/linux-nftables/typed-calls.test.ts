import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { TypedCall } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';

/** The call with its arguments in the driver's form. */
function checked(call: TypedCall | undefined) {
  const operation = linuxNftables.operations.get(call?.operation ?? '');
  if (!call || !operation) throw new Error('no call');
  return { operation: call.operation, checked: validateArguments(operation, call.arguments) };
}

const { typed } = linuxNftables;
const remove = linuxNftables.resources?.get('rule')?.remove;
const table = { family: 'inet', table: 'filter' };

describe('typed mutations', () => {
  test('an element is added and removed', () => {
    const element = { set: 'blocked', address: '203.0.113.7' };
    expect(checked(typed.firewallAddressSetElementAdd?.({ ...element }))).toEqual({
      operation: 'setElement.add',
      checked: { ok: true, args: { ...table, ...element } },
    });
    expect(checked(typed.firewallAddressSetElementRemove?.(element))).toEqual({
      operation: 'setElement.remove',
      checked: { ok: true, args: { ...table, ...element } },
    });
  });

  test('a rule with everything', () => {
    const call = typed.firewallRuleCreate?.({
      name: 'r',
      chain: 'forward',
      source: { set: 'blocked6', setIpVersion: 6 },
      destination: { address: '2001:db8::/32' },
      protocol: 'TCP',
      destinationPort: 443,
      action: 'REJECT',
    });
    expect(checked(call).checked).toEqual({
      ok: true,
      args: {
        ...table,
        name: 'r',
        chain: 'forward',
        source: { set: 'blocked6', setIpVersion: 6 },
        destination: { address: '2001:db8::/32' },
        protocol: 'tcp',
        destinationPort: 443,
        action: 'reject',
      },
    });
  });

  test('a rule with nothing: empty sides match anything', () => {
    const call = typed.firewallRuleCreate?.({ name: 'r', source: {}, action: 'DROP' });
    expect(checked(call).checked).toEqual({
      ok: true,
      args: { ...table, chain: 'forward', name: 'r', action: 'drop' },
    });
  });

  test('faults have the path in the input', () => {
    const call = typed.firewallRuleCreate?.({
      name: 'r r',
      source: { address: '::1', set: 's' },
      destinationPort: 1,
      action: 'DROP',
    });
    expect(checked(call).checked).toMatchObject({ ok: false, faults: [{ path: ['name'] }] });
  });

  test('a rule is deleted at the place in its mapping, by its handle', () => {
    const mapping = { scope: 'inet filter forward', key: 'r', uuid: '7' };
    expect(checked(remove?.(mapping))).toEqual({
      operation: 'rule.delete',
      checked: { ok: true, args: { ...table, chain: 'forward', name: 'r', handle: 7 } },
    });
  });

  test.each([
    { scope: 'inet filter forward', key: 'r', uuid: null },
    { scope: 'inet filter forward', key: 'r', uuid: 'x' },
    { scope: 'inet filter', key: 'r', uuid: '7' },
  ])('no deletion from %j', (mapping) => {
    expect(remove?.(mapping)).toBeUndefined();
  });

  test('creation and deletion name the same backend object', () => {
    const rule = linuxNftables.operations.get('rule.create')?.object?.({ ...table, chain: 'forward', name: 'r' });
    const deletion = linuxNftables.operations.get('rule.delete');
    const call = remove?.({ scope: rule?.scope ?? '', key: rule?.key ?? '', uuid: '7' });
    expect(call && deletion?.object?.(call.arguments)).toEqual(rule);
  });
});
