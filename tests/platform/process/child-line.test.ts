// The environment of a child process.
// needs: processes
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ChildLine } from '../../../platform/process/child-line.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

test('a child gets nothing of the environment except the cache of compiled code', async () => {
  const folder = await temporaryFolder();
  const program = join(folder.path, 'program.mjs');
  await writeFile(program, "process.on('message', () => process.send(Object.keys(process.env)));");
  const line = new ChildLine<object, readonly string[]>({ program });
  try {
    expect(await line.ask({}, 30_000)).toEqual(['NODE_COMPILE_CACHE']);
  } finally {
    line.end();
    await folder.remove();
  }
});
