// The operator's program for changes of the role. It runs once for each change, and neither a failure nor a long run holds anything up.
// needs: processes
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLog } from '../../embedded/setup-log.ts';
import { RoleHook } from '../../ha/role-hook.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

let place: TemporaryFolder;
let logged: string[];
let hook: RoleHook;

beforeEach(async () => {
  place = await temporaryFolder();
  logged = [];
});
afterEach(async () => {
  await hook.close();
  await place.remove();
});

async function use(script: string, mostMs = 60_000): Promise<void> {
  const program = join(place.path, 'hook');
  await writeFile(program, `#!/bin/sh\ncd ${place.path}\n${script}\n`);
  await chmod(program, 0o755);
  const log = { ...silentLog, warn: (text: string) => logged.push(text) };
  hook = new RoleHook({ program, me: 'a; touch x', log, mostMs });
}

const ran = () => readFile(join(place.path, 'ran'), 'utf8').catch(() => '');

test('each change of the role runs it once, with role, host and epoch, and without a shell', async () => {
  await use('echo "$#/$1/$2/$3" >> ran');
  hook.lost();
  hook.lost();
  await waitFor('the first role', async () => (await ran()) === '3/standby/a; touch x/0\n');
  hook.held(1, 4);
  hook.held(2, 4);
  await waitFor('the second role', async () => (await ran()).endsWith('3/primary/a; touch x/4\n'));
  hook.held(3, 4);
  hook.lost();
  const all = ['3/standby/a; touch x/0', '3/primary/a; touch x/4', '3/standby/a; touch x/0', ''].join('\n');
  await waitFor('the third role', async () => (await ran()) === all);
  expect(logged).toEqual([]);
});

test('one runs at a time, and of the changes meanwhile only the last one follows', async () => {
  await use('echo "$1 $3" >> ran; while [ "$3" = 4 ] && [ ! -e go ]; do sleep 0.05; done');
  hook.held(1, 4);
  await waitFor('the first one', async () => (await ran()) === 'primary 4\n');
  hook.lost();
  hook.held(1, 5);
  hook.held(1, 6);
  await writeFile(join(place.path, 'go'), '');
  await waitFor('the last one', async () => (await ran()) === 'primary 4\nprimary 6\n');
});

test('a failure, a program that hangs and one that is missing are logged, and the next change runs it again', async () => {
  await use('echo broken >&2; exit 3');
  hook.held(1, 4);
  await waitFor('the failure', async () => logged.length === 1);
  expect(logged[0]).toMatch(/hook failed for the role primary: exit code 3: broken$/);
  await use('echo "$1" >> ran; sleep 60 & sleep 60', 500);
  hook.lost();
  await waitFor('the end', async () => logged.length === 2);
  expect(logged[1]).toMatch(/for the role standby: it was ended after 500 ms$/);
  hook = new RoleHook({
    program: join(place.path, 'none'),
    me: 'a',
    log: { ...silentLog, warn: (t) => logged.push(t) },
  });
  hook.lost();
  await waitFor('the failure', async () => logged.length === 3);
  expect(logged[2]).toContain('ENOENT');
});
