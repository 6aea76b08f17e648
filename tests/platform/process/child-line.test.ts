// The environment of a child process, and its end when it is not needed.
// needs: processes
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ChildLine } from '../../../platform/process/child-line.ts';
import { temporaryFolder, until } from '../../support/machine/temporary-folder.ts';

test('a child gets nothing of the environment except the cache of compiled code', async () => {
  const folder = await temporaryFolder();
  const program = join(folder.path, 'program.mjs');
  await writeFile(program, "process.on('message', () => process.send(Object.keys(process.env)));");
  const line = new ChildLine<object, readonly string[]>({ program, restMs: 60_000 });
  try {
    expect(await line.ask({}, 30_000)).toEqual(['NODE_COMPILE_CACHE']);
  } finally {
    line.end();
    await folder.remove();
  }
});

test('a child ends when it has had no question for its time, and not during a longer question', async () => {
  const folder = await temporaryFolder();
  const program = join(folder.path, 'program.mjs');
  await writeFile(program, "process.on('message', ({ ms }) => setTimeout(() => process.send({ ms }), ms));");
  const line = new ChildLine<{ readonly ms: number }, { readonly ms: number }>({ program, restMs: 300 });
  try {
    expect(await line.ask({ ms: 0 }, 30_000)).toEqual({ ms: 0 });
    expect(await line.ask({ ms: 900 }, 30_000)).toEqual({ ms: 900 });
    expect(line.isOpen).toBe(true);
    await until(() => !line.isOpen);
    expect(line.lastWords).toBe('it was not needed');
    expect(await line.ask({ ms: 0 }, 30_000)).toBeUndefined();
  } finally {
    line.end();
    await folder.remove();
  }
});
