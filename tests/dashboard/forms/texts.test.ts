// The texts that a form shows are accepted by the command line, apply, GraphQL and Python, for every action of every
// kind.
// needs: python3
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildASTSchema, coerceInputValue, type GraphQLInputType, parse, validate } from 'graphql';
import { appliedKinds } from '../../../cli/apply/kind-manifest.ts';
import { readManifests } from '../../../cli/apply/manifests.ts';
import { kindNoun } from '../../../cli/kinds/kind-noun.ts';
import { nouns } from '../../../cli/table.ts';
import { asText, languages } from '../../../dashboard/src/forms/text/as-text.ts';
import { commandText } from '../../../dashboard/src/forms/text/command.ts';
import { graphqlText, mutationText, variablesText } from '../../../dashboard/src/forms/text/graphql-text.ts';
import { manifestText } from '../../../dashboard/src/forms/text/manifest-text.ts';
import { isByHand } from '../../../dashboard/src/forms/text/own-commands.ts';
import { pythonText } from '../../../dashboard/src/forms/text/python.ts';
import { missingIn, Secret, type Shown, secretsIn, wholeInput } from '../../../dashboard/src/forms/text/shown.ts';
import { clientDocument } from '../../../platform/graph/client-sdl.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { runCommand } from '../../cli/commands/run-command.ts';
import { NotingServer } from './noting-server.ts';
import { type Case, calls, cases, deedOf, deedOfCall, draftFor } from './samples.ts';
import { argumentsOf } from './shell.ts';

const schema = buildASTSchema(clientDocument(readSupergraph(), 'admin'), { assumeValidSDL: true });
const deeds = (each: Case) =>
  [{ all: false }, { all: true }, ...[1, 2, 3, 4, 5, 6, 7].map((which) => ({ all: true, which }))].map((how) =>
    deedOf(each, draftFor(each.action.input, how)),
  );

let server: NotingServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-forms-'));
  server = await NotingServer.start();
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('no text contains the secret of a field', () => {
  for (const each of cases)
    for (const deed of deeds(each))
      for (const make of [commandText, manifestText, graphqlText, pythonText])
        expect(make(deed)).not.toContain('the secret of');
});

const placeholders = (value: Shown, replaced: (secret: Secret) => string): unknown =>
  JSON.parse(JSON.stringify(value, (_, member: unknown) => (member instanceof Secret ? replaced(member) : member)));

/** With defaults, and without values that only one program fills in. */
function coerced(input: string, value: unknown): { readonly value: unknown; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const made = coerceInputValue(value, schema.getType(input) as GraphQLInputType, (path, _, error) =>
    faults.push(`${path.join('.')}: ${error.message}`),
  ) as Record<string, unknown>;
  const { idempotencyKey: _key, expectedVersion: _version, ...others } = JSON.parse(JSON.stringify(made ?? {}));
  return { value: others, faults };
}

describe.each([...cases])('$title', (each) => {
  const { input: type } = each.action;

  test('GraphQL: the document is valid, and its variables are of the right types', () => {
    for (const deed of deeds(each)) {
      expect(validate(schema, parse(mutationText(deed))).map(({ message }) => message)).toEqual([]);
      const { input } = JSON.parse(variablesText(deed)) as { input: unknown };
      expect(coerced(type, input).faults).toEqual([]);
    }
  });

  test('a missing value is a word in capitals, and the first line of its text explains it', async () => {
    const deed = deedOf(each, {});
    const missing = missingIn(wholeInput(deed));
    for (const word of missing) expect(word).toMatch(/^[A-Z][A-Z0-9_]*$/);
    const made = languages.map((language) => ({ language, ...asText(language, deed) }));
    for (const { language, text, isIncomplete } of made) {
      const shown = missing.filter((word) => new RegExp(`\\b${word}\\b`).test(text));
      expect([language, isIncomplete, inHead(text).toSorted()]).toEqual([language, shown.length > 0, shown.toSorted()]);
      expect(text).not.toMatch(/''|: ""/);
      // Those two have all fields.
      if (language === 'GraphQL' || language === 'Python') expect(shown).toEqual(missing);
    }
    const [command = '', yaml = '', document = ''] = made.map(({ text }) => text);
    expect(['gql', each.kind.noun]).toContain((await argumentsOf(command, folder, {}))[0]);
    expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([]);
    const { faults } = await readManifests([{ path: 'form.yaml', short: 'form.yaml', folder, text: yaml }], {
      ...{ env: {}, allowed: 'all' },
    });
    expect(faults.filter(({ message }) => /not YAML/.test(message))).toEqual([]);
  });

  test('a text with nothing missing is not marked', () => {
    for (const deed of deeds(each))
      for (const language of languages) expect(asText(language, deed).isIncomplete).toBe(false);
  });

  test('the command line sends the same input', async () => {
    for (const deed of deeds(each)) {
      if (each.verb === 'update' && Object.keys(deed.input).length === 0) continue;
      const text = commandText(deed);
      const shown = wholeInput(deed);
      const env = Object.fromEntries(secretsIn(shown).map(({ variable, file }) => [variable, `content of ${file}`]));
      server.sent = undefined;
      const args = await argumentsOf(text, folder, env);
      const run = await runCommand([...args, '--url', server.url], { env: { TIDEGATE_TOKEN: 'tg_good', ...env } });
      const expected = coerced(
        type,
        placeholders(shown, ({ file }) => `content of ${file}`),
      ).value;
      const got = server.sent === undefined ? run.stderr : coerced(type, server.sent).value;
      expect({ text, input: withoutPem(got) }).toEqual({ text, input: withoutPem(expected) });
    }
  });
});

describe.each(calls)('$mutation', (action) => {
  const filled = [{ all: false }, { all: true }, { all: true, which: 1 }, { all: true, which: 2 }].map((how) =>
    deedOfCall(action, draftFor(action.input, how)),
  );

  test('GraphQL: the document is valid, and its variables are of the right types', () => {
    for (const deed of filled) {
      expect(validate(schema, parse(mutationText(deed))).map(({ message }) => message)).toEqual([]);
      const { input } = JSON.parse(variablesText(deed)) as { input: unknown };
      expect(coerced(action.input, input).faults).toEqual([]);
    }
  });

  test('the command line sends the same input', async () => {
    for (const deed of filled) {
      const text = commandText(deed);
      const secrets = secretsIn(wholeInput(deed));
      const env = Object.fromEntries(secrets.map(({ variable, file }) => [variable, `content of ${file}`]));
      server.sent = undefined;
      const args = await argumentsOf(text, folder, env);
      const run = await runCommand([...args, '--url', server.url], { env: { TIDEGATE_TOKEN: 'tg_good', ...env } });
      const expected = placeholders(wholeInput(deed), ({ file }) => `content of ${file}`);
      const got = server.sent === undefined ? run.stderr : coerced(action.input, server.sent).value;
      expect({ text, input: got }).toEqual({ text, input: coerced(action.input, expected).value });
    }
  });

  test("no text has a secret, and a call can't be shown as a file", () => {
    for (const deed of filled) {
      for (const language of languages) expect(asText(language, deed).text).not.toContain('the secret of');
      expect(manifestText(deed)).toBe('# A file describes objects, not actions.\n');
    }
  });

  test('a missing value is a word in capitals', () => {
    const deed = deedOfCall(action, {});
    const missing = missingIn(wholeInput(deed));
    expect(missing).not.toEqual([]);
    for (const language of ['GraphQL', 'Python'] as const)
      expect(inHead(asText(language, deed).text).toSorted()).toEqual(missing.toSorted());
    expect(asText('CLI', deed).isIncomplete).toBe(true);
  });
});

test.each(['gslbPoolCreate', 'poolCreate', 'projectCreate', 'backendCreate'])(
  '%s: a name that begins with a hyphen is not parsed as an option',
  async (title) => {
    const each = cases.find((one) => one.title === title) as Case;
    const draft = { ...draftFor(each.action.input, { all: false }), name: '--help' };
    const deed = deedOf(each, draft);
    const env = Object.fromEntries(secretsIn(wholeInput(deed)).map(({ variable }) => [variable, 'x']));
    server.sent = undefined;
    const args = await argumentsOf(commandText(deed), folder, env);
    await runCommand([...args, '--url', server.url], { env: { TIDEGATE_TOKEN: 'tg_good', ...env } });
    expect(server.sent).toMatchObject({ name: '--help' });
  },
);

test('a call of an operation is one command', () => {
  const action = calls.find(({ mutation }) => mutation === 'relayCall');
  if (action === undefined) throw new Error('the graph has relayCall');
  const cmpObject = { type: 'tenant', externalId: '42' };
  const deed = deedOfCall(action, { operation: 'set.create', arguments: '{"set":"x"}', cmpObject });
  expect(commandText(deed).replaceAll(/\\\n\s+/g, '')).toMatch(
    /^tidegate call \S+ set.create --arguments '\{"set":"x"\}' --cmp tenant\/42 --idempotency-key form-1\n$/,
  );
});

const inHead = (text: string) =>
  (/^# Incomplete: replace (.*)\.\n/.exec(text)?.[1] ?? '').split(/, | and /).filter(Boolean);

test('an empty form, and one with an unreadable value', () => {
  const member = cases.find(({ title }) => title === 'poolMemberCreate') as Case;
  const pool = cases.find(({ title }) => title === 'gslbPoolCreate') as Case;
  const deed = deedOf(pool, {}, { projectId: 'The project.' });
  expect(asText('CLI', deed).text).toBe(
    '# Incomplete: replace NAME and PROJECT.\ntidegate gslb-pools create NAME \\\n  --project PROJECT\n',
  );
  expect(asText('YAML', deed).text).toContain('\nkind: GslbPool\nname: NAME\n');
  expect(asText('GraphQL', deed).text).toContain('#     "name": "NAME"');
  expect(asText('Python', deed).text).toContain('            "name": NAME,\n');
  const wrong = deedOf(member, { poolId: 'p', host: '192.0.2.1', port: 'http' });
  expect(asText('GraphQL', wrong).text).toContain('"port": "PORT"');
});

/** A file of certificates has other content here, and a key ends with a line feed. */
function withoutPem(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'string' && /^(content of \S+\.pem|-----BEGIN)/.test(member)
        ? 'PEM'
        : typeof member === 'string' && member.startsWith('content of')
          ? member.trim()
          : member,
    ),
  );
}

describe('a file that is applied', () => {
  const made = cases.filter(
    ({ kind, verb }) => verb === (kind.actions.create ? 'create' : kind.actions.set ? 'set' : 'update'),
  );

  test.each(made)('$title', async (each) => {
    const { type } = each.kind;
    for (const deed of deeds(each)) {
      const text = manifestText(deed);
      if (text.startsWith('# Give it a name')) {
        expect(deed.input.name).toBeUndefined();
        continue;
      }
      if (each.action.secrets !== undefined) {
        expect(text).toMatch(/^# A file can't have/);
        continue;
      }
      const source = isPart(type) ? inBalancer(type, text) : text;
      const env = Object.fromEntries(
        secretsIn(wholeInput(deed)).map(({ variable }) => [`TIDEGATE_SECRET_${variable}`, 'secret']),
      );
      const { manifests, faults } = await readManifests(
        [{ path: 'form.yaml', short: 'form.yaml', folder, text: source }],
        { env, allowed: { variables: [], folder: undefined, how: { variable: () => '', file: '' } } },
      );
      // The values are invented, so only settings that the file can't hold are faults.
      const shape = faults.filter(({ message }) =>
        /is not a field|must be a (map|list)|is missing|not YAML/.test(message),
      );
      expect({ source, shape }).toEqual({ source, shape: [] });
      expect(manifests.map(({ kind }) => kind)).toEqual([isPart(type) ? 'LoadBalancer' : type]);
      if (appliedKinds.includes(type) && faults.length === 0) expect(manifests[0]?.fields).toBeDefined();
    }
  });
});

const isPart = (type: string) =>
  ['Pool', 'PoolMember', 'PoolHealthMonitor', 'Listener', 'L7Policy', 'L7Rule'].includes(type);

/** At the place that its comment names. */
function inBalancer(type: string, part: string): string {
  const indent = (text: string) => text.replaceAll(/^(?=.)/gm, '  ');
  const pool = (inside: string) => `pools:\n  - name: web\n    memberProtocol: HTTP\n${indent(indent(inside))}`;
  const listener = (inside: string) => `listeners:\n  - port: 80\n    protocol: HTTP\n${indent(indent(inside))}`;
  const policy = (inside: string) => `l7Policies:\n  - name: p\n    action: REJECT\n${indent(indent(inside))}`;
  const places: Readonly<Record<string, (text: string) => string>> = {
    ...{ PoolMember: pool, PoolHealthMonitor: pool, L7Policy: listener },
    L7Rule: (text) => listener(policy(text)),
  };
  return `kind: LoadBalancer\nname: web\n${places[type]?.(part) ?? part}`;
}

test('Python: a program with missing values ends before it sends anything', async () => {
  const programs = cases
    .map((each) => asText('Python', deedOf(each, {})))
    .filter(({ isIncomplete }) => isIncomplete)
    .map(({ text }) => text);
  expect(programs.length).toBeGreaterThan(30);
  await writeFile(join(folder, 'incomplete.json'), JSON.stringify(programs));
  const program = `import json, os, sys, types
class Client:
  def __init__(self, url, *, token): pass
  def __enter__(self): return self
  def __exit__(self, *_): pass
  def query(self, document, variables): print("sent")
sys.modules["tidegate"] = types.SimpleNamespace(Client=Client)
os.environ.setdefault("TIDEGATE_TOKEN", "t")
for text in json.load(open(sys.argv[1])):
    try:
        exec(compile(text, "form", "exec"), {})
        print("no error")
    except NameError:
        pass
    except KeyError:
        pass`;
  const { stdout } = await promisify(execFile)('python3', ['-c', program, join(folder, 'incomplete.json')]);
  expect(stdout).toBe('');
});

test('Python: each program runs, and sends the same input', async () => {
  const all = cases.flatMap((each) => deeds(each));
  const programs = all.map((deed) => ({ text: pythonText(deed), variables: secretsIn(wholeInput(deed)) }));
  await mkdir(join(folder, 'tidegate'));
  await writeFile(
    join(folder, 'tidegate', '__init__.py'),
    'asked = []\nclass Client:\n  def __init__(self, url, *, token): pass\n  def __enter__(self): return self\n  def __exit__(self, *_): pass\n' +
      '  def query(self, document, variables):\n    asked.append([document, variables])\n    return __import__("collections").defaultdict(str)\n',
  );
  await writeFile(join(folder, 'programs.json'), JSON.stringify(programs.map(({ text }) => text)));
  const program = `import contextlib, io, json, os, sys
sys.path.insert(0, sys.argv[1])
import tidegate
with contextlib.redirect_stdout(io.StringIO()):
    for text in json.load(open(sys.argv[1] + "/programs.json")):
        exec(compile(text, "form", "exec"), {})
json.dump(tidegate.asked, open(sys.argv[1] + "/asked.json", "w"))`;
  const names = programs.flatMap(({ variables }) => variables.map(({ variable }) => variable));
  const env = { ...process.env, TIDEGATE_TOKEN: 't', ...Object.fromEntries(names.map((name) => [name, `$${name}`])) };
  await promisify(execFile)('python3', ['-c', program, folder], { env });
  const asked = JSON.parse(await readFile(join(folder, 'asked.json'), 'utf8')) as [string, { input: unknown }][];
  expect(asked).toHaveLength(all.length);
  for (const [at, deed] of all.entries()) {
    const [document, variables] = asked[at] ?? ['', undefined];
    expect(document.trim()).toBe(mutationText(deed));
    expect(variables).toEqual(JSON.parse(variablesText(deed)));
  }
});

test('a verb not marked as handwritten accepts what the registry declares', async () => {
  for (const { kind, verb } of cases) {
    const written = (await nouns[kind.noun]?.load())?.[verb];
    const made = kindNoun(kind.type)[verb];
    if (made === undefined || isByHand(kind.type, verb)) continue;
    // What a user is created with directly in the database is no field.
    const more = `${kind.type} ${verb}` === 'User create' ? ['config', 'recover'] : [];
    expect([kind.type, verb, ...Object.keys(written?.options ?? {})]).toEqual([
      kind.type,
      verb,
      ...[...Object.keys(made.options), ...more],
    ]);
  }
});
