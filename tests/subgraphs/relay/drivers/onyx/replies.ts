import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { DriverOperation } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { renderContext } from '../../support/render-context.ts';
import { cli, http, type ReplyRows, type Verdict } from '../../support/replies.ts';

/** The lines of the rendered example. */
function linesOf(operation: DriverOperation): readonly string[] {
  const checked = validateArguments(operation, operation.example);
  const context = renderContext(onyx, { options: { transport: 'ssh' } });
  const call = operation.render(checked.ok ? checked.args : {}, context);
  return call.kind === 'cli' ? call.lines : [];
}

export const result = (line: string, status: string, message = '') => ({
  ...{ executed_command: line, status, status_message: message, data: '' },
});
const typed = (lines: readonly string[], output = '') => cli(lines.map((line) => ({ line, output })));
const json = (lines: readonly string[], status: string, message?: string) =>
  http(200, { results: lines.map((line) => result(line, status, message)) });
const words = `% ${'x'.repeat(10_000)}\nType "?" for help.\n`;
const refusal = { state: 'FAILED', code: 'DEVICE_REFUSED', message: 'x'.repeat(4_096) } as const;

export const replies: ReplyRows = {
  unreadable: [
    ['nothing typed', cli([])],
    ['another line', typed(['show clock'])],
    ['truncated output', cli([{ line: 'vlan 42', output: '' }], { truncated: true })],
    ['no body', http(200)],
    ['a page', http(200, '<html>Login</html>')],
    ['a truncated body', http(200, '{"results": [{"executed_command', { truncated: true })],
    ['an incomplete body', http(200, '{"results": [{"executed_command')],
    ['a server error', http(500, { results: [] })],
    ['no results', http(200, { results: [] })],
    ['invalid results', http(200, { results: ['yes', null] })],
    ['a result of another line', json(['show clock'], 'OK')],
    ['an unspecific error', http(200, { status: 'ERROR', status_message: 'Internal error' })],
  ],
  changes(operation) {
    const lines = linesOf(operation);
    const missing: readonly Verdict[] = [
      ['no first line', typed(lines.slice(1)), 'UNKNOWN'],
      ['no last line', json(lines.slice(0, -1), 'OK'), 'UNKNOWN'],
    ];
    return [
      ...(lines.length < 2 ? [] : missing),
      ['a line with an unknown status', json(lines, 'MAYBE'), 'UNKNOWN'],
      ['another line', typed([...lines, 'exit']), 'UNKNOWN'],
      ['silence after each line', typed(lines), 'SUCCEEDED'],
      ['all lines', json(lines, 'OK'), 'SUCCEEDED'],
      ['a refusal', typed(lines, `Warning: busy\n${words}`), refusal],
      ['a refusal in JSON', json(lines, 'ERROR', words), refusal],
    ];
  },
  reads(operation) {
    const [line = ''] = linesOf(operation);
    return [
      ['no JSON', typed([line], 'VLAN  Name\n1  default\n'), 'FAILED'],
      ['incomplete JSON', typed([line], '{"1": {"Name": "def'), 'FAILED'],
      ['JSON of something else', typed([line], '{"Hello": "world"}'), 'FAILED'],
      ['an empty list', typed([line], '[]'), 'FAILED'],
      ['a refusal', typed([line], '% Unrecognized command "show".\n'), 'FAILED'],
      ['data of something else', http(200, { ...result(line, 'OK'), data: { Hello: 'world' } }), 'FAILED'],
      ['a refused command', http(200, result(line, 'ERROR', '% no')), 'FAILED'],
    ];
  },
  looks: [
    ['JSON of something else', typed(['x'], '{"Hello": "world"}'), 'UNREADABLE'],
    ['an empty list', typed(['x'], '[]'), 'UNREADABLE'],
    ['a refusal', typed(['x'], '% no such thing'), 'UNREADABLE'],
  ],
};
