// A device that answers with JSON nested a hundred thousand levels deep, which would overflow the stack of recursive
// code.
import { expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { Driver, DriverOperation, TransportKind } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../../subgraphs/relay/drivers/registry.ts';
import { isLegible, legible } from '../../../../../subgraphs/relay/transports/legible.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity } from '../../support/relay-system.ts';
import { renderContext } from '../../support/render-context.ts';
import { startRelay } from '../../support/start-relay.ts';

const deepList = (levels: number, inner = '1') => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const { node, device } = await startRelay({
  device: () =>
    NftDevice.start({
      // Too short to be redacted in the device's output.
      password: 'abc',
      onExec: async (execution) => {
        await execution.stdin();
        execution.reply(`{"nftables": [{"rule": ${deepObject(100_000)}}]}`);
      },
    }),
});
await device.register(node, 'deep', { credentials: { username: 'netops', password: 'abc' } });

test('a write is UNKNOWN, a read FAILED, and the relay continues', async () => {
  const { operation } = await call(node, 'add', element('deep', '10.0.0.1'));
  expect(operation).toMatchObject({ state: 'UNKNOWN', deviceError: { code: 'UNREADABLE_REPLY' } });
  const input = { backend: { name: 'deep' }, operation: 'ruleset.read', arguments: {} };
  const query = `query ($input: RelayReadInput!) { relayRead(input: $input) {
    result deviceError { code message } userErrors { code message } } }`;
  const { data, errors } = await node.run<{ relayRead: unknown }>(identity('MEMBER'), query, { input });
  expect(errors).toEqual([]);
  expect(data.relayRead).toMatchObject({ result: null, deviceError: { code: 'REPLY_TOO_LONG' } });
});

const inside = (deep: string) => [
  deep,
  `{"items":[{"name":${deep}}],"kind":"tm:ltm:pool:poolcollectionstate"}`,
  `{"results":[{"name":"a","comment":${deep}}],"status":"success","http_method":"GET","http_status":200,"path":"firewall","name":"address","vdom":"root"}`,
  `{"networks":[{"id":"x","name":"a","description":${deep}}]}`,
  `{"nftables":[{"rule":${deep}}]}`,
  `[{"ID":"1","Status":${deep},"Description":${deep}}]`,
  `{"status":"OK","executed_command":"show vlan","status_message":"","data":${deep}}`,
];

function argumentsOf(operation: DriverOperation) {
  const checked = validateArguments(operation, operation.example);
  return checked.ok ? checked.args : operation.example;
}

function kindOf(driver: Driver, operation: DriverOperation): string {
  const [transport = 'ssh'] = Object.keys(driver.ports) as TransportKind[];
  const backend = { transport, options: {}, softwareVersion: null };
  return operation.render(argumentsOf(operation), { operationId: '01900000-0000-7000-8000-000000000001', backend })
    .kind;
}

test('no driver gets such a reply', () => {
  for (const body of [...inside(deepList(100_000)), ...inside(deepObject(100_000))]) {
    const parsed: unknown = JSON.parse(body);
    const replies = [
      { kind: 'http', status: 200, headers: {}, body, truncated: false },
      { kind: 'exec', exitCode: 0, stdout: body, stderr: '', truncated: false },
      { kind: 'cli', outputs: [{ line: 'show', output: `switch (config) # \n${body}` }], truncated: false },
      { kind: 'ovsdb', result: parsed as never, error: null, truncated: false },
    ] as const;
    for (const reply of replies) {
      expect(isLegible(reply)).toBe(false);
      const shown = legible({ ok: true, reply, elapsedMs: 1 });
      expect(shown).toMatchObject({ ok: true, reply: { kind: reply.kind, truncated: true } });
      expect(JSON.stringify(shown).length).toBeLessThan(500);
      if (!shown.ok) continue;
      for (const driver of drivers.values())
        for (const operation of driver.operations.values())
          if (kindOf(driver, operation) === reply.kind)
            expect(() => operation.interpret(shown.reply, argumentsOf(operation), renderContext(driver))).not.toThrow();
    }
  }
});

test('a reply without deep nesting is passed on unchanged', () => {
  for (const body of ['', 'no JSON [[[', `{"a\\"${'['.repeat(500)}": 1}`, `[${'[],'.repeat(500)}1]`, deepList(90)]) {
    const sent = {
      ok: true,
      reply: { kind: 'http', status: 200, headers: {}, body, truncated: false },
      elapsedMs: 1,
    } as const;
    expect(legible(sent)).toBe(sent);
  }
});
