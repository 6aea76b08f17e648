// The refusals of a cluster of hosts name the next step.
import { expect, test } from '@jest/globals';
import { refusalWords } from '../../../cli/commands/ha/refusals.ts';
import { forgetHostFile, writeHostFile } from '../../../ha/host/host-file.ts';
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

test('a host that has left says so, and when', async () => {
  const folder = await temporaryFolder();
  try {
    await writeHostFile(folder.path, {
      ...{
        cluster: 'test',
        leaseMs: 3_000,
        strict: false,
        routerId: 1,
        me: 'b',
        authority: '',
        certificate: '',
        key: '',
      },
      accounts: { applicationPassword: 'a', replicationPassword: 'r' },
      members: [{ name: 'b', address: '192.0.2.2', kind: 'data', serverId: 2, left: true }],
    });
    const before = Date.now();
    await forgetHostFile(folder.path);
    const { exitCode, stderr } = await runCommand(['ha', 'status', '--data', folder.path]);
    const [, at = ''] = /^tidegate: LEFT: this host, b, has left the cluster at (\S+): /.exec(stderr) ?? [];
    expect([exitCode, Math.abs(Date.parse(at) - before) < 60_000]).toEqual([1, true]);
  } finally {
    await folder.remove();
  }
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
