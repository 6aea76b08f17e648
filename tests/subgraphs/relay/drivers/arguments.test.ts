// The arguments that every driver accepts, and the calls that it renders from them. No caller's text has a special
// meaning in a command line, URL, filter or configuration: the text is refused, or stays one plain value. A driver
// without a row fails.
import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../subgraphs/relay/drivers/arguments.ts';
import type { DriverOperation, JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import { findingCommand } from '../../../../subgraphs/relay/drivers/openvswitch/transact.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { checkedFor, driverOf, faultsOf, operationOf } from '../support/driver-caller.ts';
import { renderContext } from '../support/render-context.ts';

interface Row {
  /** Texts that this driver's names refuse, besides those that all names refuse. */
  readonly hostile?: readonly string[];
  /** Arguments with free text or another syntax, and the texts that they refuse. All other texts are names. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
  /** Method and path of each example's request over HTTP. */
  readonly requests?: readonly [reads: RegExp, changes: RegExp];
  /** The request that reads an adopted object, which may have any name. `filter`: the object's filter in the query. */
  readonly adopted?: { readonly scope: string; readonly request: RegExp; readonly filter?: RegExp };
}

/** Texts that every driver refuses as a name. */
const hostile = [
  ...['', '../x', 'a\nb', 'a\r\nX: y', 'a\0b', 'a"b', "a'b", 'a\\b', 'a;b', 'a|b', 'a&b', 'a<b>', '$(id)', '`id`'],
  ...['{}', 'ä', '\u202e', '\u2028', 'x'.repeat(300)],
];
const unprintable = ['a\nb', 'a\r\nX: y', 'a\0b', '\u202e', '\u2028'];

const rows: Readonly<Record<string, Row>> = {
  'f5-bigip': {
    hostile: [
      ...['a~b', 'a/b', 'a b', 'a?b', 'a#b', 'a%2fb', "x') or contains(name,'", 'x'.repeat(64), 'a,b', 'a:b'],
      ...['a=b', 'a+b'],
    ],
    words: {
      comment: [...unprintable, '"; rm', 'a\\b', 'x'.repeat(201)],
      ...{ send: unprintable, receive: unprintable, file: [''] },
    },
    requests: [/^GET \/mgmt\/tm\/[\x21-\x22\x24-\x7e]*$/, /^[A-Z]+ \/mgmt\/tm\/[\x21-\x22\x24-\x7e]*$/],
    adopted: {
      scope: 'Common',
      // Only characters of an encoded path, no parent step, and no more segments than the kind has.
      request: /^GET \/mgmt\/tm\/(ltm|asm)(\/(?!\.\.(\/|\?|$))[A-Za-z0-9%~._!'()*-]+){1,4}(\?[^\s"#<>\\]*)?$/,
      filter: /^contains\(name,'[\w.-]*'\) and contains\(partition,'[\w.-]*'\)$/,
    },
  },
  fortios: {
    hostile: [
      ...['.', '..', '...', './x', '../policy', 'a/b', 'a%2Fb', 'a?vdom=root', 'a#b', 'a&global=1', ' a', 'a '],
      ...['a,name==b', 'a==b', 'a=@b', 'a(b)', 'a\rend', 'a\u2028b', 'a\u202eb', '-a', 'x'.repeat(80)],
    ],
    words: {
      comment: [...unprintable, 'a"b', 'a\\b', 'a<b>', 'x'.repeat(256)],
      // A host name may be long.
      fqdn: hostile,
    },
    // No change uses the path of a whole table.
    requests: [/^GET \/api\/v2\//, /^(POST \S+|[A-Z]+ \/api\/v2\/cmdb\/[\w.]+\/\w+\/[\w.%-]+(\?\S*)?)$/],
  },
  frr: {
    words: {
      description: [...unprintable, 'a"b', 'a\\b', 'a|b', 'a<b>', '$(id)', '`id`', '{}', 'ä', 'x'.repeat(300)],
      password: [...unprintable, '', 'a"b', "a'b", 'a\\b', 'a;b', 'a|b', 'a&b', '{}', 'ä', 'x'.repeat(300)],
    },
  },
  'linux-iproute2': {},
  'linux-iptables': {},
  'linux-nftables': { words: { comment: [...unprintable, '', 'a"b', 'x'.repeat(300)] } },
  modsecurity: {
    words: {
      pattern: [...unprintable, ''],
      message: ['a\nb', '', 'a"b', "a'b", 'a\\b', 'a|b', 'a&b', 'a<b>', '$(id)', '`id`', '{}', 'ä', 'x'.repeat(300)],
    },
  },
  neo: {
    hostile: [
      ...['a/b', 'a b', 'a\r\nno vlan 1', 'a?b', 'a#b', 'a%2fb', '<vlan_id>', '$x{', 'a,b', 'x'.repeat(101), 'a*', '!'],
    ],
    requests: [
      /^GET \/neo\/(app|resources|actions)[\x21-\x22\x24-\x7e]*$/,
      /^POST \/neo\/(app|resources|actions)[\x21-\x22\x24-\x7e]*$/,
    ],
    adopted: { scope: '10.0.0.1', request: /^GET \/neo\/resources\/(vlans|ports)(\?system_ids=[0-9.]+\.system)?$/ },
  },
  // Besides names a slash is allowed, because interfaces are called ge-0/0/1.
  netconf: { words: { interface: hostile.filter((text) => text !== '../x') } },
  neutron: {
    words: {
      description: [...unprintable, 'x'.repeat(300)],
      // Device IDs of other services contain slashes. A rule is identified by its settings.
      ...{ device: hostile.filter((text) => text !== '../x'), rule: ['', 'x'.repeat(300)] },
    },
    requests: [/^GET \/v2\.0\//, /^(POST|PUT|DELETE) \/v2\.0\//],
  },
  onyx: { hostile: [' x', 'a;b\n', 'a?b', '-a', 'x'.repeat(65), 'a\u0016b', '1/1 shutdown?', '1/1\nexit', 'Eth1/1;'] },
  openvswitch: { hostile: ['a b', '-a', '.', '..', 'a/b', 'x'.repeat(16)] },
};

const device = '10.0.0.1';
const id = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
const bgp = { asNumber: 65_001, address: '198.51.100.2' };
const template = { template: 'T', devices: [device] };
const port = { device, port: '1/1' };
const drop = { name: 'r', action: 'drop' };
const rule = { site: 'shop', id: 7, variables: ['ARGS'], operator: 'contains', pattern: 'x' };
const group = { securityGroup: id, direction: 'ingress' };
const subnet = { network: id, name: 'a', cidr: '10.0.0.0/24' };
const vip = { group: 'pair-1', prefixLength: 24 };
const marks = { externalIds: { 'tidegate-operation': id } };
const badPorts = ['', '1', '1/1 shutdown', '1/1\nexit', 'Eth1/1;', 'vlan 1', 'Po', 'Po0', '1-4', 'mgmt0'];
const badAddresses = [
  ...['', '192.0.2', '192.0.2.1 force', '192.0.2.01', '192.0.02.1', '010.0.0.1', '00.0.0.1', '256.0.0.1'],
  '2001:db8::1',
];

/** `faults`: all expected faults, by their path or whole text. */
type Refusal = readonly [args: unknown, ...faults: (string | RegExp)[]];

/** Arguments that are refused, by driver and operation. */
const refused: Readonly<Record<string, readonly Refusal[]>> = {
  'f5-bigip pool.update': [[{ name: 'x' }, ': give at least one of monitor, loadBalancing, comment']],
  'f5-bigip virtualServer.update': [[{ name: 'x', port: 80 }, 'address: address and port must be given together']],
  'f5-bigip poolMember.get': [[{ pool: 'x', port: 80 }, 'address: give exactly one of address and node']],
  'f5-bigip monitor.create': [
    [{ type: 'tcp', name: 'x', interval: 5, timeout: 5 }, 'timeout: must be greater than interval'],
  ],
  'frr bgpNeighbor.delete': ['\0', '\n', '\r'].map((text) => [
    { ...bgp, was: { remoteAs: '65002', description: `a${text}b` } },
    'was.description',
  ]),
  'linux-nftables setElement.add': [
    ['text', ''],
    [null, ''],
    [[], ''],
    [{}, 'set', 'address'],
    [{ set: 'a b', address: 'example.org' }, 'set', 'address'],
    // The fault has the description, not the regular expression.
    [{ set: 'a b', address: '10.0.0.1' }, /^set: does not fit: .*letters, digits/],
    [{ set: 'a', address: '10.0.0.1/8' }, /^address: does not fit: .*host bits/],
    [{ set: 'a', address: 7 }, 'address'],
    [{ set: 'a', address: '::1', comment: 'say "hi"' }, 'comment'],
    [{ set: 'a', address: '::1', comment: 'line\nbreak' }, 'comment'],
    [{ set: 'a', address: '::1', comment: 'ä'.repeat(45) }, 'comment'],
    [{ set: 'a', address: '::1', comment: 'x'.repeat(89) }, 'comment'],
    [{ set: 'a'.repeat(64), address: '::1' }, 'set'],
    [{ set: 'a', address: '::1', table: '../x' }, 'table'],
  ],
  'linux-nftables set.create': [[{ set: 'fwd' }, 'set']],
  'linux-nftables chain.create': [[{ chain: 'drop' }, 'chain']],
  'linux-nftables rule.create': [
    [{ name: 'r', action: 'allow' }, 'action'],
    [{ ...drop, destinationPort: 443 }, 'destinationPort'],
    [{ ...drop, protocol: 'icmp', destinationPort: 443 }, 'destinationPort'],
    [{ ...drop, protocol: 'tcp', destinationPort: 0 }, 'destinationPort'],
    [{ ...drop, source: {} }, 'source'],
    [{ ...drop, source: { set: 's', address: '::1' } }, 'source'],
    [{ ...drop, source: { address: 'x' } }, 'source.address'],
    [{ ...drop, source: { address: '::1', setIpVersion: 6 } }, 'source.setIpVersion'],
    [{ ...drop, source: { address: '::1' }, destination: { address: '192.0.2.1' } }, 'destination'],
    [{ ...drop, family: 'ip', source: { address: '::1' } }, 'family'],
  ],
  'linux-nftables rule.delete': [[{ name: 'r', handle: 1.5 }, 'handle']],
  'modsecurity rule.create': [
    ...['..', 'a/b', '-rf'].map((site): Refusal => [{ ...rule, site }, 'site']),
    // A number reserved for the rule set.
    [{ ...rule, id: 949_110 }, 'id'],
    [{ ...rule, pattern: 'a\nSecRuleEngine Off' }, 'pattern'],
    // An Apache setting, and a macro.
    [{ ...rule, pattern: `a${'$'}{HOME}` }, 'pattern'],
    [{ ...rule, pattern: 'a%{REQUEST_URI}' }, 'pattern'],
    [{ ...rule, pattern: ' a' }, 'pattern'],
    [{ ...rule, pattern: undefined }, 'pattern'],
    [{ ...rule, operator: 'detectXSS' }, 'pattern'],
    // These run programs.
    [{ ...rule, variables: ['ARGS|@exec'] }, 'variables.0'],
    [{ ...rule, operator: 'inspectFile' }, 'operator'],
    [{ ...rule, transformations: ['none,exec:/bin/sh'] }, 'transformations.0'],
    [{ ...rule, message: "a',exec:/bin/sh,'" }, 'message'],
    [{ ...rule, variables: ['!ARGS'] }, 'variables.0'],
    [{ ...rule, action: 'log', status: 403 }, 'status'],
    // Apache has no such status.
    [{ ...rule, status: 418 }, 'status'],
  ],
  'neo template.run': [
    ...[...hostile, ...(rows.neo?.hostile ?? [])].map(
      (name): Refusal => [{ ...template, arguments: { [name]: 1 } }, 'arguments'],
    ),
    ...['a\nb', 'a"b', '<x>', '$x{', 'a;b', 'a|b', '`id`', 'a\\b', 'ä', null].map(
      (name): Refusal => [{ ...template, arguments: { name } }, 'arguments.name'],
    ),
    ...[{ x: 1 }, ['a']].map(
      (name): Refusal => [{ ...template, arguments: { name } }, ...Array<string>(3).fill('arguments.name')],
    ),
  ],
  'neo port.setVlans': [
    [{ ...port, mode: 'access' }, 'vlan: is required for the modes access and hybrid, and not allowed otherwise'],
    [{ ...port, mode: 'trunk', vlan: 5 }, 'vlan', 'allowedVlans'],
    [{ ...port, mode: 'trunk', allowedVlans: [5, 5] }, 'allowedVlans'],
    [{ ...port, mode: 'access', vlan: 4_095 }, 'vlan: must be <= 4094'],
  ],
  'neutron network.get': [
    [{ id: '../../v2.0/networks/00000000-0000' }, 'id'],
    [{ id: `${id}?x=y` }, 'id'],
  ],
  'neutron network.create': [
    [{ name: 'a/b' }, 'name'],
    [{ name: 'a', description: 'a\nb' }, 'description'],
    // This leaves no room for the mark.
    [{ name: 'a', description: 'x'.repeat(216) }, 'description'],
  ],
  'neutron subnet.create': [
    [{ ...subnet, cidr: '10.0.0.1/24' }, 'cidr'],
    [{ ...subnet, cidr: '10.0.0.1' }, 'cidr'],
    [{ ...subnet, gateway: '10.0.0.0/25' }, 'gateway'],
  ],
  'neutron port.create': [[{ network: id, name: 'a', address: '10.0.0.1' }, 'subnet']],
  'neutron securityGroupRule.create': [
    [{ ...group, firstPort: 1 }, 'firstPort'],
    [{ ...group, protocol: 'tcp', firstPort: 2, lastPort: 1 }, 'lastPort'],
    [{ ...group, remote: '10.0.0.0/8', ipVersion: 6 }, 'ipVersion'],
  ],
  'neutron network.update': [[{ id, name: 'a' }, '']],
  'neutron router.create': [[{ name: 'a', mtu: 1_500 }, 'mtu']],
  'onyx port.vlan.set': badPorts.map((name) => [{ port: name, mode: 'access', vlan: 1 }, 'port']),
  'onyx lag.member.add': badPorts.map((name) => [{ lag: 22, port: name }, 'port']),
  'onyx mlag.vip.set': badAddresses.map((address) => [{ ...vip, address }, 'address']),
  // These are the relay's own marks.
  'openvswitch port.add': [[{ bridge: 'br-a', port: 'p1', ...marks }, 'externalIds']],
  'openvswitch externalIds.set': [[{ object: 'port', name: 'p1', ...marks }, 'externalIds']],
};

/** Accepted arguments besides the examples. */
const accepted: Readonly<Record<string, readonly (readonly [args: JsonObject])[]>> = {
  'onyx mlag.vip.set': ['0.0.0.0', '9.10.99.100', '192.0.2.1', '249.250.255.199'].map((address) => [
    { ...vip, address },
  ]),
  'frr bgpNeighbor.delete': [[{ ...bgp, was: { description: 'ab' } }]],
};

const interfaceLines = (...ends: readonly string[]) => ends.map((end) => `interface ethernet 1/31/2 switchport ${end}`);
const words = "it's 100 % <b>ok</b> & {done}";

/** The calls rendered from arguments, as a part of each call. */
const rendered: Readonly<Record<string, readonly (readonly [args: JsonObject, call: object, options?: JsonObject])[]>> =
  {
    'f5-bigip pool.create': [
      [
        { name: 'x', comment: words },
        { path: '/mgmt/tm/ltm/pool', body: { description: expect.stringContaining(words) } },
      ],
    ],
    'neo vlan.create': [
      [
        { vlan: 7, name: 'a.b_c-d', devices: [device] },
        { body: { params: { commandline: ['vlan 7', 'exit', 'vlan 7 name "a.b_c-d"'] } } },
      ],
    ],
    'neo port.setVlans': [
      [
        { device, port: 'eth1/31/2', mode: 'hybrid', vlan: 7, allowedVlans: [10, 9] },
        {
          body: {
            params: {
              commandline: interfaceLines(
                ...['mode hybrid', 'access vlan 7', 'hybrid allowed-vlan none', 'hybrid allowed-vlan add 9'],
                'hybrid allowed-vlan add 10',
              ),
            },
          },
        },
      ],
    ],
    'neutron network.create': [
      [
        // The longest description still fits with its mark into Neutron's field.
        { name: 'a', description: 'x'.repeat(215) },
        { body: { network: { description: expect.stringMatching(/^.{255}$/) } } },
      ],
    ],
    'neutron network.get': [[{ id }, { path: `/networking/v2.0/networks/${id}` }, { basePath: '/networking' }]],
  };

/** Puts the driver and operation in front of each row. */
function flat<Rest extends readonly unknown[]>(table: Readonly<Record<string, readonly Rest[]>>) {
  return Object.entries(table).flatMap(([name, list]) => {
    const [driver = '', operation = ''] = name.split(' ');
    return list.map((row) => [driver, operation, ...row] as const);
  });
}

const every = [...drivers.values()].flatMap((driver) =>
  [...driver.operations.values()].map((operation) => ({ name: `${driver.name} ${operation.name}`, driver, operation })),
);

test('every driver has a row', () => {
  expect(Object.keys(rows).sort()).toEqual([...drivers.keys()].sort());
});

/** The text arguments and arguments with texts, each with a function that puts another text into the example. */
function textsOf({ argumentsSchema, example }: DriverOperation) {
  const properties = argumentsSchema.properties as Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  const isText = (schema: unknown) => {
    const { type, enum: words } = (schema ?? {}) as { type?: unknown; enum?: unknown };
    return words !== undefined || [type].flat().includes('string');
  };
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (isText(schema)) return [{ name, with: (text: string) => ({ ...example, [name]: text }) }];
    return isText(schema.items) ? [{ name, with: (text: string) => ({ ...example, [name]: [text] }) }] : [];
  });
}

describe.each(every)('$name', ({ driver, operation }) => {
  const row = rows[driver.name] ?? {};

  test('its example matches its schema', () => {
    expect(validateArguments(operation, operation.example)).toMatchObject({ ok: true });
  });

  test('an unknown argument is reported by name', () => {
    expect(validateArguments(operation, { ...operation.example, 'no/such~one': 1 })).toEqual({
      ok: false,
      faults: [{ path: ['no/such~one'], message: 'is not an argument of this operation' }],
    });
  });

  test('it refuses every hostile text in each of its arguments', () => {
    const through = textsOf(operation).flatMap(({ name, with: withText }) =>
      (row.words?.[name] ?? [...hostile, ...(row.hostile ?? [])])
        .filter(
          (text) =>
            !faultsOf(driver, operation.name, withText(text)).some((fault) => /^[^.:]*/.exec(fault)?.[0] === name),
        )
        .map((text) => [name, text]),
    );
    expect(through).toEqual([]);
  });

  test('has the methods that its effect requires', () => {
    const args = checkedFor(driver, operation.name, operation.example);
    const call = operation.render(args, renderContext(driver));
    if (call.kind === 'http' && row.requests !== undefined)
      expect(`${call.method} ${call.path}`).toMatch(row.requests[operation.effect === 'READ' ? 0 : 1]);
    if (operation.effect === 'READ') {
      expect(operation.object).toBeUndefined();
      expect(operation.mapping).toBeUndefined();
      return;
    }
    expect(operation.object?.(args)).toEqual({
      resource: expect.any(String),
      scope: expect.any(String),
      key: expect.any(String),
    });
    expect(operation.renderDryRun === undefined).toBe(operation.interpretDryRun === undefined);
    // A device check declares how deep it goes.
    expect(operation.renderDryRun === undefined).toBe(operation.checks === undefined);
  });
});

test.each(flat(refused))('%s %s refuses %j', (name, operation, args, ...faults) => {
  const wanted = faults.map((fault) => {
    if (typeof fault !== 'string') return expect.stringMatching(fault);
    return fault.includes(': ') ? fault : expect.stringMatching(new RegExp(`^${fault}: `));
  });
  expect(faultsOf(driverOf(name), operation, args)).toEqual(wanted);
});

test.each(flat(accepted))('%s %s accepts %j', (name, operation, args) => {
  expect(faultsOf(driverOf(name), operation, args)).toEqual([]);
});

test.each(flat(rendered))('%s %s %j becomes one call', (name, operation, args, call, options = {}) => {
  const context = renderContext(driverOf(name), { options });
  const checked = checkedFor(driverOf(name), operation, args);
  expect(operationOf(driverOf(name), operation).render(checked, context)).toMatchObject(call);
});

const adopted = Object.entries(rows).flatMap(([name, row]) =>
  row.adopted === undefined ? [] : [{ name, row, ...row.adopted }],
);

test.each(adopted)(
  '$name: an adopted object may have any name, which appears in one place of its request',
  ({ name, row, scope, request, filter }) => {
    const odd = ['..', '.', 'http/../../x', 'none/x', '10.0.0.1:80', ':::', '10.0.0.1,x', '10.0.0.1.system&a=b'];
    for (const [resource, reader] of driverOf(name).resources ?? [])
      for (const word of [...hostile, ...(row.hostile ?? []), ...odd])
        for (const object of [
          { scope, key: word, uuid: null },
          { scope: word, key: '1', uuid: null },
          { scope, key: 'x', uuid: word },
          { scope, key: word, uuid: word },
        ]) {
          const call = reader.render(object, renderContext(driverOf(name)));
          if (call.kind !== 'http') throw new Error('not by HTTP');
          expect([resource, word, `${call.method} ${call.path}`]).toEqual([
            resource,
            word,
            expect.stringMatching(request),
          ]);
          const found = new URLSearchParams(call.path.split('?')[1] ?? '').get('$filter') ?? '';
          if (found !== '') expect(found).toMatch(filter ?? /^$/);
        }
  },
);

test.each(['', '.', '..'])('fortios: the invalid key %j makes no call, even where no schema checked it', (name) => {
  const { render } = operationOf(driverOf('fortios'), 'address.delete');
  expect(() => render({ vdom: 'root', name }, renderContext(driverOf('fortios')))).toThrow();
});

test("modsecurity: a user's text is only in the input, never in a command", () => {
  const driver = driverOf('modsecurity');
  const word = 'unmistakable';
  const context = renderContext(driver, { options: { configRoot: `/${word}` } });
  const calls = [...driver.operations.values()].flatMap(({ name, example, render, renderDryRun }) => {
    const args = checkedFor(driver, name, example);
    const said = 'site' in args ? { ...args, site: word } : args;
    return [render(said, context), renderDryRun?.(said, context)].flatMap((call) =>
      call?.kind === 'exec' ? [call] : [],
    );
  });
  expect(calls.length).toBeGreaterThan(5);
  for (const { command, stdin } of calls) {
    expect(command).not.toContain(word);
    expect(stdin).toContain(word);
  }
});

test('openvswitch: over SSH no argument is on the command line', () => {
  const driver = driverOf('openvswitch');
  for (const { name, effect, example, render } of driver.operations.values()) {
    if (effect === 'READ') continue;
    expect(
      render(checkedFor(driver, name, example), renderContext(driver, { options: { transport: 'ssh' } })),
    ).toMatchObject({
      kind: 'exec',
      command: name === 'bridge.delete' ? findingCommand : 'ovsdb-client transact "$(cat)"',
    });
  }
});

/** The paths of patterns without a description for their error messages. */
function speechless(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { pattern, description } = schema as { readonly pattern?: unknown; readonly description?: unknown };
  const own = typeof pattern === 'string' && typeof description !== 'string' ? [path] : [];
  return [...own, ...Object.entries(schema).flatMap(([name, part]) => speechless(part, `${path}.${name}`))];
}

test('every pattern of every driver has a description in words', () => {
  const found = [...drivers.values()].flatMap((driver) => [
    ...speechless(driver.optionsSchema, `${driver.name} options`),
    ...[...driver.operations.values()].flatMap((one) => speechless(one.argumentsSchema, `${driver.name} ${one.name}`)),
  ]);
  expect(found).toEqual([]);
});

test('defaults are added to a copy', () => {
  const args = { set: 'blocked', address: '203.0.113.7' };
  const defaults = { family: 'inet', table: 'filter' };
  expect(checkedFor(driverOf('linux-nftables'), 'setElement.add', args)).toEqual({ ...args, ...defaults });
  expect(Object.keys(args)).toEqual(['set', 'address']);
});
