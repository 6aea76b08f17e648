// Resources of ended processes are removed, and resources of running processes are not.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processMark } from '../../../embedded/process-mark.ts';
import { Claims, claimsFiles } from '../../../lab/claims/claims.ts';
import { hasEnded, nameOf, ownerOf, ownName } from '../../../lab/claims/owner.ts';
import { removeOwnerless } from '../../../lab/remove-ownerless.ts';
import { stays, type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let place: TemporaryFolder;
let folder: string;
let claims: Claims;
/** Folders like those of killed processes. They may be removed. */
let things: readonly string[];

beforeEach(async () => {
  place = await temporaryFolder();
  folder = join(place.path, 'claims');
  claims = new Claims({ folder, isGuarded: false });
  things = ['one', 'two'].map((name) => `/tmp/tidegate-claims-test-${randomBytes(4).toString('hex')}-${name}`);
  for (const each of things) await mkdir(each);
});

afterEach(async () => {
  for (const each of things) await rm(each, { recursive: true, force: true });
  await place.remove();
});

const thing = (index: number) => ({ kind: 'path', what: things[index] ?? '' }) as const;
const present = async () => {
  const names = new Set(await readdir('/tmp'));
  return things.map((path) => names.has(path.slice('/tmp/'.length)));
};
/** The name of a process that has ended. */
const endedName = async () => {
  const child = spawn('sleep', ['100'], { stdio: 'ignore' });
  const mark = processMark(child.pid ?? 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  if (mark === undefined) throw new Error('it had ended before');
  return nameOf(mark);
};
const leave = async (name: string, text: string) => {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await writeFile(join(folder, name), text);
};

describe('an owner', () => {
  test('is alive as long as its process', async () => {
    const own = ownerOf(ownName());
    const ended = ownerOf(await endedName());
    expect(own).toMatchObject({ pid: process.pid });
    expect([own, ended].map((each) => each && hasEnded(each))).toEqual([false, true]);
  });

  test('has ended when its pid belongs to a process with another start time, or to an earlier boot', () => {
    const own = ownerOf(ownName());
    if (own === undefined) throw new Error('no owner');
    expect(hasEnded({ ...own, startTicks: String(Number(own.startTicks) + 1) })).toBe(true);
    expect(hasEnded({ ...own, boot: '00000000' })).toBe(true);
  });

  test.each(['', 'claims', '1234', '5d86d411-1-2', '5d86d411-1-2-3.new', '../5d86d411-1-2-3', '5d86d411-1-2-x'])(
    'is not named by %j',
    (name) => expect(ownerOf(name)).toBeUndefined(),
  );
});

describe('claims', () => {
  test('are in one file, which is removed with the last of them', async () => {
    await claims.claim(thing(0), { kind: 'namespaces', what: 'tg-none-' });
    await claims.claim(thing(0), thing(1));
    const text = await readFile(join(folder, ownName()), 'utf8');
    expect(text.split('\n')).toEqual(['namespaces tg-none-', `path ${things[0]}`, `path ${things[1]}`, '']);
    claims.release(thing(1), { kind: 'namespaces', what: 'tg-none-' });
    expect(await readFile(join(folder, ownName()), 'utf8')).toBe(`path ${things[0]}\n`);
    claims.release(thing(0));
    claims.release(thing(0));
    expect(await readdir(folder)).toEqual([]);
  });

  test('are refused in a folder that others can write to', async () => {
    await mkdir(folder);
    await chmod(folder, 0o777);
    await expect(claims.claim(thing(0))).rejects.toThrow('others can write there');
    expect(claimsFiles(folder)).toEqual([]);
  });

  test('wait until no process is removing the same resource', async () => {
    const remover = spawn('sleep', ['100'], { stdio: 'ignore' });
    const mark = processMark(remover.pid ?? 0);
    if (mark === undefined) throw new Error('it has ended');
    await leave(`${await endedName()}.${nameOf(mark)}`, `path ${things[0]}\n`);
    await claims.claim(thing(1));
    let isClaimed = false;
    const claiming = claims.claim(thing(0)).then(() => {
      isClaimed = true;
    });
    // A claim that does not wait takes a few milliseconds.
    await stays('it is not claimed', 200, () => !isClaimed);
    remover.kill('SIGKILL');
    await claiming;
    claims.release(thing(0), thing(1));
  });
});

describe('a resource without an owner', () => {
  test('is removed, and reported with its process', async () => {
    const name = await endedName();
    await leave(name, `path ${things[0]}\npath ${things[1]}\n`);
    const { pid } = ownerOf(name) ?? {};
    expect(await removeOwnerless(folder)).toEqual({
      removed: things.map((path) => ({ kind: 'path', name: path, pid })),
      failures: [],
    });
    expect(await present()).toEqual([false, false]);
    expect(await readdir(folder)).toEqual([]);
    expect(await removeOwnerless(folder)).toEqual({ removed: [], failures: [] });
  });

  test('stays if a running process has claimed it since', async () => {
    await claims.claim(thing(0));
    await leave(await endedName(), `path ${things[0]}\npath ${things[1]}\n`);
    expect((await removeOwnerless(folder)).removed.map(({ name }) => name)).toEqual([things[1]]);
    expect(await present()).toEqual([true, false]);
    claims.release(thing(0));
  });

  test('is removed even if the process that was removing it was killed', async () => {
    await leave(`${await endedName()}.${await endedName()}`, `path ${things[0]}\n`);
    expect((await removeOwnerless(folder)).removed.map(({ name }) => name)).toEqual([things[0]]);
    expect(await readdir(folder)).toEqual([]);
  });

  test('does not include resources of a running process, other files, other lines, and other paths', async () => {
    await claims.claim(thing(0));
    const others = {
      notes: `path ${things[1]}\n`,
      '12-34': `path ${things[1]}\n`,
      '5d86d411-1-2-3.new': 'path /tmp\n',
    };
    for (const [name, text] of Object.entries(others)) await leave(name, text);
    await leave(
      await endedName(),
      `path /etc\npath /tmp\npath /tmp/..\npath /tmp/other\npath ${things[1]}/..\nfolder ${things[1]}\n${things[1]}\n`,
    );
    expect(await removeOwnerless(folder)).toEqual({ removed: [], failures: [] });
    expect(await present()).toEqual([true, true]);
    expect((await readdir(folder)).toSorted()).toEqual([...Object.keys(others), ownName()].toSorted());
    claims.release(thing(0));
  });
});
