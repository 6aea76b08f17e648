// The refusals of a cluster of hosts name the next step.
import { expect, test } from '@jest/globals';
import { refusalWords } from '../../../cli/commands/ha/refusals.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { runCommand } from './run-command.ts';

test('a refusal without a command gets one; a refusal with a command stays as it is', () => {
  expect(refusalWords({ code: 'NOT_FOUND', message: 'there is no host x' })).toBe(
    'NOT_FOUND: there is no host x; "tidegate ha status" lists the hosts',
  );
  const paused = 'promotion is paused: "tidegate ha resume" ends that';
  expect(refusalWords({ code: 'IN_PROGRESS', message: paused })).toBe(`IN_PROGRESS: ${paused}`);
  expect(refusalWords({ code: 'ALREADY', message: 'a is the primary' })).toBe('ALREADY: a is the primary');
});

test.each([['status'], ['history'], ['switchover']])(
  'ha %s without a cluster names the command that creates one',
  async (verb) => {
    const folder = await temporaryFolder();
    try {
      const { exitCode, stderr } = await runCommand(['ha', verb, '--data', folder.path]);
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^tidegate: NOT_CONFIGURED: .*"tidegate ha init"/)]);
    } finally {
      await folder.remove();
    }
  },
);
