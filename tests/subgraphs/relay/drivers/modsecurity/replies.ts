import { exec, type ReplyRows } from '../../support/replies.ts';

const rule = { site: 'shop', id: 7, variables: ['ARGS'], operator: 'contains', pattern: 'x', phase: 2, action: 'deny' };

export const replies: ReplyRows = {
  verdict: /^waf .+$/m,
  unreadable: [
    ['nothing at all', exec('')],
    ['cut short', exec('waf applied loaded\n', { truncated: true })],
    ['without the end of its line', exec('waf applied loaded')],
    ['the output of a killed shell', exec('', { exitCode: null })],
    ['an exit code beside a verdict', exec('waf applied loaded\n', { exitCode: 1 })],
    ['another verdict', exec('waf done\n')],
    ['another refusal', exec('waf refused PERHAPS\n')],
    ['a change that could not be undone', exec('Syntax error\nwaf broken\n')],
    ['a greeting only', exec('Welcome\n')],
  ],
  operations: {
    'rule.create': [
      [
        // A graceful restart that was ordered but not confirmed is not a failure.
        ...(['a restart that is not confirmed', exec('waf applied told\n')] as const),
        ...([{ state: 'SUCCEEDED', result: { site: 'shop', id: 7, loaded: false } }, rule] as const),
      ],
    ],
  },
};
