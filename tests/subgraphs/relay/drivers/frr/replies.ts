import { exec, type ReplyRows } from '../../support/replies.ts';

const route = { destination: '10.0.0.0/8', nextHop: '192.0.2.1' };
const line = 'ip route 10.0.0.0/8 192.0.2.1';
const have = `have \t${line}\n`;
const saved = 'Building Configuration...\nIntegrated configuration saved to /etc/frr/frr.conf\n[OK]';
const secret = 'neighbor 10.0.0.1 password hunter2';
const configured = `have router bgp 65001\t ${secret} and more\n`;
const saidWell = { state: 'SUCCEEDED', result: { ...route, distance: 1, said: '% well' } } as const;

export const replies: ReplyRows = {
  verdict: /^frr .+$/m,
  unreadable: [
    ['an unknown refusal', exec('frr refused ELSE\n')],
    ['no verdict', exec(have)],
    ['a verdict without its end', exec(`${have}frr done`)],
    ['text after the verdict', exec(`${have}frr done\nx\n`)],
    ['another exit code', exec(`${have}frr done\n`, { exitCode: 1 })],
    ['killed', exec('', { exitCode: null })],
    ['cut off', exec(`${have}frr done\n`, { truncated: true })],
    ['nothing', exec('')],
    ['a page', exec('<html>login</html>\n')],
    ['rubbish', exec('\u0000have\t\t\nhave\nsaid\nfrr\n')],
  ],
  operations: {
    'staticRoute.create': [
      ['it is there', exec(`${have}frr done\n`), 'SUCCEEDED', route],
      ['it is there, although something was said', exec(`said % well\n${have}frr done\n`), saidWell, route],
      ['it is not there', exec('said % no\nfrr done\n'), 'FAILED DEVICE_REFUSED', route],
      ['it is not there, and nothing was said', exec('frr done\n'), 'FAILED NOT_TAKEN', route],
      ['it is there otherwise', exec(`have \t${line} 9\nfrr done\n`), 'UNKNOWN NOT_AS_WANTED', route],
      ['it is in another VRF', exec(`have vrf red\t ${line}\nfrr done\n`), 'FAILED', route],
      ['the configuration could not be read', exec('said fine\nfrr unread\n'), 'UNKNOWN UNREADABLE_REPLY', route],
      ['no daemon', exec('said Exiting: failed to connect to any daemons.\nfrr unread\n'), 'FAILED', route],
      ['the input was cut', exec('frr refused CUT_SHORT\n'), 'FAILED', route],
    ],
    'staticRoute.delete': [
      ['gone', exec('frr done\n'), 'SUCCEEDED', route],
      [
        ...(['it was not there', exec('said % Refusing to remove a non-existent route\nfrr done\n')] as const),
        ...([{ state: 'SUCCEEDED', result: { said: '% Refusing to remove a non-existent route' } }, route] as const),
      ],
      ['still there', exec(`${have}frr done\n`), 'FAILED', route],
      ['unread', exec('frr unread\n'), 'UNKNOWN', route],
    ],
    'bgpSession.list': [
      ['JSON', exec('{"a":1}\nfrr done\n'), { state: 'SUCCEEDED', result: { a: 1 } }],
      ['a refusal', exec('% BGP instance not found\nfrr done\n'), 'FAILED DEVICE_REFUSED'],
      ['text', exec('hello\nfrr done\n'), 'FAILED UNREADABLE_REPLY'],
      ['half of it', exec('{"a":\nfrr done\n'), 'FAILED UNREADABLE_REPLY'],
    ],
    'config.save': [
      ['saved', exec(`${saved}\nfrr done\n`), { state: 'SUCCEEDED', result: null }],
      ['no file', exec("Can't open configuration file /etc/frr/frr.conf\n[OK]\nfrr done\n"), 'UNKNOWN'],
      ['no word that it is saved', exec('Building Configuration...\nfrr done\n'), 'UNKNOWN NOT_SAVED'],
    ],
  },
  silent: {
    word: 'hunter2',
    replies: [
      ['no verdict', exec(configured)],
      ['another exit code', exec(`${configured}frr done\n`, { exitCode: 1 })],
      ['unread', exec(`said line 3: ${secret}\n${configured}frr unread\n`)],
      ['refused', exec(`said % no: ${secret}\nfrr done\n`)],
      ['failed', exec('', { exitCode: 2, stderr: secret })],
      ['a read', exec(`${secret}\nfrr done\n`)],
    ],
  },
};
