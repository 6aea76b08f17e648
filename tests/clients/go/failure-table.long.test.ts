// The client in Go passes every row of the table of failures.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allPassed, failuresOf } from '../support/checked-client.ts';
import { clientFolder, GoProgram, run } from './go-program.ts';

let program: GoProgram;
beforeAll(async () => {
  program = await GoProgram.build();
});
afterAll(() => program?.remove());

test('gofmt and vet find nothing', async () => {
  expect((await run('/usr/bin/gofmt', ['-l', clientFolder, import.meta.dirname])).stdout).toBe('');
  await program.go(['vet', './...'], clientFolder);
});

test('every row of the table of failures', async () => {
  expect(await failuresOf((origin) => program.carryOut(origin))).toEqual(allPassed);
});
