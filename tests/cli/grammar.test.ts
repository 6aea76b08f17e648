// The grammar of the command line: `tidegate NOUNS VERB [NAME]`, a folder of cli/commands for each noun, the same verbs and the
// same options everywhere.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { otherWordsFor } from '../../cli/noun-words.ts';
import type { Option } from '../../cli/option.ts';
import { nouns, verbsAlone } from '../../cli/table.ts';
import type { Noun, Verb } from '../../cli/verb.ts';
import { runCommand } from './commands/run-command.ts';

/** Nouns for single things are singular. */
const single = ['audit', 'backup', 'clock', 'ha', 'keys', 'lab', 'published', 'timeline'];
/** They mean the same for every noun, and take one of these arguments. A noun's other verbs are specific to its domain. */
const commonVerbs: Readonly<Record<string, readonly string[]>> = {
  // Of one file.
  list: ['FILE'],
  show: ['NAME', 'ID', 'TYPE/ID'],
  create: ['NAME', 'FILE', 'FOLDER'],
  update: ['NAME', 'ID'],
  delete: ['NAME', 'ID'],
};
const otherWordsForThem = [
  'add',
  'get',
  'describe',
  'edit',
  'ls',
  'make',
  'modify',
  'new',
  'remove',
  'rm',
  'set',
  'view',
];
/**
 * A part joins and leaves the lab; it is not an object of the graph. A cluster joins and leaves a federation; its data is elsewhere afterwards.
 */
// A machine creates its host, so only the host's record is set.
const ownWords = [
  'lab add',
  'lab remove',
  'clusters add',
  'clusters remove',
  'hosts set',
  'published add',
  'published remove',
  // As in the graph: it makes no difference whether one exists before.
  'memberships set',
  'memberships remove',
];
// Contains a digit: l7policies.
const word = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

const loaded = new Map<string, Noun>();
const alone = new Map<string, Verb>();
beforeAll(async () => {
  for (const [name, entry] of Object.entries(nouns)) loaded.set(name, await entry.load());
  for (const [name, entry] of Object.entries(verbsAlone)) alone.set(name, await entry.load());
});
const allVerbs = () => [
  ...[...loaded].flatMap(([noun, verbs]) => Object.entries(verbs).map(([name, verb]) => ({ noun, name, verb }))),
  ...[...alone].map(([name, verb]) => ({ noun: '', name, verb })),
];

describe('the grammar', () => {
  test('a noun is a folder of cli/commands, and a single verb is a file there', async () => {
    const entries = await readdir(join(import.meta.dirname, '../../cli/commands'), { withFileTypes: true });
    const folders = entries.filter((each) => each.isDirectory()).map(({ name }) => name);
    const files = entries.filter((each) => each.isFile()).map(({ name }) => name.replace(/\.ts$/, ''));
    expect(folders.sort()).toEqual(Object.keys(nouns).sort());
    expect(files.sort()).toEqual(Object.keys(verbsAlone).sort());
  });

  test('nouns are plural, except for single things', () => {
    for (const noun of Object.keys(nouns)) {
      expect(noun).toMatch(word);
      if (!single.includes(noun)) expect(noun).toMatch(/s$/);
      expect(Object.keys(verbsAlone)).not.toContain(noun);
    }
  });

  test('common verbs have the same name and argument for all kinds', () => {
    for (const { noun, name, verb } of allVerbs()) {
      expect(name).toMatch(word);
      if (!ownWords.includes(`${noun} ${name}`)) expect(otherWordsForThem).not.toContain(name);
      const may = noun === '' ? undefined : commonVerbs[name];
      // An object is named together with its container, and it is created from a file.
      if (may === undefined || noun === 'objects') continue;
      const faults = verb.takes.filter((each) => !may.includes(each)).concat(verb.takes.slice(1));
      expect({ of: `${noun} ${name}`, takesOneOf: may, faults }).toEqual({
        of: `${noun} ${name}`,
        takesOneOf: may,
        faults: [],
      });
    }
  });

  test('options with the same name are the same everywhere', () => {
    // The value has a different meaning for each verb, for example a key or an address; the name is the same.
    const ownWords = new Set([
      'address',
      'after',
      'at',
      'backend',
      'cancel',
      'cluster',
      'data',
      'file',
      'from',
      'host',
      'key',
      'kind',
      'label',
      'limit',
      'name',
      'nodes',
      'no-install',
      'orphan-mappings',
      'port',
      'role',
      'seconds',
      'site',
      'state',
      'tag',
      'to',
      // Until what differs.
      'wait',
      'weight',
      // What is not asked.
      'yes',
    ]);
    // An option of the same name takes a value here, or none.
    const ofOwnKind = new Set([
      // A cluster whose data is gone; of a user, that the password is lost.
      'rings change recover',
      // The file that names them; of the lab, where requests go.
      ' setup hosts',
      // That it goes on; of load balancers, a timetable.
      'backup create schedule',
    ]);
    const first = new Map<string, { readonly of: string; readonly option: Option<unknown> }>();
    for (const { noun, name, verb } of allVerbs()) {
      for (const [long, option] of Object.entries(verb.options)) {
        expect(long).toMatch(word);
        const of = `${noun} ${name}`;
        const before = first.get(long);
        first.set(long, before ?? { of, option });
        if (before === undefined) continue;
        if (ofOwnKind.has(`${of} ${long}`)) continue;
        const isSwitch = (each: Option<unknown>) => each.value === undefined;
        expect([of, long, isSwitch(option)]).toEqual([of, long, isSwitch(before.option)]);
        // The help of a field is its description in the graph, which differs between kinds.
        const isField = [option, before.option].some(({ group }) => group === 'Fields:' || group === 'Filters:');
        if (!ownWords.has(long) && !isField)
          expect([of, long, option.value, option.help]).toEqual([of, long, before.option.value, before.option.help]);
      }
    }
  });

  test('commands that call a running Tidegate can print JSON, and those that change something can wait', () => {
    for (const { noun, name, verb } of allVerbs()) {
      if (verb.options.url !== undefined)
        expect({ of: `${noun} ${name}`, json: verb.options.json }).toEqual({
          of: `${noun} ${name}`,
          json: expect.anything(),
        });
      if (verb.options.url !== undefined && ['create', 'update', 'delete'].includes(name))
        expect({ of: `${noun} ${name}`, wait: verb.options.wait }).toEqual({
          of: `${noun} ${name}`,
          wait: expect.anything(),
        });
    }
  });

  test('arguments are in capitals, optional ones last and in brackets', () => {
    for (const { verb } of allVerbs()) {
      for (const each of verb.takes) expect(each).toMatch(/^(\[[A-Z/]+(\.\.\.)?\]|[A-Z/0-9]+(:…|\.\.\.)?)$/);
      const optional = verb.takes.findIndex((each) => each.startsWith('['));
      if (optional >= 0) expect(optional).toBe(verb.takes.length - 1);
    }
  });

  test('every line of help is one sentence that begins with a capital letter', () => {
    const lines = [
      ...Object.values(nouns).map(({ summary }) => summary),
      ...allVerbs().flatMap(({ verb }) => [verb.summary, ...Object.values(verb.options).map(({ help }) => help)]),
    ];
    for (const line of lines) expect(line).toMatch(/^[A-ZÀ-Þ].*[^ ]$/);
  });
});

test('every word for a noun stands for one noun only, and no verb has it', () => {
  const words = Object.entries(nouns).flatMap(([name, entry]) => [name, ...otherWordsFor(name, entry)]);
  expect(words.filter((each, at) => words.indexOf(each) !== at || each in verbsAlone)).toEqual([]);
  expect(words).toEqual(expect.arrayContaining(['backend', 'be', 'l7policy', 'access-key', 'lb']));
});

test('--version prints the version of package.json, and the commit that is checked out', async () => {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  const { exitCode, stdout } = await runCommand(['--version']);
  expect(exitCode).toBe(0);
  expect(stdout.replace(/ \(commit [0-9a-f]{40}\)\n$/, '')).toBe(`tidegate ${version}`);
});

describe('help', () => {
  test('without a command, and with --help, it lists all nouns and verbs', async () => {
    const none = await runCommand([]);
    const help = await runCommand(['--help']);
    expect([none.exitCode, help.exitCode]).toEqual([64, 0]);
    expect(help.stdout).toBe(none.stdout);
    for (const [name, { summary, hidden }] of Object.entries({ ...nouns, ...verbsAlone }))
      if (hidden !== true) expect(help.stdout).toMatch(new RegExp(`^  ${name} +${summary}`, 'm'));
  });

  test.each(Object.keys(nouns))('%s --help lists its verbs', async (noun) => {
    const { exitCode, stdout } = await runCommand([noun, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: tidegate ${noun} VERB`);
    for (const [name, { summary }] of Object.entries(loaded.get(noun) ?? {}))
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b.* ${summary.slice(0, 20)}`, 'm'));
    expect((await runCommand(['help', noun])).stdout).toBe(stdout);
  });

  test('the help of a verb lists its arguments and all its options', async () => {
    for (const { noun, name, verb } of allVerbs()) {
      const words = noun === '' ? [name] : [noun, name];
      const { exitCode, stdout } = await runCommand([...words, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`Usage: tidegate ${[...words, ...verb.takes].join(' ')} [options]`);
      for (const [option, { hidden }] of Object.entries(verb.options)) {
        const isShown = new RegExp(`--${option}(?![a-z0-9-])`).test(stdout);
        expect([option, isShown]).toEqual([option, hidden !== true]);
      }
      const text = stdout.replaceAll(/\s+/g, ' ');
      for (const [option, { needed, help }] of Object.entries(verb.options))
        if (needed === true && !/required/i.test(help))
          expect([words, option, text]).toEqual([words, option, expect.stringContaining(`${help} Required.`)]);
      for (const line of verb.about ?? []) expect([words, text]).toEqual([words, expect.stringContaining(line)]);
      for (const example of verb.examples ?? []) expect(stdout).toContain(`  ${example}\n`);
    }
  });
});

test('the help of accept-host-key has the steps in order, and the list of verbs only has the summary', async () => {
  const { stdout } = await runCommand(['backends', 'accept-host-key', '--help']);
  const text = stdout.replaceAll(/\s+/g, ' ');
  expect(text).toMatch(
    /1\. "tidegate backends show NAME".*"Not accepted".*2\. Read the fingerprint on the device.*3\. If both/,
  );
  expect((await runCommand(['backends', '--help'])).stdout).not.toContain('The steps');
});

test('words of other programs are understood', async () => {
  const [shown, other] = await Promise.all(['show', 'get'].map((verb) => runCommand(['lb', verb, '--help'])));
  expect(other).toEqual(shown);
  expect((await runCommand(['gslb', 'describe', '--help'])).stdout).toContain('Usage: tidegate gslbs show');
  const [script, completion] = await Promise.all(['complete', 'completion'].map((verb) => runCommand([verb, 'zsh'])));
  expect(script?.stdout).toContain('_tidegate');
  expect(completion).toEqual(script);
});

describe('wrong use ends with exit code 64', () => {
  test('a verb without arguments lists everything that it needs at once', async () => {
    for (const { noun, name, verb } of allVerbs()) {
      const needed = [
        ...verb.takes.filter((each) => !each.startsWith('[')),
        ...Object.entries(verb.options).flatMap(([option, each]) => (each.needed === true ? [`--${option}`] : [])),
        ...(verb.alsoNeeds?.(new Set()) ?? []),
      ];
      if (needed.length === 0) continue;
      const words = [noun, name].filter((each) => each !== '');
      const { exitCode, stderr } = await runCommand(words, { env: { TIDEGATE_TOKEN: 'x' } });
      expect([words, exitCode, stderr]).toEqual([words, 64, expect.stringMatching(/^tidegate: give /)]);
      for (const each of needed) expect([words, stderr]).toEqual([words, expect.stringContaining(each)]);
    }
  });

  test.each([
    [['no-such-command'], "there is no noun or verb 'no-such-command'"],
    [['backend', 'lst'], "there is no verb of backends 'lst'; list is near"],
    [['lodbalancers', 'list'], "there is no noun or verb 'lodbalancers'; loadbalancers is near"],
    [['lb', 'create', 'x', '--lisener', '80'], 'there is no option --lisener'],
    [['members', 'create', 'x', '--poool=y'], 'there is no option --poool; --pool is near'],
    [['loadbalancers', 'list', '--pro', 'x'], 'there is no option --pro; --project is near'],
    [['gslbs', 'create', 'x', '--cmp-thing', 'x'], 'there is no option --cmp-thing; --cmp is near'],
    [['operations', 'list', '--cmp', 'a/1', '--cmp-object', 'a/2'], '--cmp was given twice'],
    [
      ['memberships', 'create', 'x'],
      "there is no verb of memberships 'create'; set does that, and changes the role of one who is a member already",
    ],
    [['memberships', 'delete', 'x'], "there is no verb of memberships 'delete'; remove does that"],
    [['objects', 'put', 'a/b', 'file'], "there is no verb of objects 'put'; create or update does that"],
    [['objects', 'rm', 'a/b'], "there is no verb of objects 'rm'; delete does that"],
    // No other verb does it, so all are listed.
    [['tokens', 'update', 'x'], "there is no verb of tokens 'update'; it has list, "],
    [['users', 'delete', 'x'], 'users are disabled: tidegate users update NAME --enabled false'],
    [
      ['backends'],
      'backends needs a verb: one of list, show, create, update, delete, import, accept-host-key, accept-certificate',
    ],
    [['backends', 'toString'], "there is no verb of backends 'toString'"],
    [['backends', 'show'], 'give NAME'],
    [['backends', 'import'], 'give FILE'],
    [['backends', 'list', 'more'], 'too many arguments'],
    [['backends', 'list', '--no-such-option'], 'there is no option --no-such-option'],
    // An option belongs to one verb.
    [['backends', 'list', '--username', 'x'], 'there is no option --username'],
    [['backends', 'list', '--orphan-mappings'], 'there is no option --orphan-mappings'],
    [
      ['backends', 'create', 'x', '--host', 'h', '--username', 'u'],
      'give --driver DRIVER and one of --private-key-file, --backend-password-file and --api-token-file',
    ],
    [
      ['backends', 'create', 'x', '--driver', 'd', '--host', 'h', '--username', 'u'],
      'give one of --private-key-file, --backend-password-file and --api-token-file',
    ],
    // Everything that is missing is reported at once.
    [
      ['backends', 'create'],
      'give NAME, --driver DRIVER, --host HOST, --username USER and one of --private-key-file, --backend-password-file',
    ],
    [['mappings', 'adopt', '--key', 'k'], 'give --backend NAME, --cmp TYPE/ID and --resource RESOURCE'],
    [['gslb-members', 'create'], 'give NAME and --pool NAME'],
    [['gslbs', 'create', 'www.example.test', '--host', 'h'], 'there is no option --host'],
    [['users', 'create'], 'give NAME and --user-password-file FILE'],
    [['l7rules', 'create', '--type', 'PATH'], 'give --loadbalancer NAME, --listener PORT, --policy NAME, --compare'],
    [['backends', 'update', 'x'], 'nothing to change was given'],
    [['backends', 'update', 'x', '--enable', '--disable'], 'give only one of --enable and --disable'],
    [['backends', 'update', 'x', '--wait', '0'], '--wait must be a whole number from 1 to 3600'],
    [['operations', 'list', '--limit', '0'], '--limit must be a whole number from 1 to 100000'],
    [['operations', 'list', '--state', 'GONE'], '--state must be one of PENDING'],
    [['operations', 'list', '--state', 'suceeded'], "not 'suceeded'; SUCCEEDED is near"],
    [['operations', 'settle', 'x', '--verdict', 'MAYBE'], 'SUCCEEDED, FAILED'],
    [['operations', 'settle', 'x', '--verdict', 'FAILED'], '--verdict needs --note'],
    [['events', 'list', '--after', 'x'], 'there is no option --after'],
    [['events', 'follow', '--limit', '3'], 'there is no option --limit'],
    [['lab', 'add', 'toaster'], "'toaster' is not a part of the lab: one of firewall, fortigate"],
    [['lab', 'trouble', 'firewall', 'fire'], "'fire' is not a trouble: one of hang, late"],
    [['up', '--lab', 'firewall,toaster'], "--lab: 'toaster' is not a part of the lab"],
    [['up', '--lab', 'all', '--no-lab'], 'give only one of --lab and --no-lab'],
    [['mappings', 'shuffle'], "there is no verb of mappings 'shuffle'; it has list, show, verify, "],
    [['cmp-objects', 'show', '42'], 'is not TYPE/ID'],
    [['backends', 'list', '--url', 'ftp://x'], 'not an http or https URL'],
    [['backends', 'list', '--user', 'x'], '--user needs --password-file'],
    [['backends', 'list', '--project', 'a', '--project=b'], '--project was given twice: it takes one value'],
    [['backends', 'list', '-o', 'json', '--output', 'yaml'], '--output was given twice'],
    [['apply', '-f', 'x', '--dry-run', '--dry-run=server'], '--dry-run was given twice'],
    [['keys', 'burn', '/tmp/x'], "there is no verb of keys 'burn'"],
    [['audit', 'export', '--from', 'yesterday'], "'yesterday' is not a time"],
    [['serve', '--set', 'listen.port'], '--set takes NAME=VALUE'],
    [['serve', '--set', 'database.password=hunter2'], 'give database.passwordFile'],
    [['serve', '--set', 'redis.password=hunter2'], 'list of processes'],
  ])('%j', async (args, message) => {
    const { exitCode, stderr, stdout } = await runCommand(args, { env: { TIDEGATE_TOKEN: 'x' } });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^See 'tidegate( [a-z0-9-]+)* --help'\.$/m);
  });
});
