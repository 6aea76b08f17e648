// The addresses to which a process may connect: by rule, in any notation, and by the resolved address at each connect.

import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { dial, EgressDeniedError } from '../../../platform/net/dial.ts';
import { canonicalEgressRule, egressFrom } from '../../../platform/net/egress.ts';

const standard = egressFrom({});

describe('without any rule', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['::1%lo', 'loopback'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['192.0.0.192', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['fd20:ce::254', 'metadata'],
    ['FD00:0EC2:0:0:0:0:0:254', 'metadata'],
  ])('%s is denied: %s', (address, why) => {
    expect(standard.denial(address, 443)?.reason).toContain(why);
  });

  test.each([
    ['::ffff:127.0.0.1', 'IPv4-mapped'],
    ['::ffff:7f00:1', 'IPv4-mapped, in hexadecimal'],
    ['0:0:0:0:0:FFFF:127.0.0.1', 'IPv4-mapped, in full'],
    ['::ffff:127.0.0.1%eth0', 'IPv4-mapped, with a zone'],
    ['::127.0.0.1', 'IPv4-compatible'],
    ['::7f00:1', 'IPv4-compatible, in hexadecimal'],
    ['::ffff:0:127.0.0.1', 'IPv4-translated'],
    ['2002:7f00:1::', '6to4'],
    ['2002:7f00:1:1:2:3:4:5', '6to4, with a host part'],
    ['64:ff9b::127.0.0.1', 'NAT64'],
    ['64:ff9b::a9fe:a9fe', 'NAT64 of a metadata address'],
    ['2002:a9fe:a9fe::1', '6to4 of a metadata address'],
    ['64:ff9b:1::127.0.0.1', 'local-use NAT64'],
    ['64:ff9b:1:0:7f00:1::', 'local-use NAT64, another length'],
    ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'Teredo'],
    ['2001:db8::5efe:127.0.0.1', 'ISATAP'],
    ['2001:db8::200:5efe:7f00:1', 'ISATAP'],
  ])('%s is denied: %s', (address) => {
    expect(standard.denial(address, 443)).toBeDefined();
  });

  test.each([
    ...[
      '10.0.0.1',
      '192.0.2.1',
      '198.18.0.2',
      '100.64.0.1',
      '172.16.0.1',
      '126.255.255.255',
      '128.0.0.1',
      '::ffff:192.0.2.1',
    ],
    ...['2001:db8::1', 'fd00::1', 'fc00::1', '2002:c000:201::1', '64:ff9b::192.0.2.1', '169.253.255.255', '170.0.0.1'],
  ])('%s is allowed', (address) => {
    expect(standard.denial(address, 443)).toBeUndefined();
  });

  test.each([
    ...[
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '127.0.0.1.',
      'localhost',
      '',
      '10.0.0.1 ',
      '１２７.0.0.1',
      '10.0.0.1/8',
    ],
    ...['::ffff:127.0.0.1.', '[::1]', 'fe80::1%', '10.0.0.0/8'],
  ])('%p is not an address, and is therefore denied', (text) => {
    expect(standard.denial(text, 443)).toBeDefined();
  });
});

describe('rules', () => {
  const denied = (rules: Parameters<typeof egressFrom>[0], address: string, port = 22) =>
    egressFrom(rules).denial(address, port) !== undefined;

  test('a default denial can be overridden by a rule at least as narrow', () => {
    expect(denied({ allow: ['127.0.0.0/8'] }, '127.0.0.1')).toBe(false);
    expect(denied({ allow: ['127.0.0.5'] }, '127.0.0.5')).toBe(false);
    expect(denied({ allow: ['127.0.0.5'] }, '127.0.0.6')).toBe(true);
    expect(denied({ allow: ['0.0.0.0/0'] }, '127.0.0.1')).toBe(true);
    expect(denied({ allow: ['169.254.0.0/16'] }, '169.254.1.1')).toBe(false);
    expect(denied({ allow: ['169.254.0.0/16'] }, '169.254.169.254')).toBe(true);
    expect(denied({ allow: ['169.254.169.254'] }, '169.254.169.254')).toBe(false);
    expect(denied({ allow: ['::/0'] }, '::1')).toBe(true);
    expect(denied({ allow: ['::1'] }, '::1')).toBe(false);
  });

  test('a rule that allows an IPv4 address also covers its IPv4-mapped form, and vice versa', () => {
    expect(denied({ allow: ['127.0.0.0/8'] }, '::ffff:127.0.0.1')).toBe(false);
    expect(denied({ deny: ['::ffff:10.0.0.0/104'] }, '10.1.2.3')).toBe(true);
    expect(denied({ deny: ['10.0.0.0/8'] }, '::ffff:10.1.2.3')).toBe(true);
    expect(denied({ deny: ['10.0.0.0/8'] }, '64:ff9b::10.1.2.3')).toBe(true);
    expect(denied({ deny: ['10.0.0.0/8'] }, '2002:a01:203::1')).toBe(true);
  });

  test('the narrower of two rules applies; for equal blocks, the rule with a port, and then the denial', () => {
    const rules = {
      allow: ['10.20.0.0/16', '10.20.0.9:443'],
      deny: ['0.0.0.0/0', '::/0', '10.20.30.0/24', '10.20.0.9'],
    };
    expect(denied(rules, '10.20.1.1')).toBe(false);
    expect(denied(rules, '10.20.30.1')).toBe(true);
    expect(denied(rules, '10.21.0.1')).toBe(true);
    expect(denied(rules, '2001:db8::1')).toBe(true);
    expect(denied(rules, '10.20.0.9', 443)).toBe(false);
    expect(denied(rules, '10.20.0.9', 22)).toBe(true);
    expect(denied({ allow: ['10.0.0.1'], deny: ['10.0.0.1'] }, '10.0.0.1')).toBe(true);
  });

  test("the installation's own listeners are denied, whatever is allowed", () => {
    const rules = {
      allow: ['127.0.0.0/8', '127.0.0.1:4000', '[::1]:4000', '::1'],
      own: ['127.0.0.1:4000', '[::1]:4000', '10.0.0.0/8:3306'],
    };
    expect(denied(rules, '127.0.0.1', 4000)).toBe(true);
    expect(denied(rules, '::ffff:127.0.0.1', 4000)).toBe(true);
    expect(denied(rules, '::1', 4000)).toBe(true);
    expect(denied(rules, '10.1.2.3', 3306)).toBe(true);
    expect(denied(rules, '10.1.2.3', 3307)).toBe(false);
    expect(denied(rules, '127.0.0.1', 4001)).toBe(false);
  });

  test('the policy is plain data: another process makes the same decisions from its JSON', () => {
    const policy = egressFrom({ allow: ['127.0.0.5:22'], deny: ['10.0.0.0/8'], own: ['127.0.0.5:4000'] });
    const copy = egressFrom(JSON.parse(JSON.stringify(policy.rules)));
    expect(copy.rules).toEqual(policy.rules);
    for (const [address, port] of [
      ['127.0.0.5', 22],
      ['127.0.0.5', 23],
      ['10.0.0.1', 1],
      ['127.0.0.5', 4000],
    ] as const)
      expect(copy.denial(address, port)).toEqual(policy.denial(address, port));
  });

  test('a denial names the address, the rule, and the remedy', () => {
    expect(standard.denial('127.0.0.1', 22)).toEqual({
      address: '127.0.0.1',
      port: 22,
      reason:
        'connections to 127.0.0.1 port 22 are denied by the built-in rule 127.0.0.0/8 (loopback); the setting egress.allow can allow them',
    });
    expect(standard.denial('2002:7f00:1::', 22)?.reason).toContain('2002:7f00:1:: (that is 127.0.0.1) port 22');
    expect(egressFrom({ deny: ['10.0.0.0/8'] }).denial('10.0.0.1', 22)?.reason).toBe(
      'connections to 10.0.0.1 port 22 are denied by the setting egress.deny; a narrower rule can allow them, for example egress.allow: ["10.0.0.1:22"]',
    );
    expect(egressFrom({ own: ['10.0.0.1:4000'] }).denial('10.0.0.1', 4000)?.reason).toBe(
      'connections to 10.0.0.1 port 4000 are denied: they would reach this installation itself, and no setting allows that',
    );
  });

  test('a denial says which port was checked, and which ports of the address are allowed', () => {
    const rules = { deny: ['10.0.0.0/8'], allow: ['10.0.0.1:443', '10.0.0.0/24:80', '10.0.0.9:22', '10.0.0.1:8443'] };
    const reason = (port: number, own: readonly string[] = []) =>
      egressFrom({ ...rules, own }).denial('10.0.0.1', port)?.reason;
    const allowed = 'its ports 80, 443 and 8443 are allowed';
    const advice = 'a narrower rule can allow them, for example egress.allow';
    expect(reason(22)).toBe(
      `connections to 10.0.0.1 port 22 are denied by the setting egress.deny; ${allowed}; ${advice}: ["10.0.0.1:22"]`,
    );
    expect(reason(0)).toBe(
      `connections to 10.0.0.1 (no port is given) are denied by the setting egress.deny; ${allowed}; ${advice}: ["10.0.0.1"]`,
    );
    // Ports that would reach the installation itself are not suggested.
    expect(reason(22, ['10.0.0.1:443', '10.0.0.1:8443'])).toContain('; its port 80 is allowed; ');
    expect(egressFrom({ allow: ['127.0.0.1:80'] }).denial('127.0.0.1', 22)?.reason).toContain(
      'the built-in rule 127.0.0.0/8 (loopback); its port 80 is allowed; the setting',
    );
  });

  test.each([
    ['10.0.0.1', 22, '10.0.0.1:22'],
    ['10.0.0.1', 0, '10.0.0.1'],
    ['::ffff:10.0.0.1', 22, '10.0.0.1:22'],
    ['2001:db8::1', 443, '[2001:db8::1]:443'],
    ['2001:db8::1', 0, '2001:db8::1'],
    ['2002:a00:1::', 22, '[2002:a00:1::]:22'],
  ])('the rule in the message of %s port %s is %s, and it allows the connection', (address, port, rule) => {
    const deny = address.startsWith('2002') ? ['2002::/16'] : ['10.0.0.0/8', '::/0'];
    const reason = egressFrom({ deny }).denial(address, port)?.reason ?? '';
    const [, example = ''] = /for example egress\.allow: \["(.+)"\]$/.exec(reason) ?? [];
    expect(example).toBe(rule);
    expect(egressFrom({ deny, allow: [example] }).denial(address, port)).toBeUndefined();
  });

  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.0/8:22', '10.0.0.0/8:22'],
    ['10.0.0.1/32:22', '10.0.0.1:22'],
    ['FD00::/8', 'fd00::/8'],
    ['[FD00::1]:22', '[fd00::1]:22'],
    ['[fd00::/8]:22', '[fd00::/8]:22'],
    ['[fd00::1]', 'fd00::1'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['[::ffff:10.0.0.1]:22', '10.0.0.1:22'],
    ['0.0.0.0/0', '0.0.0.0/0'],
  ])('%s is the rule %s', (text, rule) => {
    expect(canonicalEgressRule(text)).toBe(rule);
  });

  test.each([
    '',
    'localhost',
    '10.0.0.1/8',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:ssh',
    '127.1',
    'fd00::1%eth0',
    '10.0.0.1:',
    '[10.0.0.1]x',
  ])('%p is not a rule', (text) => {
    expect(canonicalEgressRule(text)).toBeUndefined();
    expect(() => egressFrom({ allow: [text] })).toThrow(text);
  });
});

describe('at each connect', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(() => {
    jest.restoreAllMocks();
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** Counts the connections. */
  async function listen(host = '127.0.0.1'): Promise<{ port: number; guests: string[] }> {
    const guests: string[] = [];
    const server = createServer((socket) => {
      guests.push(String(socket.localAddress));
      socket.on('error', () => undefined).destroy();
    });
    servers.push(server);
    server.listen(0, host);
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, guests };
  }

  /** A resolver's answers, in order. The last one repeats. */
  function resolves(...answers: (readonly string[])[]): void {
    jest.spyOn(dns, 'lookup').mockImplementation(((
      _name: string,
      _options: unknown,
      done: (...given: unknown[]) => void,
    ) => {
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
      const found = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      process.nextTick(done, null, found);
    }) as never);
  }

  async function attempt(policy: Parameters<typeof dial>[0], host: string, port: number): Promise<string> {
    const socket = dial(policy, { host, port });
    sockets.push(socket);
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(`connected to ${socket.remoteAddress}`));
      socket.once('error', (error) => resolve(error instanceof EgressDeniedError ? 'denied' : error.message));
    });
  }

  test.each([
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0',
    'localhost',
    'LOCALHOST',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0.0.0.0',
    '::',
    '::1%1',
  ])('%s is not reached, in any notation', async (host) => {
    const { port, guests } = await listen('::');
    expect(await attempt(standard, host, port)).toBe('denied');
    expect(guests).toEqual([]);
  });

  test.each(['127.0.0.1.', '１２７.0.0.1', '127。0。0。1', '127.0.0.1%lo', '[::1]', 'fe80::1%25lo'])(
    '%s is not reached either',
    async (host) => {
      const { port, guests } = await listen('::');
      expect(await attempt(standard, host, port)).not.toContain('connected');
      expect(guests).toEqual([]);
    },
  );

  test('only the allowed addresses of a name are dialled', async () => {
    const { port, guests } = await listen('0.0.0.0');
    const policy = egressFrom({ allow: ['127.0.0.2'] });
    resolves(['127.0.0.1', '127.0.0.2', '::1']);
    expect(await attempt(policy, 'two.example', port)).toBe('connected to 127.0.0.2');
    resolves(['127.0.0.1', '::ffff:127.0.0.3']);
    expect(await attempt(policy, 'none.example', port)).toBe('denied');
    expect(guests).toEqual(['127.0.0.2']);
  });

  test('a name that changes its address between two connects gains nothing (DNS rebinding)', async () => {
    const { port, guests } = await listen('0.0.0.0');
    const policy = egressFrom({ allow: ['127.0.0.2'] });
    resolves(['127.0.0.2'], ['127.0.0.1']);
    expect(await attempt(policy, 'turning.example', port)).toBe('connected to 127.0.0.2');
    expect(await attempt(policy, 'turning.example', port)).toBe('denied');
    expect(dns.lookup).toHaveBeenCalledTimes(2);
    expect(guests).toEqual(['127.0.0.2']);
  });

  test("a resolver's answer that is not an address gains nothing", async () => {
    const { port } = await listen();
    resolves(['0x7f.1'], ['fe80::1%lo'], []);
    for (let count = 0; count < 3; count += 1)
      expect(await attempt(standard, 'odd.example', port)).not.toContain('connected');
  });
});
