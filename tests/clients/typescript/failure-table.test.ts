// The client in TypeScript passes every row of the table of failures.
// needs: load
import { expect, test } from '@jest/globals';
import { carryOutTasks } from '../support/check-tasks.ts';
import { allPassed, failuresOf } from '../support/checked-client.ts';

test('every row of the table of failures', async () => {
  expect(await failuresOf(carryOutTasks)).toEqual(allPassed);
});
