import { describe, expect, test } from '@jest/globals';
import type { ExecReply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { modSecurity } from '../../../../../subgraphs/relay/drivers/modsecurity/driver.ts';
import { checkedFor, faultsOf, operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

const reply = (stdout: string, more: Partial<ExecReply> = {}): ExecReply => ({
  kind: 'exec',
  exitCode: 0,
  stdout,
  stderr: '',
  truncated: false,
  ...more,
});
const operationId = '01900000-0000-7000-8000-000000000001';
/** Its verdict repeats the id of the call. */
const answer = (given: ExecReply): ExecReply => ({
  ...given,
  stdout: given.stdout.replace(/^waf .+$/m, `$& ${operationId}`),
});
const context = renderContext(modSecurity, { operationId });
const rule = { site: 'shop', id: 7, variables: ['ARGS'], operator: 'contains', pattern: 'x' };

describe('an inconclusive reply to a write', () => {
  test.each([
    ['nothing at all', reply('')],
    ['cut short', reply('waf applied loaded\n', { truncated: true })],
    ['without the end of its line', reply('waf applied loaded')],
    ['the output of a killed shell', reply('', { exitCode: null })],
    ['an exit code beside a verdict', reply('waf applied loaded\n', { exitCode: 1 })],
    ['another verdict', reply('waf done\n')],
    ['another refusal', reply('waf refused PERHAPS\n')],
    ['a change that could not be undone', reply('Syntax error\nwaf broken\n')],
    ['a greeting only', reply('Welcome\n')],
  ])('%s', (_what, given) => {
    for (const name of ['rule.create', 'rule.delete', 'mode.set']) {
      const args = checkedFor(modSecurity, name, operationOf(modSecurity, name).example);
      expect(operationOf(modSecurity, name).interpret(answer(given), args, context)).toMatchObject({
        state: 'UNKNOWN',
        code: 'UNREADABLE_REPLY',
      });
    }
    for (const name of ['site.list', 'rule.list']) {
      expect(
        operationOf(modSecurity, name).interpret(
          answer(given),
          checkedFor(modSecurity, name, operationOf(modSecurity, name).example),
          context,
        ),
      ).toMatchObject({
        state: 'FAILED',
      });
    }
    expect(modSecurity.health.interpret(given)).toBeUndefined();
    for (const reader of modSecurity.resources?.values() ?? []) {
      const object = { scope: 'shop', key: '7', uuid: null };
      expect(reader.interpret(given, object)).toMatchObject({ finding: 'UNREADABLE' });
    }
  });
});

test('a graceful restart that was ordered but not confirmed is not a failure, and is reported', () => {
  expect(
    operationOf(modSecurity, 'rule.create').interpret(
      answer(reply('waf applied told\n')),
      checkedFor(modSecurity, 'rule.create', rule),
      context,
    ),
  ).toEqual({
    state: 'SUCCEEDED',
    result: { site: 'shop', id: 7, loaded: false },
  });
});

describe('refused arguments', () => {
  test.each([
    ['a site with ..', { ...rule, site: '..' }, 'site'],
    ['a site with a slash', { ...rule, site: 'a/b' }, 'site'],
    ['a site that begins with a dash', { ...rule, site: '-rf' }, 'site'],
    ['a number of the rule set', { ...rule, id: 949_110 }, 'id'],
    ['a line break', { ...rule, pattern: 'a\nSecRuleEngine Off' }, 'pattern'],
    ['a setting of Apache', { ...rule, pattern: `a${'$'}{HOME}` }, 'pattern'],
    ['a macro', { ...rule, pattern: 'a%{REQUEST_URI}' }, 'pattern'],
    ['spaces around', { ...rule, pattern: ' a' }, 'pattern'],
    ['no pattern', { ...rule, pattern: undefined }, 'pattern'],
    ['an empty pattern', { ...rule, operator: 'detectXSS' }, 'pattern'],
    ['a variable that runs programs', { ...rule, variables: ['ARGS|@exec'] }, 'variables.0'],
    ['a negated variable', { ...rule, variables: ['!ARGS'] }, 'variables.0'],
    ['an operator that runs programs', { ...rule, operator: 'inspectFile' }, 'operator'],
    ['a transformation of another kind', { ...rule, transformations: ['none,exec:/bin/sh'] }, 'transformations.0'],
    ['a message with a quote', { ...rule, message: "a',exec:/bin/sh,'" }, 'message'],
    ['a status without denial', { ...rule, action: 'log', status: 403 }, 'status'],
    ['a status unknown to Apache', { ...rule, status: 418 }, 'status'],
  ])('%s', (_what, args, field) => {
    expect(faultsOf(modSecurity, 'rule.create', args)).toEqual([expect.stringMatching(new RegExp(`^${field}: `))]);
  });
});

test("a user's text is only in the input, never in a command", () => {
  const word = 'unmistakable';
  const commands = [...modSecurity.operations.values()].flatMap((operation) => {
    const args = checkedFor(modSecurity, operation.name, operation.example);
    const said = 'site' in args ? { ...args, site: word } : args;
    const rooted = renderContext(modSecurity, { options: { configRoot: `/${word}` } });
    const wires = [operation.render(said, rooted), operation.renderDryRun?.(said, rooted)];
    return wires.flatMap((wire) => (wire?.kind === 'exec' ? [wire] : []));
  });
  expect(commands.length).toBeGreaterThan(5);
  for (const { command, stdin } of commands) {
    expect(command).not.toContain(word);
    expect(stdin).toContain(word);
  }
});

test('the mode common to all firewalls', () => {
  const call = (input: Record<string, string>) => modSecurity.typed.wafModeSet?.(input);
  expect(call({ policy: 'shop', mode: 'BLOCKING' })).toEqual({
    operation: 'mode.set',
    arguments: { site: 'shop', mode: 'On' },
  });
  expect(call({ policy: 'shop', mode: 'DETECTION' })).toMatchObject({ arguments: { mode: 'DetectionOnly' } });
  expect(call({ policy: 'shop', mode: 'OFF' })).toMatchObject({ arguments: { mode: 'Off' } });
  expect(call({ policy: 'shop', mode: 'OFF', scope: 'Common' })).toBeUndefined();
});
