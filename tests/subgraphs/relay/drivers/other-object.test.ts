// A reply about another object than the call's is not a verdict, because it may belong to the call before. Each reply
// here is a success for its own call, and UNKNOWN for another one.
import { describe, expect, test } from '@jest/globals';
import type { JsonObject, Reply } from '../../../../subgraphs/relay/drivers/driver.ts';
import { writeMark } from '../../../../subgraphs/relay/drivers/mark.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { checkedFor, driverOf, operationOf } from '../support/driver-caller.ts';
import { renderContext } from '../support/render-context.ts';
import { http, ownId as own, exec as script } from '../support/replies.ts';

const another = '01900000-0000-7000-8000-000000000002';
const ids = ['2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11', '7c0d5d5c-3c53-4c54-8f3b-0a3f5c1d2e4f'] as const;

interface Case {
  readonly driver: string;
  readonly operation: string;
  readonly args: JsonObject;
  readonly reply: Reply;
  /** Arguments in which the other call differs. `call`: it has the same arguments and another ID. */
  readonly others: readonly (JsonObject | 'call')[];
}

const exec = (nftables: readonly object[]): Reply => script(JSON.stringify({ nftables }));
/** nft's echo: the input, with a handle for each rule, set and chain. */
function echoOf(operation: string, args: JsonObject): Reply {
  const nft = driverOf('linux-nftables');
  const context = renderContext(nft, { operationId: own });
  const call = operationOf(nft, operation).render(checkedFor(nft, operation, args), context);
  const stdin = call.kind === 'exec' ? (call.stdin ?? '') : '';
  return script(stdin.replaceAll(/"(rule|set|chain)":\{/g, '"$1":{"handle":77,'));
}
const route = { destination: '10.0.0.0/8', nextHop: '192.0.2.1' };
const kernelRoute = { destination: '192.0.2.0/24', metric: 1, table: 254 };
const chain = { ipVersion: 4, chain: 'FORWARD', name: 'mine' };
const place = { family: 'inet', table: 'filter' };
const rule = { ...place, chain: 'forward', name: 'mine', action: 'drop' };
const element = { ...place, set: 'blocked', address: '192.0.2.1' };
const elem = { ...place, name: 'blocked', elem: ['192.0.2.1'] };
const forti = (method: string, table: string, mkey: string) =>
  http(200, {
    ...{ http_method: method, http_status: 200, status: 'success', vdom: 'root' },
    ...{ path: table.split('/')[0], name: table.split('/')[1], mkey },
  });
const address = { vdom: 'root', name: 'mine', subnet: '192.0.2.0/24' };
const pool = { kind: 'tm:ltm:pool:poolstate', name: 'mine', partition: 'Common', fullPath: '/Common/mine' };
const policy = {
  kind: 'tm:asm:policies:policystate',
  id: 'Xnm5-sgcAnOxSsK2uDZTkQ',
  name: 'shop',
  enforcementMode: 'blocking',
};
const task = { kind: 'tm:asm:tasks:apply-policy:apply-policy-taskstate', id: 'task-1', status: 'NEW' };
const network = { id: ids[0], name: 'mine', description: writeMark({ operationId: own, words: '' }) };
const joined = { id: ids[0], subnet_id: ids[1], port_id: ids[0] };
const onRouter = { router: ids[0], subnet: ids[1] };

const cases: readonly Case[] = [
  {
    ...{ driver: 'linux-nftables', operation: 'rule.create', args: rule },
    reply: exec([{ add: { rule: { ...place, chain: 'forward', handle: 7, comment: `tg:${own} mine` } } }]),
    others: ['call', { name: 'other' }, { chain: 'input' }, { table: 'nat' }, { family: 'ip' }],
  },
  {
    ...{ driver: 'linux-nftables', operation: 'setElement.add', args: element },
    reply: exec([{ add: { element: elem } }]),
    others: [{ address: '192.0.2.2' }, { set: 'other' }, { table: 'nat' }],
  },
  {
    ...{ driver: 'linux-nftables', operation: 'setElement.remove', args: element },
    reply: exec([{ delete: { element: elem } }]),
    others: [{ address: '192.0.2.2' }, { set: 'other' }],
  },
  {
    ...{
      driver: 'linux-nftables',
      operation: 'rule.delete',
      args: { ...place, chain: 'forward', name: 'mine', handle: 7 },
    },
    reply: { ...exec([]), stdout: `nft deleted 7 tidegate-${own}\n` } as Reply,
    others: ['call'],
  },
  ...['set.delete', 'address.delete'].map((operation) => ({
    ...{ driver: 'linux-nftables', operation, args: { ...operationOf(driverOf('linux-nftables'), operation).example } },
    ...{ reply: script(`nft deleted 7 tidegate-${own}\n`), others: ['call' as const] },
  })),
  ...(
    [
      ['set.create', { set: 'mine' }, { set: 'other' }],
      ['chain.create', { chain: 'mine' }, { chain: 'other' }],
      ['address.create', { name: 'mine', address: '10.0.0.1' }, { name: 'other' }],
    ] as const
  ).map(([operation, args, other]) => ({
    ...{ driver: 'linux-nftables', operation, args: checkedFor(driverOf('linux-nftables'), operation, args) },
    ...{ reply: echoOf(operation, args), others: [other] },
  })),
  {
    ...{ driver: 'frr', operation: 'staticRoute.create', args: route },
    ...{ reply: script(`have \tip route 10.0.0.0/8 192.0.2.1\nfrr done ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'frr', operation: 'staticRoute.delete', args: route },
    ...{ reply: script(`frr done ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'frr', operation: 'config.save', args: {} },
    ...{ reply: script(`Building Configuration...\n[OK]\nfrr done ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'linux-iproute2', operation: 'staticRoute.create', args: { ...kernelRoute, discard: true } },
    ...{ reply: script(`iproute2 exit 0 ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'linux-iproute2', operation: 'staticRoute.delete', args: kernelRoute },
    ...{ reply: script(`iproute2 exit 0 ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'linux-iptables', operation: 'rule.create', args: { ...chain, action: 'drop', position: 'last' } },
    ...{ reply: script(`iptables exit 0 ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'linux-iptables', operation: 'rule.delete', args: chain },
    ...{ reply: script(`iptables exit 0 ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'modsecurity', operation: 'rule.create', args: { site: 'shop', id: 7, variables: ['ARGS'] } },
    ...{ reply: script(`waf applied loaded ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'modsecurity', operation: 'rule.delete', args: { site: 'shop', id: 7 } },
    ...{ reply: script(`waf applied loaded ${own}\n`), others: ['call'] },
  },
  {
    ...{ driver: 'modsecurity', operation: 'mode.set', args: { site: 'shop', mode: 'On' } },
    ...{ reply: script(`waf applied loaded ${own}\n`), others: ['call'] },
  },
  {
    ...{
      driver: 'fortios',
      operation: 'address.create',
      args: address,
      reply: forti('POST', 'firewall/address', 'mine'),
    },
    others: [{ name: 'other' }, { vdom: 'tenant' }],
  },
  {
    ...{ driver: 'fortios', operation: 'address.delete', args: { vdom: 'root', name: 'mine' } },
    ...{ reply: forti('DELETE', 'firewall/address', 'mine'), others: [{ name: 'other' }, { vdom: 'tenant' }] },
  },
  {
    ...{ driver: 'f5-bigip', operation: 'pool.create', args: { name: 'mine', partition: 'Common' } },
    ...{ reply: http(200, pool), others: [{ name: 'other' }, { partition: 'Tenant' }] },
  },
  {
    ...{ driver: 'f5-bigip', operation: 'asmPolicy.setMode' },
    args: { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', name: 'shop', partition: 'Common', mode: 'blocking' },
    ...{ reply: http(200, policy), others: [{ policy: 'Ynm5-sgcAnOxSsK2uDZTkQ' }] },
  },
  {
    ...{ driver: 'f5-bigip', operation: 'asmPolicy.apply' },
    args: { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', name: 'shop', partition: 'Common' },
    reply: http(201, {
      ...task,
      policyReference: { link: 'https://localhost/mgmt/tm/asm/policies/Xnm5-sgcAnOxSsK2uDZTkQ?ver=13.1.0' },
    }),
    others: [{ policy: 'Ynm5-sgcAnOxSsK2uDZTkQ' }],
  },
  {
    ...{ driver: 'neutron', operation: 'network.create', args: { name: 'mine' } },
    ...{ reply: http(201, { network }), others: ['call'] },
  },
  {
    ...{ driver: 'neutron', operation: 'network.update', args: { id: ids[0], name: 'mine', adminStateUp: false } },
    ...{ reply: http(200, { network }), others: [{ id: ids[1] }] },
  },
  {
    ...{ driver: 'neutron', operation: 'routerInterface.add', args: onRouter, reply: http(200, joined) },
    others: [{ router: ids[1] }, { subnet: ids[0] }],
  },
  {
    ...{ driver: 'neutron', operation: 'routerInterface.remove', args: onRouter, reply: http(200, joined) },
    others: [{ router: ids[1] }, { subnet: ids[0] }],
  },
  {
    ...{ driver: 'onyx', operation: 'vlan.create', args: { vlan: 42, name: 'mine' } },
    reply: {
      ...{ kind: 'cli', truncated: false },
      outputs: ['vlan 42', 'name "mine"', 'exit'].map((line) => ({ line, output: '' })),
    },
    others: [{ vlan: 43 }, { name: 'other' }],
  },
  {
    ...{ driver: 'onyx', operation: 'vlan.delete', args: { vlan: 42 } },
    reply: { kind: 'cli', truncated: false, outputs: [{ line: 'no vlan 42', output: '' }] },
    others: [{ vlan: 43 }],
  },
];

describe.each(cases)('$driver $operation', ({ driver: name, operation: named, args, reply, others }) => {
  const driver = driverOf(name);
  const operation = operationOf(driver, named);
  const outcome = (given: JsonObject, operationId: string) =>
    operation.interpret(reply, given, renderContext(driver, { operationId }));

  test('its own reply counts', () => {
    expect(['SUCCEEDED', 'ACCEPTED']).toContain(outcome(args, own).state);
  });

  test.each(others.map((other) => [JSON.stringify(other), other] as const))(
    'for another call (%s) it is UNKNOWN',
    (_text, other) => {
      const told = other === 'call' ? outcome(args, another) : outcome({ ...args, ...other }, own);
      expect(told).toMatchObject({ state: 'UNKNOWN' });
    },
  );
});

/** Drivers whose scripts repeat the ID of the call with their verdict. */
const scripted = ['frr', 'linux-iproute2', 'linux-iptables', 'modsecurity'];

describe.each(scripted)('a script of %s', (name) => {
  const driver = driverOf(name);
  const program = { frr: 'frr', 'linux-iproute2': 'iproute2', 'linux-iptables': 'iptables', modsecurity: 'waf' }[name];
  const changes = [...driver.operations.values()].filter(({ effect }) => effect !== 'READ');

  test.each(['refused BAD_INPUT', 'refused CUT_SHORT', 'exit 0', 'done', 'applied loaded'])(
    'a verdict (%s) without an ID, or with another one, is UNKNOWN for every change',
    (verdict) => {
      for (const operation of changes)
        for (const id of ['', ` ${another}`, ` ${own.slice(0, -1)}`, ` ${own} ${own}`, ` ${own} `]) {
          const args = checkedFor(driver, operation.name, operation.example);
          const reply = script(`${program} ${verdict}${id}\n`);
          const outcome = operation.interpret(reply, args, renderContext(driver, { operationId: own }));
          expect([operation.name, id, outcome]).toMatchObject([operation.name, id, { state: 'UNKNOWN' }]);
        }
    },
  );

  test('the answer to a call is not an answer to a read or the health check', () => {
    for (const verdict of ['done', 'listed', 'exit 0']) {
      const reply = script(`FRRouting 8.4 (r)\n[]\nexit 0\n${program} ${verdict} ${own}\n`);
      for (const reader of driver.resources?.values() ?? []) {
        const object = { scope: name === 'linux-iproute2' ? 'table 254' : 'ipv4 FORWARD', key: 'x', uuid: null };
        expect(reader.interpret(reply, object)).toMatchObject({ finding: 'UNREADABLE' });
      }
      expect(driver.health.interpret(reply)).toBeUndefined();
    }
  });

  test('each call, read and check passes its ID to its script', () => {
    for (const operation of driver.operations.values()) {
      const args = checkedFor(driver, operation.name, operation.example);
      const context = renderContext(driver, { operationId: own });
      const calls = [operation.render(args, context), operation.renderDryRun?.(args, context)];
      for (const call of calls.filter((one) => one !== undefined))
        expect([operation.name, call.kind === 'exec' && call.stdin]).toEqual([
          operation.name,
          expect.stringMatching(new RegExp(`^(call )?${own}\n`)),
        ]);
    }
  });
});

/** Drivers whose replies to a change do not identify the object. */
const silent: Readonly<Record<string, string>> = {
  neo: 'a job: its id is asked for, and its description has the mark',
  netconf: 'the read-back has the path of the object, in a reply with the id of the request (RFC 6241, section 4.2)',
  openvswitch: 'the reply has the id of the request (RFC 7047, section 4), and guards name the object',
};

test("every driver is tested, or has a reason why it can't be", () => {
  const tried = new Set(cases.map(({ driver }) => driver));
  expect([...tried, ...Object.keys(silent)].sort()).toEqual([...drivers.keys()].sort());
});

test("the state of another call's task is ignored", () => {
  const bigip = drivers.get('f5-bigip');
  const job = bigip && operationOf(bigip, 'asmPolicy.apply').job;
  const context = renderContext(bigip as NonNullable<typeof bigip>);
  const args = { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', name: 'shop', partition: 'Common' };
  const done = http(200, { ...task, status: 'COMPLETED' });
  expect(job?.interpret(done, { task: 'task-1' }, args, context)).toMatchObject({ finding: 'SUCCEEDED' });
  expect(job?.interpret(done, { task: 'task-2' }, args, context)).toMatchObject({ finding: 'UNREADABLE' });
});
