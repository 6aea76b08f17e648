// The messages for a person who has not logged in at a cluster of object storage.
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../support/machine/temporary-folder.ts';
import { runCommand } from './commands/run-command.ts';

test.each([[['containers', 'list']], [['containers', 'create', 'photos']], [['objects', 'list', 'photos']]])(
  '%j without a login explains how to log in, and how to get a cluster',
  async (words) => {
    const folder = await temporaryFolder();
    try {
      const { exitCode, stderr } = await runCommand([...words, '--data', folder.path]);
      expect(exitCode).toBe(1);
      for (const command of ['tidegate login --cluster NAME', 'tidegate clusters list', 'tidegate lab add clusters'])
        expect(stderr).toContain(command);
    } finally {
      await folder.remove();
    }
  },
);
