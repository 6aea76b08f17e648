import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type { ExecReply, JsonValue, OvsdbReply, Reply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { openVswitch } from '../../../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import { findingCommand } from '../../../../../subgraphs/relay/drivers/openvswitch/transact.ts';
import { renderContext } from '../../support/render-context.ts';

const operations = [...openVswitch.operations.values()];
const rpc = (changes: Partial<OvsdbReply>): Reply => ({
  ...{ kind: 'ovsdb', result: null, error: null, truncated: false },
  ...changes,
});
const program = (changes: Partial<ExecReply>): Reply => ({
  ...{ kind: 'exec', exitCode: 0, stdout: '', stderr: '', truncated: false },
  ...changes,
});

/** Replies that are not answers to a transaction, with a description. */
const unreadable: [string, Reply][] = [
  ['nothing', rpc({})],
  ['an empty list', rpc({ result: [] })],
  ['something else', rpc({ result: 'yes' })],
  ['a list without results', rpc({ result: [1, 'two'] })],
  ['a list with a gap', rpc({ result: [{}, null] })],
  ['an invalid error', rpc({ error: 'no' })],
  ['a truncated reply', rpc({ truncated: true, result: [{}] })],
  ['a failure to write to disk', rpc({ result: [{}, { error: 'I/O error', details: 'disk full' }] })],
  ['a failure in a cluster', rpc({ result: [{}, { error: 'cluster error', details: 'lost leadership' }] })],
  ['no output', program({})],
  ['no JSON', program({ stdout: 'Welcome to switch 7\n' })],
  ['incomplete JSON', program({ stdout: '[{"count":1},{"co' })],
  ['truncated output', program({ exitCode: null, truncated: true, stdout: '[{' })],
  ['a signal', program({ exitCode: null })],
  ['another exit status', program({ exitCode: 255, stderr: 'Connection closed' })],
  ['a refusal without a message', program({ exitCode: 1 })],
];

/** Each is a success, but of another request. */
const yesToAnother: [string, JsonValue][] = [
  ['too few results', [{}, { count: 1 }, { rows: [{ next_cfg: 1 }] }, {}, {}]],
  ['nothing was changed', [{}, {}, {}, {}, {}, {}, { count: 0 }, { count: 1 }, { rows: [{ next_cfg: 1 }] }, {}, {}]],
];

function exampleOf(operation: (typeof operations)[number]) {
  const checked = validateArguments(operation, operation.example);
  if (!checked.ok) throw new Error('the example does not fit');
  return checked.args;
}

describe.each(operations.filter((operation) => operation.effect !== 'READ'))('$name', (operation) => {
  test.each(unreadable)('%s is not a verdict', (_what, given) => {
    expect(operation.interpret(given, exampleOf(operation), renderContext(openVswitch))).toMatchObject({
      state: 'UNKNOWN',
      code: 'UNREADABLE_REPLY',
    });
    expect(operation.interpretDryRun?.(given, exampleOf(operation), renderContext(openVswitch))).toMatchObject({
      state: 'FAILED',
    });
  });

  test.each(yesToAnother)('%s is not a verdict', (_what, result) => {
    expect(operation.interpret(rpc({ result }), exampleOf(operation), renderContext(openVswitch))).toMatchObject({
      state: 'UNKNOWN',
    });
    const stdout = JSON.stringify(result);
    expect(operation.interpret(program({ stdout }), exampleOf(operation), renderContext(openVswitch))).toMatchObject({
      state: 'UNKNOWN',
    });
  });

  test('an error in the list is a refusal that quotes the switch, at most 4096 characters', () => {
    const error = { error: 'constraint violation', details: 'x'.repeat(10_000) };
    for (const given of [
      rpc({ result: [{}, error, null] }),
      program({ stdout: JSON.stringify([{}, error, null]) }),
      rpc({ error }),
    ]) {
      const outcome = operation.interpret(given, exampleOf(operation), renderContext(openVswitch));
      expect(outcome).toMatchObject({ state: 'FAILED', code: 'DEVICE_REFUSED' });
      expect('message' in outcome && outcome.message).toMatch(/^constraint violation: x{4074}$/);
    }
  });

  test('a device without the program or without the database has done nothing', () => {
    const missing = program({ exitCode: 127, stderr: 'sh: 1: ovsdb-client: not found' });
    expect(operation.interpret(missing, exampleOf(operation), renderContext(openVswitch))).toMatchObject({
      state: 'FAILED',
      code: 'COMMAND_NOT_FOUND',
    });
    const down = 'ovsdb-client: failed to connect to "unix:/run/openvswitch/db.sock" (Connection refused)';
    expect(
      operation.interpret(program({ exitCode: 1, stderr: down }), exampleOf(operation), renderContext(openVswitch)),
    ).toMatchObject({
      state: 'FAILED',
      code: 'DEVICE_REFUSED',
      message: down,
    });
  });

  test('over SSH no argument is on the command line', () => {
    const context = renderContext(openVswitch, { options: { transport: 'ssh' } });
    expect(operation.render(exampleOf(operation), context)).toMatchObject({
      kind: 'exec',
      command: operation.name === 'bridge.delete' ? findingCommand : 'ovsdb-client transact "$(cat)"',
    });
  });
});

describe.each(operations.filter((operation) => operation.effect === 'READ'))('$name', (operation) => {
  test.each(unreadable)('%s is a failed read', (_what, given) => {
    expect(operation.interpret(given, exampleOf(operation), renderContext(openVswitch))).toMatchObject({
      state: 'FAILED',
    });
  });
});

describe.each([...(openVswitch.resources ?? [])])('a read of a %s', (_name, reader) => {
  test.each([...unreadable, ['a yes without rows', rpc({ result: [{}, {}, {}] })] as [string, Reply]])(
    '%s is not an absence',
    (_what, given) => {
      expect(reader.interpret(given, { scope: '', key: 'x', uuid: null })).toMatchObject({ finding: 'UNREADABLE' });
    },
  );

  test('without a uuid it is not deleted', () => {
    expect(reader.remove?.({ scope: '', key: 'x', uuid: null })).toBeUndefined();
  });
});

test.each(unreadable)('health: %s is not a healthy switch', (_what, given) => {
  expect(openVswitch.health.interpret(given)).toBeUndefined();
});
