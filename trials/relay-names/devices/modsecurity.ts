// The input of an Apache with ModSecurity: constant scripts, and lines on standard input that are parsed here like Apache 2.4 parses its
// configuration (ap_getword_conf) and ModSecurity 2.9 its rules (Reference Manual v2.x, SecRule).
import type { JsonObject, JsonValue, WireCall } from '../../../subgraphs/relay/drivers/driver.ts';
import { modSecurity } from '../../../subgraphs/relay/drivers/modsecurity/driver.ts';
import { scripts } from '../../../subgraphs/relay/drivers/modsecurity/scripts.ts';
import { contextOf, difference, operationId, type Subject } from '../subject.ts';

/** The constant script of each operation, and the line after the site. */
const forms: Readonly<Record<string, { readonly script: string; readonly key?: (args: JsonObject) => string }>> = {
  'site.list': { script: scripts.siteList },
  'mode.set': { script: scripts.modeSet, key: () => 'mode' },
  'rule.list': { script: scripts.ruleList, key: () => 'all' },
  'rule.create': { script: scripts.ruleCreate, key: ({ id }) => String(id) },
  'rule.delete': { script: scripts.ruleDelete, key: ({ id }) => String(id) },
};
const endOfFile = '# end';

function toldArguments(operation: string, args: JsonObject, configRoot: string, call: WireCall): JsonObject {
  const form = forms[operation];
  if (form === undefined) throw new Error(`nothing is known of ${operation}`);
  if (call.kind !== 'exec' || call.command !== form.script) throw new Error('another command');
  const lines = (call.stdin ?? '').split('\n');
  if (lines.pop() !== '' || lines.shift() !== operationId || lines.shift() !== configRoot)
    throw new Error('another beginning or end');
  if (form.key === undefined) return lines.length === 0 ? {} : { lines };
  const [site = '', key = '', ...file] = lines;
  if (key !== form.key(args)) throw new Error(`another key: ${key}`);
  const id: JsonObject = operation.startsWith('rule.') && operation !== 'rule.list' ? { id: Number(key) } : {};
  if (operation === 'rule.delete') {
    const [calls = '', sum, ...more] = file;
    if (sum !== '' || more.length > 0) throw new Error('another end of the input');
    return { site, ...id, madeBy: calls.split(' ') };
  }
  return { site, ...id, ...(file.length === 0 ? {} : fileArguments(operation, file)) };
}

function fileArguments(operation: string, [mark, line = '', end, ...more]: readonly string[]): JsonObject {
  if (mark !== `# tg:${operationId}` || end !== endOfFile || more.length > 0) throw new Error('another file');
  const [directive, ...words] = wordsOfApache(line);
  if (operation === 'mode.set') {
    if (directive !== 'SecRuleEngine' || words.length !== 1) throw new Error('another directive');
    return { mode: words[0] ?? '' };
  }
  const [variables = '', operator = '', actions = ''] = words;
  if (directive !== 'SecRule' || words.length !== 3) throw new Error('another directive');
  return { variables: variables.split('|'), ...operatorOf(operator), ...actionsOf(actions) };
}

/** ap_getword_conf: a quoted word ends at the same quote; a backslash escapes that quote or a backslash. */
function wordsOfApache(line: string): string[] {
  // Variables that Apache would replace, and a line that continues on the next.
  if (/\$\{/.test(line) || line.endsWith('\\')) throw new Error('Apache would make something else of the line');
  const words: string[] = [];
  for (let at = 0; at < line.length; ) {
    if (/\s/.test(line[at] ?? '')) {
      at += 1;
      continue;
    }
    const quote = line[at] === '"' || line[at] === "'" ? line[at] : undefined;
    let word = '';
    if (quote !== undefined) at += 1;
    for (; at < line.length && (quote === undefined ? !/\s/.test(line[at] ?? '') : line[at] !== quote); at += 1) {
      const next = line[at + 1];
      if (line[at] === '\\' && next !== undefined && (next === '\\' || (quote !== undefined && next === quote)))
        at += 1;
      word += line[at];
    }
    if (quote !== undefined && line[at] !== quote) throw new Error('a quote is left open');
    if (quote !== undefined) at += 1;
    words.push(word);
  }
  return words;
}

function operatorOf(word: string): JsonObject {
  // Without @ it is rx; with ! it is negated.
  const [whole, operator = '', pattern] = /^@([A-Za-z0-9]+)(?: +(.*))?$/su.exec(word) ?? [];
  if (whole === undefined || /%\{/.test(word)) throw new Error('no operator, or one with macros');
  return { operator, ...(pattern === undefined ? {} : { pattern }) };
}

function actionsOf(text: string): JsonObject {
  const given = text.split(/,(?=(?:[^']*'[^']*')*[^']*$)/).map((action): [string, string] => {
    const [, name = '', , quoted, bare] = /^(\w+)(:(?:'([^'\\]*)'|([\w]+)))?$/.exec(action) ?? [];
    if (name === '') throw new Error(`another action: ${action}`);
    return [name, quoted ?? bare ?? ''];
  });
  const told: Record<string, JsonValue> = { transformations: [], action: 'log' };
  for (const [name, value] of given) {
    if (name === 't') told.transformations = value === 'none' ? [] : [...(told.transformations as string[]), value];
    else if (name === 'deny') told.action = 'deny';
    else if (name === 'id' || name === 'phase' || name === 'status') told[name] = Number(value);
    else if (name === 'msg') told.message = value;
    else if (name !== 'log' && name !== 'pass') throw new Error(`another action: ${name}`);
  }
  return told;
}

const bases: Readonly<Record<string, JsonObject>> = {
  'rule.create': {
    ...{ site: 'shop.lab', variables: ['ARGS'], operator: 'contains', pattern: 'forbidden', status: 404 },
    ...{ transformations: ['lowercase'], phase: 2, action: 'deny', message: 'asked for' },
  },
  'rule.delete': { site: 'shop.lab', madeBy: [operationId] },
};

const root = '/srv/waf';

export const modSecuritySubject: Subject = {
  driver: modSecurity,
  operations: [...modSecurity.operations.values()],
  context: contextOf(modSecurity, 'ssh', { configRoot: root }),
  base(operation, serial) {
    const base = bases[operation];
    if (base === undefined) return modSecurity.operations.get(operation)?.example ?? {};
    return { ...base, id: 1 + (serial % 99_999) };
  },
  misread: (operation, args, call) => difference(args, toldArguments(operation, args, root, call)),
};
