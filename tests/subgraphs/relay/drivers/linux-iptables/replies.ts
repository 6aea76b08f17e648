import { exec, type ReplyRows } from '../../support/replies.ts';

export const replies: ReplyRows = {
  verdict: /^iptables .+$/m,
  unreadable: [
    ['killed', exec('iptables exit 137\n')],
    ['unread', exec('iptables unread\n')],
    ['another verdict', exec('iptables done\n')],
    ['a verdict without its end', exec('iptables exit 0')],
    ['half of a verdict', exec('iptables exi')],
    ['nothing', exec('')],
    ['too long', exec('rule -A FORWARD\niptables exit 0\n', { truncated: true })],
  ],
  readable: ['another verdict'],
  operations: {
    'rule.create': [
      ['done', exec('iptables exit 0\n'), 'SUCCEEDED'],
      ['locked', exec('said busy\niptables exit 4\n'), 'FAILED DEVICE_BUSY'],
      ['refused', exec('said line 2 failed\niptables exit 1\n'), 'FAILED DEVICE_REFUSED'],
      ['cut short', exec('iptables refused CUT_SHORT\n'), 'FAILED CUT_SHORT'],
    ],
  },
};
