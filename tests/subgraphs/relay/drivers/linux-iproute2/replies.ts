import { expect } from '@jest/globals';
import { exec, type ReplyRows } from '../../support/replies.ts';

const route = { type: 'unicast', dst: '192.0.2.0/24', dev: 'lan0', protocol: 'static', metric: 1, flags: [] };
const key = '192.0.2.0/24 metric 1';
const listed = (json: string, stderr = '', exit = 0) => exec(`${json}\nexit ${exit}\niproute2 done\n`, { stderr });
const noTable = 'Error: ipv4: FIB table does not exist.\nDump terminated\n';
const netlink = (words: string) =>
  exec('iproute2 exit 1\n', { stderr: `RTNETLINK answers: ${words}\nCommand failed -:1\n` });
const long = `Error: ${'x'.repeat(100_000)}`;
const id = 'b08dfa6083e7567a1921a715000001fb';
const self = (machine: string) =>
  exec(`version ip utility, iproute2-6.1.0, libbpf 1.1.0\nmachine ${machine}\niproute2 done\n`);

export const replies: ReplyRows = {
  verdict: /^iproute2 .+$/m,
  unreadable: [
    ['nothing', exec('')],
    ['no verdict', exec('[]\n\nexit 0\n')],
    ['half of a verdict', exec('iproute2 exit')],
    ['a verdict without its end', exec('iproute2 exit 0')],
    ['text after the verdict', exec('iproute2 exit 0\nbye\n')],
    ['another verdict', exec('iproute2 maybe\n')],
    ['an unknown refusal', exec('iproute2 refused ELSE\n')],
    ['too long', exec('iproute2 exit 0\n', { truncated: true })],
    ['a signal', exec('iproute2 exit 0\n', { exitCode: null })],
    ['a shell that failed', exec('iproute2 exit 0\n', { exitCode: 1 })],
    ['ip failed without a word', exec('iproute2 exit 2\n')],
    ['ip was killed', exec('iproute2 exit 137\n', { stderr: 'RTNETLINK answers: File exists\n' })],
    ['ip failed with other words', exec('iproute2 exit 1\n', { stderr: 'EOF on netlink\n' })],
    ['a page', exec('<html>not here</html>')],
  ],
  operations: {
    'staticRoute.create': [
      ...['BAD_INPUT', 'CUT_SHORT', 'NO_IP', 'UNREADABLE', 'SEVERAL', 'ALREADY_EXISTS', 'CHANGED', 'NO_INTERFACE'].map(
        (code) =>
          [
            ...([`refused with ${code}`, exec(`iproute2 refused ${code}\n`, { stderr: 'words\n' })] as const),
            { state: 'FAILED', code, message: expect.stringMatching(/\. words$/) as unknown as string },
          ] as const,
      ),
      ['another program was quicker', netlink('File exists'), 'FAILED ALREADY_EXISTS'],
      ['long words', exec('iproute2 exit 2\n', { stderr: long }), 'FAILED'],
      ['long words of a refusal', exec('iproute2 refused UNREADABLE\n', { stderr: long }), 'FAILED UNREADABLE'],
      ['long words of nothing', exec('nothing\n', { stderr: long }), 'UNKNOWN UNREADABLE_REPLY'],
    ],
    'staticRoute.delete': [
      [
        ...(['it comes too late', netlink('No such process')] as const),
        { state: 'FAILED', code: 'NOT_FOUND', absent: true, message: 'RTNETLINK answers: No such process' },
      ],
    ],
  },
  objects: {
    'static-route': [
      ['no JSON', listed(''), 'UNREADABLE', key],
      ['half of the JSON', listed(JSON.stringify([route]).slice(0, -3)), 'UNREADABLE', key],
      ['an object', listed('{}'), 'UNREADABLE', key],
      ['other things than routes', listed('[1]'), 'UNREADABLE', key],
      ['JSON of an ip that failed', listed('[]', '', 1), 'UNREADABLE', key],
      ['no exit code', exec('[]\niproute2 done\n'), 'UNREADABLE', key],
      ['more than was asked for', listed('[]\nexit 0\n[]'), 'UNREADABLE', key],
      ['an empty list', listed('[]\n'), { finding: 'ABSENT' }, key],
      ['the words of the kernel', listed('[', noTable, 2), { finding: 'ABSENT' }, key],
      ['its words about IPv6', listed('[', noTable.replace('ipv4', 'ipv6'), 2), 'UNREADABLE', key],
      ['another metric', listed(JSON.stringify([{ ...route, metric: 2 }])), { finding: 'ABSENT' }, key],
      ['another protocol', listed(JSON.stringify([{ ...route, protocol: 'boot' }])), { finding: 'ABSENT' }, key],
    ],
  },
  health: [
    ['a machine', self(id), { softwareVersion: '6.1.0', serial: id }],
    // machine-id(5): an image before its first boot. Two such images are different devices.
    ['an image', self('uninitialized'), { softwareVersion: '6.1.0', serial: null }],
    ['a machine without an id', self(''), { softwareVersion: '6.1.0', serial: null }],
  ],
};
