// The answers to bad input, for every mutation of the system subgraph.
import { expect, test } from '@jest/globals';
import { badInput } from '../support/bad-input.ts';
import { type SystemWorld, system } from './contract.ts';

const run = badInput(system);

test('no error, audit entry or idempotency row contains a password', async () => {
  const { admin, db } = run.world;
  const password = 'a very secret sentence';
  await run.send(admin, 'userCreate', { name: 'with space', password, idempotencyKey: 'secret 1' });
  await run.send(admin, 'userCreate', { name: 'secretive', password, idempotencyKey: 'secret 2' });
  const kept = JSON.stringify([
    await db.query('SELECT * FROM audit_entry'),
    await db.query('SELECT * FROM idempotency_key'),
  ]);
  expect(kept).toContain('secretive');
  expect(kept).not.toContain(password);
});

// The name is a DNS label. With dots, `a` of project `b.c` and `a.b` of project `c` would be the same name.
test('a project created by a command or a first start has no dots in its name either', async () => {
  const { bench } = run.world as SystemWorld;
  await expect(bench.system.firstStart.ensureProject('b.c')).rejects.toThrow('INVALID_INPUT');
});
