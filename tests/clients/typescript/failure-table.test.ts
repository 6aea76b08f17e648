// The client in TypeScript passes every row of the table of failures.
import { expect, test } from '@jest/globals';
import { carryOutTasks } from '../support/check-tasks.ts';
import { allPassed, verdictsOn } from '../support/checked-client.ts';

test('every row of the table of failures', async () => {
  expect(await verdictsOn(carryOutTasks)).toEqual(allPassed);
}, 120_000);
