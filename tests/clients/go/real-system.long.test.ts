// The client in Go against a real installation.
import { afterAll, beforeAll } from '@jest/globals';
import { testWithRealInstallation } from '../support/real-clients.ts';
import { GoProgram } from './go-program.ts';

let program: GoProgram;
beforeAll(async () => {
  program = await GoProgram.build();
});
afterAll(() => program?.remove());

testWithRealInstallation((origin) => program.carryOut(origin));
