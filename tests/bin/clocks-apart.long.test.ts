// Two processes of one installation, each with all roles, whose clocks are 30 s apart: what one makes, the other accepts, in both directions.
// needs: libfaketime
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clockOffset, clockVariables, findClockLibrary } from '../../lab/clock-library.ts';
import { EventClient } from '../gateway/support/event-client.ts';
import { freePort } from '../support/machine/free-port.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type SystemPlace, systemPlace } from '../support/product/running-system.ts';
import { ask, startProgram } from './support/up-process.ts';

const names = ['right', 'ahead'] as const;
type Name = (typeof names)[number];
const others: Readonly<Record<Name, Name>> = { right: 'ahead', ahead: 'right' };
const password = 'a long one, for clocks';
let place: SystemPlace;
const urls = {} as Record<Name, string>;
const programs = new Map<Name, ReturnType<typeof startProgram>>();

beforeAll(async () => {
  place = await systemPlace();
  const file = (name: string) => join(place.folder.path, `${name}.json`);
  for (const name of names) {
    const port = await freePort();
    urls[name] = `http://127.0.0.1:${port}`;
    await writeFile(file(name), JSON.stringify({ ...place.settings, name, 'listen.port': port, 'log.level': 'warn' }));
  }
  await writeFile(join(place.folder.path, 'password'), `${password}\n`, { mode: 0o600 });
  const made = startProgram([
    'users',
    'create',
    'ann',
    '--admin',
    '--config',
    file('right'),
    '--user-password-file',
    join(place.folder.path, 'password'),
  ]);
  if ((await made.ended).code !== 0) throw new Error(made.output());
  const library = await findClockLibrary();
  for (const name of names) {
    const env = name === 'ahead' ? clockVariables(library, { FAKETIME: clockOffset(30) }) : {};
    programs.set(name, startProgram(['serve', '--as-root', '--config', file(name)], env));
  }
  for (const name of names)
    await waitFor(`${name} to be ready`, async () => {
      const program = programs.get(name);
      if (program?.child.exitCode !== null) throw new Error(program?.output());
      return fetch(`${urls[name]}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
}, 120_000 * patience);

afterAll(async () => {
  for (const { child } of programs.values()) child.kill('SIGTERM');
  await Promise.all([...programs.values()].map(({ ended }) => ended));
  await place?.remove();
}, 60_000 * patience);

test('their clocks are 30 s apart', async () => {
  const dates = await Promise.all(
    names.map(async (name) => Date.parse((await fetch(`${urls[name]}/health/live`)).headers.get('date') ?? '')),
  );
  expect(Math.abs((dates[1] ?? 0) - (dates[0] ?? 0) - 30_000)).toBeLessThanOrEqual(5_000);
});

test.each(names)('a login, a change and its event at the process that is %s count at the other one', async (name) => {
  const [here, there] = [urls[name], urls[others[name]]];
  const login =
    'mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { code } } }';
  const session = await ask<{ login: { accessToken: string; refreshToken: string } }>(here, undefined, login, {
    input: { name: 'ann', password },
  });
  const token = session.login.accessToken;
  const query = 'subscription { statusChanges(kinds: ["project.created"]) { cursor change { kind } } }';
  const events = await EventClient.begun(there, { query, token });
  const create =
    'mutation ($input: ProjectCreateInput!) { projectCreate(input: $input) { project { id } userErrors { code } } }';
  const input = { idempotencyKey: `key-${name}`, name: `of-${name}` };
  const made = await ask<{ projectCreate: { project: { id: string } } }>(here, token, create, { input });
  expect(made.projectCreate.project.id).toEqual(expect.any(String));
  // The same key at the other process, with the token of this one.
  expect(await ask(there, token, create, { input })).toEqual(made);
  await waitFor('the event', async () => events.text.includes('project.created'));
  events.cancel();
  const cursor = events.results.at(-1)?.data.statusChanges.cursor as string;
  const resumed = 'subscription ($after: String) { statusChanges(after: $after) { cursor kind } }';
  const again = await EventClient.begun(here, { query: resumed, variables: { after: cursor }, token });
  expect(again.results[0]?.errors).toBeUndefined();
  again.cancel();
});

test('both stay ready', async () => {
  for (const name of names) {
    const { notReady } = (await (await fetch(`${urls[name]}/health/ready`)).json()) as {
      notReady: { name: string; required: boolean; detail?: string }[];
    };
    expect(notReady.filter(({ required }) => required)).toEqual([]);
  }
});
